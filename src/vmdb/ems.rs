//! `ext_management_systems`, `zones` and `endpoints`: the settings' EMSs as rows, pausing, and how refreshes went.
//!
//! Credentials never enter the VMDB, not even those written into a URL.

mod entrance;

use super::dialect::Connection;
use super::statement::Value;
use super::{Fields, VmdbError, endpoints};
use crate::clock;
use crate::provider::EmsId;
use crate::settings::EmsSettings;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// A row of `ext_management_systems`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmsRow {
    /// Its id.
    pub id: EmsId,
    /// Its unique name.
    pub name: String,
    /// ManageIQ's class name.
    pub class_name: String,
    /// Its zone's name.
    pub zone: Option<String>,
    /// Whether events are caught from it: set so, in the settings, and not paused.
    pub enabled: bool,
    /// Whether a command paused it.
    pub paused: bool,
    /// Its region at the provider.
    pub provider_region: Option<String>,
    /// When a refresh ended last.
    pub last_refresh_date: Option<DateTime<Utc>>,
    /// When one succeeded last.
    pub last_refresh_success_date: Option<DateTime<Utc>>,
    /// Why the last one failed, if it did.
    pub last_refresh_error: Option<String>,
}

/// The zone of paused EMSs, as in ManageIQ.
const MAINTENANCE_ZONE: &str = "__maintenance__";

/// Enters the settings' EMSs, in one transaction; those that are no longer there get `enabled` false and keep all else.
/// Returns the rows in order of the settings. What is there is read at once and written only where it differs, so that
/// 1,000 EMSs that are known cost a few statements.
///
/// # Errors
/// [`VmdbError::Refused`] when an `id` of the settings belongs to another EMS already.
pub fn enter(connection: &mut Connection, settings: &[EmsSettings]) -> Result<Vec<EmsRow>, VmdbError> {
    connection.transaction(|connection| {
        // Two processes that start at once would both find nothing and both insert.
        connection.write_alone("ext_management_systems")?;
        let known = entrance::Known::read(connection)?;
        let mut zones = HashMap::new();
        let mut entered = Vec::new();
        for ems in settings {
            let zone_id = match zones.get(ems.zone.as_str()) {
                Some(id) => *id,
                None => zone(connection, &ems.zone, true)?,
            };
            zones.insert(ems.zone.as_str(), zone_id);
            entered.push((ems, zone_id));
        }
        let ids = entrance::enter(connection, &known, &entered)?;
        endpoints::enter(connection, ids.iter().copied().zip(settings.iter().map(|ems| &ems.endpoints)))?;
        let values = [clock::now().into(), Value::Integers(ids.iter().map(|id| id.0).collect())];
        let sql =
            "UPDATE ext_management_systems SET enabled = false, updated_on = ? WHERE enabled AND NOT (id ?)";
        connection.execute(sql, &values)?;
        let mut all: HashMap<EmsId, EmsRow> =
            list(connection)?.into_iter().map(|row| (row.id, row)).collect();
        Ok(ids.iter().filter_map(|id| all.remove(id)).collect())
    })
}

fn first_id(rows: &[Fields]) -> Result<i64, VmdbError> {
    rows.first().ok_or_else(|| VmdbError::Bug("an insert returned no id".to_owned()))?.id(0)
}

/// The id of a zone, which is made if need be.
fn zone(connection: &mut Connection, name: &str, visible: bool) -> Result<i64, VmdbError> {
    let found = connection.rows("SELECT id FROM zones WHERE name = ?", &[name.into()])?;
    if !found.is_empty() {
        return first_id(&found);
    }
    let now = clock::now();
    let sql = "INSERT INTO zones (name, description, visible, created_on, updated_on) VALUES (?, ?, ?, ?, ?) \
               ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id";
    let values = [name.into(), name.into(), visible.into(), now.into(), now.into()];
    first_id(&connection.rows(sql, &values)?)
}

/// All EMSs that were ever entered, by name.
///
/// # Errors
/// See [`VmdbError`].
pub fn list(connection: &mut Connection) -> Result<Vec<EmsRow>, VmdbError> {
    let sql = "SELECT e.id, e.name, e.type, z.name, e.enabled, e.zone_before_pause_id, e.provider_region, \
               e.last_refresh_date, e.last_refresh_success_date, e.last_refresh_error \
               FROM ext_management_systems e LEFT JOIN zones z ON z.id = e.zone_id ORDER BY e.name";
    let ems = |row: &Fields| {
        Ok(EmsRow {
            id: EmsId(row.id(0)?),
            name: row.string(1).unwrap_or_default(),
            class_name: row.string(2).unwrap_or_default(),
            zone: row.string(3),
            enabled: row.boolean(4).unwrap_or_default(),
            paused: row.integer(5).is_some(),
            provider_region: row.string(6),
            last_refresh_date: row.time(7),
            last_refresh_success_date: row.time(8),
            last_refresh_error: row.string(9),
        })
    };
    connection.rows(sql, &[])?.iter().map(ems).collect()
}

/// Those from which events are caught: set so, in the settings, and not paused.
///
/// # Errors
/// See [`VmdbError`].
pub fn enabled(connection: &mut Connection) -> Result<HashSet<EmsId>, VmdbError> {
    let rows = connection.rows("SELECT id FROM ext_management_systems WHERE enabled", &[])?;
    rows.iter().map(|row| row.id(0).map(EmsId)).collect()
}

/// Pauses or resumes the EMS called `name` as ManageIQ does: a paused one is not enabled, lies in the maintenance zone, and
/// stays so across restarts. Returns whether there is one.
///
/// # Errors
/// See [`VmdbError`].
pub fn set_paused(connection: &mut Connection, name: &str, paused: bool) -> Result<bool, VmdbError> {
    connection.transaction(|connection| {
        let now = clock::now();
        let (sql, values): (_, Vec<Value<'_>>) = if paused {
            let sql = "UPDATE ext_management_systems SET enabled = false, updated_on = ?, \
                       zone_before_pause_id = COALESCE(zone_before_pause_id, zone_id), zone_id = ? WHERE name = ?";
            (sql, vec![now.into(), zone(connection, MAINTENANCE_ZONE, false)?.into(), name.into()])
        } else {
            let sql = "UPDATE ext_management_systems SET updated_on = ?, \
                       enabled = CASE WHEN zone_before_pause_id IS NULL THEN enabled ELSE true END, \
                       zone_id = COALESCE(zone_before_pause_id, zone_id), zone_before_pause_id = NULL WHERE name = ?";
            (sql, vec![now.into(), name.into()])
        };
        Ok(connection.execute(sql, &values)? > 0)
    })
}

/// Keeps how a refresh went.
///
/// # Errors
/// See [`VmdbError`].
pub fn refreshed(
    connection: &mut Connection,
    ems_id: EmsId,
    outcome: Result<(), &str>,
) -> Result<(), VmdbError> {
    let now = clock::now();
    match outcome {
        Ok(()) => connection.execute(
            "UPDATE ext_management_systems SET last_refresh_error = NULL, last_refresh_date = ?, \
             last_refresh_success_date = ?, last_inventory_date = ? WHERE id = ?",
            &[now.into(), now.into(), now.into(), ems_id.0.into()],
        ),
        Err(error) => connection.execute(
            "UPDATE ext_management_systems SET last_refresh_error = ?, last_refresh_date = ? WHERE id = ?",
            &[error.into(), now.into(), ems_id.0.into()],
        ),
    }
    .map(drop)
}
