//! `state_changes`: what refreshes, and handlers of events, changed in the inventory, for people who ask what happened to a
//! resource.
//!
//! Which changes are kept is `inventory_history`'s to say; it writes them in the transaction of the row itself.

use super::resource::ResourceKind;
use super::{Connection, Fields, Value, VmdbError, bulk};
use crate::provider::EmsId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// No more than this is read at once, whatever is asked for.
const MOST: usize = 1000;
/// An event that asks for a refresh is hardly ever older, or newer, by its own time, than what the refresh changes.
const AWAY: TimeDelta = TimeDelta::days(1);

/// A row of `state_changes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateChange {
    /// `state_changes.id`
    pub id: i64,
    /// Whose.
    pub ems_id: EmsId,
    /// ManageIQ's class: `VmOrTemplate`, `Host`, `EmsCluster`, `ContainerGroup`, `ContainerNode`.
    pub resource_type: String,
    /// The resource's row.
    pub resource_id: i64,
    /// `power_state`, `host` …; `inventory` when the resource came (`active`) or went (`archived`, `deleted`).
    pub attribute: String,
    /// Its value before; `None` where there was none.
    pub before: Option<String>,
    /// Its value since; `None` where there is none.
    pub after: Option<String>,
    /// When it was saved, by our clock.
    pub changed_on: DateTime<Utc>,
    /// The refresh that saw it.
    pub work_id: Option<i64>,
    /// The event that it followed from, where one is known that names the resource: id and type.
    pub event: Option<(i64, String)>,
}

/// A row to keep.
#[derive(Clone, Debug)]
pub(super) struct NewChange {
    pub(super) ems_id: EmsId,
    pub(super) class: &'static str,
    pub(super) resource_id: i64,
    pub(super) attribute: &'static str,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) changed_on: DateTime<Utc>,
    pub(super) work_id: Option<i64>,
    pub(super) event_id: Option<i64>,
}

impl NewChange {
    /// Of this resource; nothing of it is said yet.
    pub(super) fn of(ems_id: EmsId, class: &'static str, resource_id: i64) -> Self {
        Self {
            ems_id,
            class,
            resource_id,
            attribute: "",
            before: None,
            after: None,
            changed_on: DateTime::UNIX_EPOCH,
            work_id: None,
            event_id: None,
        }
    }

    /// The same, from this value to that.
    pub(super) fn saying(self, before: Option<&str>, after: Option<&str>) -> Self {
        Self { before: before.map(str::to_owned), after: after.map(str::to_owned), ..self }
    }
}

/// Keeps them. To be called in the transaction of what changed.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn keep(connection: &mut Connection, changes: &[NewChange]) -> Result<(), VmdbError> {
    if changes.is_empty() {
        return Ok(());
    }
    let columns = [
        ("ems_id", changes.iter().map(|change| change.ems_id.0.into()).collect()),
        ("resource_type", changes.iter().map(|change| change.class.into()).collect()),
        ("resource_id", changes.iter().map(|change| change.resource_id.into()).collect()),
        ("attribute", changes.iter().map(|change| change.attribute.into()).collect()),
        ("before", changes.iter().map(|change| (&change.before).into()).collect()),
        ("after", changes.iter().map(|change| (&change.after).into()).collect()),
        ("changed_on", changes.iter().map(|change| change.changed_on.into()).collect()),
        ("work_id", changes.iter().map(|change| change.work_id.into()).collect()),
        ("event_id", changes.iter().map(|change| change.event_id.into()).collect()),
    ];
    bulk::insert(connection, "state_changes", &columns, "").map(drop)
}

/// The class by which `state_changes` knows a kind of resource; `None` for an EMS, which has all of its resources'.
const fn resource_type(kind: ResourceKind) -> Option<&'static str> {
    match kind {
        ResourceKind::Vm => Some("VmOrTemplate"),
        ResourceKind::Host => Some("Host"),
        ResourceKind::Cluster => Some("EmsCluster"),
        ResourceKind::Ems => None,
    }
}

const SELECT: &str = "SELECT id, ems_id, resource_type, resource_id, attribute, before, after, changed_on, work_id, event_id \
                      FROM state_changes";

/// What changed of a resource, or of all resources of an EMS, from `since` until before `until`: the latest `limit`
/// (at most 1,000), newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn of(
    connection: &mut Connection,
    (kind, id): (ResourceKind, i64),
    (since, until): (DateTime<Utc>, DateTime<Utc>),
    limit: usize,
) -> Result<Vec<StateChange>, VmdbError> {
    let (of, mut values) = match resource_type(kind) {
        Some(class) => ("resource_type = ? AND resource_id = ?", vec![Value::from(class), id.into()]),
        None => ("ems_id = ?", vec![id.into()]),
    };
    values.extend([since.into(), until.into(), (limit.min(MOST) as i64).into()]);
    let sql = format!(
        "{SELECT} WHERE {of} AND changed_on >= ? AND changed_on < ? ORDER BY changed_on DESC, id DESC LIMIT ?"
    );
    read(connection, &sql, &values)
}

/// What a refresh changed, oldest first, at most `limit` (and 1,000).
///
/// # Errors
/// See [`VmdbError`].
pub fn for_refresh(
    connection: &mut Connection,
    ems_id: EmsId,
    work_ids: &[i64],
    limit: usize,
) -> Result<Vec<StateChange>, VmdbError> {
    if work_ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{SELECT} WHERE ems_id = ? AND work_id ? ORDER BY id LIMIT ?");
    let values = [ems_id.0.into(), Value::Integers(work_ids.to_vec()), (limit.min(MOST) as i64).into()];
    read(connection, &sql, &values)
}

/// What handlers changed for an event, oldest first, at most `limit` (and 1,000).
///
/// # Errors
/// See [`VmdbError`].
pub fn for_event(
    connection: &mut Connection,
    event_id: i64,
    limit: usize,
) -> Result<Vec<StateChange>, VmdbError> {
    let sql = format!("{SELECT} WHERE event_id = ? ORDER BY id LIMIT ?");
    read(connection, &sql, &[event_id.into(), (limit.min(MOST) as i64).into()])
}

fn read(connection: &mut Connection, sql: &str, values: &[Value<'_>]) -> Result<Vec<StateChange>, VmdbError> {
    let rows = connection.rows(sql, values)?;
    let mut changes = rows.iter().map(change).collect::<Result<Vec<_>, _>>()?;
    name_events(connection, &mut changes)?;
    Ok(changes)
}

fn change(row: &Fields) -> Result<StateChange, VmdbError> {
    Ok(StateChange {
        id: row.id(0)?,
        ems_id: EmsId(row.id(1)?),
        resource_type: row.string(2).unwrap_or_default(),
        resource_id: row.id(3)?,
        attribute: row.string(4).unwrap_or_default(),
        before: row.string(5),
        after: row.string(6),
        changed_on: row.time(7).unwrap_or_default(),
        work_id: row.integer(8),
        event: row.integer(9).map(|id| (id, String::new())),
    })
}

/// The columns by which events name a class of resource; each has an index.
const NAMED_BY: [(&str, &str); 6] = [
    ("VmOrTemplate", "vm_or_template_id"),
    ("VmOrTemplate", "dest_vm_or_template_id"),
    ("Host", "host_id"),
    ("Host", "dest_host_id"),
    ("ContainerGroup", "container_group_id"),
    ("ContainerNode", "container_node_id"),
];

/// Finds the events: of handlers by id, of refreshes among those that name the resource, by their work.
fn name_events(connection: &mut Connection, changes: &mut [StateChange]) -> Result<(), VmdbError> {
    let known: Vec<i64> = changes.iter().filter_map(|change| Some(change.event.as_ref()?.0)).collect();
    if !known.is_empty() {
        let sql = "SELECT id, event_type FROM event_streams WHERE id ?";
        let rows = connection.rows(sql, &[Value::Integers(known)])?;
        let types: BTreeMap<_, _> =
            rows.iter().filter_map(|row| Some((row.integer(0)?, row.string(1)?))).collect();
        for change in changes.iter_mut() {
            let event = change.event.take();
            change.event = event.and_then(|(id, _)| Some((id, types.get(&id)?.clone())));
        }
    }
    let times = || changes.iter().filter(|change| change.work_id.is_some()).map(|change| change.changed_on);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(()) };
    for (class, column) in NAMED_BY {
        let of_class = |change: &&mut StateChange| {
            change.resource_type == class && change.event.is_none() && change.work_id.is_some()
        };
        let mut unnamed: Vec<_> = changes.iter_mut().filter(of_class).collect();
        if unnamed.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT {column}, work_id, id, event_type FROM event_streams \
             WHERE {column} ? AND timestamp >= ? AND timestamp < ? AND work_id ? ORDER BY timestamp, id"
        );
        let resources = unnamed.iter().map(|change| change.resource_id).collect();
        let works = unnamed.iter().filter_map(|change| change.work_id).collect();
        let values =
            [Value::Integers(resources), (first - AWAY).into(), (last + AWAY).into(), Value::Integers(works)];
        let rows = connection.rows(&sql, &values)?;
        let event = |row: &Fields| {
            Some(((row.integer(0)?, row.integer(1)?), (row.integer(2)?, row.string(3).unwrap_or_default())))
        };
        // The last of them: it tells how things were in the end.
        let events: BTreeMap<_, _> = rows.iter().filter_map(event).collect();
        for change in &mut unnamed {
            let key = change.work_id.map(|work_id| (change.resource_id, work_id));
            change.event = key.and_then(|key| events.get(&key).cloned());
        }
    }
    Ok(())
}
