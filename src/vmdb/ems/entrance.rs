//! Brings the rows of the settings' EMSs in line with the settings: which are new, which differ, which are as they should be.

use crate::clock;
use crate::provider::EmsId;
use crate::settings::EmsSettings;
use crate::vmdb::bulk;
use crate::vmdb::dialect::Connection;
use crate::vmdb::statement::Value;
use crate::vmdb::{Fields, VmdbError};
use std::collections::HashMap;

/// The rows that are there.
pub(super) struct Known {
    by_name: HashMap<String, Row>,
    names: HashMap<i64, String>,
}

#[derive(Clone, PartialEq)]
struct Row {
    id: i64,
    class_name: Option<String>,
    provider_region: Option<String>,
    enabled: bool,
    zone_id: Option<i64>,
    /// `None` unless it is paused.
    zone_before_pause_id: Option<i64>,
}

impl Known {
    /// All of them.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub(super) fn read(connection: &mut Connection) -> Result<Self, VmdbError> {
        let sql = "SELECT id, name, type, provider_region, enabled, zone_id, zone_before_pause_id \
                   FROM ext_management_systems";
        let (mut by_name, mut names) = (HashMap::new(), HashMap::new());
        for fields in connection.rows(sql, &[])? {
            let (id, name) = (fields.id(0)?, fields.string(1).unwrap_or_default());
            let row = Row {
                id,
                class_name: fields.string(2),
                provider_region: fields.string(3),
                enabled: fields.boolean(4).unwrap_or_default(),
                zone_id: fields.integer(5),
                zone_before_pause_id: fields.integer(6),
            };
            names.insert(id, name.clone());
            by_name.insert(name, row);
        }
        Ok(Self { by_name, names })
    }

    /// The row of this EMS, which must not contradict an `id` of the settings.
    fn of(&self, ems: &EmsSettings) -> Result<Option<&Row>, VmdbError> {
        let named = self.by_name.get(&ems.name);
        let Some(fixed) = ems.id else { return Ok(named) };
        match (named, self.names.get(&fixed)) {
            (Some(Row { id, .. }), _) if *id != fixed => Err(VmdbError::Refused(format!(
                "the EMS {:?} has id {id} in the VMDB already, the settings say {fixed}; take `id` out, or set it to {id}",
                ems.name
            ))),
            (None, Some(holder)) => Err(VmdbError::Refused(format!(
                "id {fixed} of the EMS {:?} belongs to the EMS {holder:?} in the VMDB; choose another `id`",
                ems.name
            ))),
            (named, _) => Ok(named),
        }
    }
}

impl Row {
    /// As the settings want it. A paused EMS stays in the maintenance zone, and goes to its zone when it is resumed.
    fn wanted(&self, ems: &EmsSettings, zone_id: i64) -> Self {
        let paused = self.zone_before_pause_id.is_some();
        Self {
            id: self.id,
            class_name: Some(ems.provider.class_name().to_owned()),
            provider_region: ems.provider_region.clone(),
            enabled: ems.enabled && !paused,
            zone_id: if paused { self.zone_id } else { Some(zone_id) },
            zone_before_pause_id: self.zone_before_pause_id.map(|_| zone_id),
        }
    }
}

/// Enters all of them, each with the id of its zone; gives their ids in the same order.
///
/// # Errors
/// [`VmdbError::Refused`] when an `id` of the settings belongs to another EMS already.
pub(super) fn enter(
    connection: &mut Connection,
    known: &Known,
    all: &[(&EmsSettings, i64)],
) -> Result<Vec<EmsId>, VmdbError> {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (ems, zone_id) in all {
        match known.of(ems)? {
            None => new.push((*ems, *zone_id)),
            Some(row) => {
                let wanted = row.wanted(ems, *zone_id);
                if *row != wanted {
                    changed.push(wanted);
                }
            }
        }
    }
    update(connection, &changed)?;
    // Those with an id of the settings first, so that it is not given to another.
    let (fixed, free): (Vec<_>, Vec<_>) = new.into_iter().partition(|(ems, _)| ems.id.is_some());
    let mut ids: HashMap<String, i64> = HashMap::new();
    for new in [fixed, free] {
        ids.extend(insert(connection, &new)?);
        if new.iter().any(|(ems, _)| ems.id.is_some()) {
            connection.ids_were_given("ext_management_systems")?;
        }
    }
    let id = |(ems, _): &(&EmsSettings, i64)| {
        let id = ids.get(&ems.name).copied().or_else(|| known.by_name.get(&ems.name).map(|row| row.id));
        id.map(EmsId)
            .ok_or_else(|| VmdbError::Bug(format!("the EMS {:?} was entered without an id", ems.name)))
    };
    all.iter().map(id).collect()
}

fn update(connection: &mut Connection, changed: &[Row]) -> Result<(), VmdbError> {
    let now = clock::now();
    let of = |value: fn(&Row) -> Value<'_>| changed.iter().map(value).collect::<Vec<_>>();
    let columns = [
        ("id", of(|row| row.id.into())),
        ("type", of(|row| (&row.class_name).into())),
        ("provider_region", of(|row| (&row.provider_region).into())),
        ("enabled", of(|row| row.enabled.into())),
        ("zone_id", of(|row| row.zone_id.into())),
        ("zone_before_pause_id", of(|row| row.zone_before_pause_id.into())),
        ("updated_on", changed.iter().map(|_| now.into()).collect()),
    ];
    let set = "type = fresh.type, provider_region = fresh.provider_region, enabled = fresh.enabled, \
               zone_id = fresh.zone_id, zone_before_pause_id = fresh.zone_before_pause_id, updated_on = fresh.updated_on";
    bulk::update(connection, "ext_management_systems", &columns, set)
}

/// (name, id) of each.
fn insert(connection: &mut Connection, new: &[(&EmsSettings, i64)]) -> Result<Vec<(String, i64)>, VmdbError> {
    let now = clock::now();
    let guids: Vec<String> = new.iter().map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let columns = [
        ("id", new.iter().map(|(ems, _)| ems.id.into()).collect()),
        ("name", new.iter().map(|(ems, _)| (&ems.name).into()).collect()),
        ("type", new.iter().map(|(ems, _)| ems.provider.class_name().into()).collect()),
        ("provider_region", new.iter().map(|(ems, _)| (&ems.provider_region).into()).collect()),
        ("created_on", new.iter().map(|_| now.into()).collect()),
        ("updated_on", new.iter().map(|_| now.into()).collect()),
        ("enabled", new.iter().map(|(ems, _)| ems.enabled.into()).collect()),
        ("zone_id", new.iter().map(|(_, zone_id)| (*zone_id).into()).collect()),
        ("guid", guids.iter().map(Into::into).collect()),
    ];
    let rows = bulk::insert(connection, "ext_management_systems", &columns, "RETURNING name, id")?;
    rows.iter().map(|row: &Fields| Ok((row.string(0).unwrap_or_default(), row.id(1)?))).collect()
}
