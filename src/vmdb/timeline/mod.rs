//! Reads `event_streams` for people: the latest events of everything or of one resource, a page at a time, each with the
//! resources it names and the refresh it caused; and how many there were in each hour.
//!
//! What an event type means (group, level) is not known here: callers choose types.

pub mod bands;
pub mod counts;
pub mod refresh;
pub mod tail;

use super::resource::ResourceKind;
use super::{Connection, Fields, Value, VmdbError};
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use refresh::CausedRefresh;
use std::collections::BTreeMap;

/// A page holds no more than this, whatever is asked for.
const MAX_LIMIT: usize = 1000;
/// More event types than this are not told apart.
const MAX_EVENT_TYPES: i64 = 2000;

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub struct TimelineQuery {
    /// Of this resource alone.
    pub resource: Option<(ResourceKind, i64)>,
    /// Of this EMS alone.
    pub ems_id: Option<i64>,
    /// Of these types alone.
    pub event_types: Option<Vec<String>>,
    /// Only those that hold this text: in their type, message, or the names and keys of what they are about; upper and
    /// lower case are the same.
    pub text: Option<String>,
    /// Not older than this.
    pub since: Option<DateTime<Utc>>,
    /// Older than this.
    pub until: Option<DateTime<Utc>>,
    /// Older than what the last page ended with.
    pub before: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// Where a page ends: events are ordered by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// `event_streams.timestamp`
    pub timestamp: DateTime<Utc>,
    /// `event_streams.id`
    pub id: i64,
}

/// An event as a row of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEvent {
    /// Where it stands.
    pub position: Position,
    /// When it was stored.
    pub created_on: Option<DateTime<Utc>>,
    /// `ext_management_systems.id`
    pub ems_id: Option<i64>,
    /// Its type.
    pub event_type: String,
    /// What it says.
    pub message: Option<String>,
    /// What it names.
    pub resources: Vec<EventResource>,
    /// What followed from it; `None` when nothing had to.
    pub refresh: Option<CausedRefresh>,
    /// How many repeats flood control folded into it.
    pub folded: i64,
    /// Joins `miq_queue` and `ems_refreshes`: the work that it asked for.
    pub work_id: Option<i64>,
}

/// A resource that an event names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its row, when it is known.
    pub id: Option<i64>,
    /// Its name, by the event, else by its row.
    pub name: Option<String>,
    /// Where something moves or is copied to.
    pub destination: bool,
}

/// How many events of an EMS and a type there were in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourCount {
    /// `2026-11-24 15`, in UTC.
    pub hour: String,
    /// `ext_management_systems.id`
    pub ems_id: i64,
    /// The type.
    pub event_type: String,
    /// How many.
    pub count: i64,
    /// The newest one's time.
    pub newest: DateTime<Utc>,
}

/// A page of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelinePage {
    /// Newest first.
    pub events: Vec<TimelineEvent>,
    /// Where the next page begins; `None` when there is nothing older.
    pub next: Option<Position>,
    /// Looking for a text took its time: the page may hold less than was asked for, and `next` goes on from there.
    pub broken_off: bool,
}

/// The page of events that `query` asks for.
///
/// # Errors
/// See [`VmdbError`].
pub fn page(connection: &mut Connection, query: &TimelineQuery) -> Result<TimelinePage, VmdbError> {
    let limit = query.limit.min(MAX_LIMIT);
    let mut events = events(connection, &TimelineQuery { limit: limit + 1, ..query.clone() })?;
    let more = events.len() > limit;
    events.truncate(limit);
    let next = events.last().filter(|_| more).map(|event| event.position);
    Ok(TimelinePage { events, next, broken_off: false })
}

/// The events that `query` asks for, newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn events(connection: &mut Connection, query: &TimelineQuery) -> Result<Vec<TimelineEvent>, VmdbError> {
    let mut values = Vec::new();
    let sql = statement(query, &mut values);
    let rows = connection.rows(&sql, &values)?;
    let mut events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
    name_resources(connection, &mut events)?;
    refresh::relate(connection, &mut events)?;
    Ok(events)
}

const COLUMNS: &str = "e.id, e.timestamp, e.created_on, e.ems_id, e.event_type, e.message, e.work_id, \
                       e.vm_or_template_id, e.vm_name, e.dest_vm_or_template_id, e.dest_vm_name, \
                       e.host_id, e.host_name, e.dest_host_id, e.dest_host_name, \
                       e.ems_cluster_id, e.ems_cluster_name, e.dest_ems_cluster_id, e.dest_ems_cluster_name, e.folded_count";

fn statement<'q>(query: &'q TimelineQuery, values: &mut Vec<Value<'q>>) -> String {
    let mut sql = String::new();
    let mut source = "event_streams e";
    // A resource's rows are found by its own index first: ordering by time at once would tempt a planner to walk through
    // everybody's events.
    match query.resource {
        Some((ResourceKind::Vm, id)) => {
            sql.push_str(&both_ends("vm_or_template_id", "dest_vm_or_template_id"));
            values.extend([Value::from(id), Value::from(id)]);
            source = "mine JOIN event_streams e ON e.id = mine.id";
        }
        Some((ResourceKind::Host, id)) => {
            sql.push_str(&both_ends("host_id", "dest_host_id"));
            values.extend([Value::from(id), Value::from(id)]);
            source = "mine JOIN event_streams e ON e.id = mine.id";
        }
        Some((ResourceKind::Cluster, id)) => {
            sql.push_str(&both_ends("ems_cluster_id", "dest_ems_cluster_id"));
            values.extend([Value::from(id), Value::from(id)]);
            source = "mine JOIN event_streams e ON e.id = mine.id";
        }
        Some((ResourceKind::Ems, _)) | None => {}
    }
    sql.push_str(&format!("SELECT {COLUMNS} FROM {source} WHERE e.type = 'EmsEvent'"));
    let of_ems = match query.resource {
        Some((ResourceKind::Ems, id)) => Some(id),
        _ => query.ems_id,
    };
    if let Some(ems_id) = of_ems {
        sql.push_str(" AND e.ems_id = ?");
        values.push(ems_id.into());
    }
    if let Some(since) = query.since {
        sql.push_str(" AND e.timestamp >= ?");
        values.push(since.into());
    }
    if let Some(until) = query.until {
        sql.push_str(" AND e.timestamp < ?");
        values.push(until.into());
    }
    if let Some(Position { timestamp, id }) = query.before {
        sql.push_str(" AND e.timestamp <= ? AND (e.timestamp < ? OR e.id < ?)");
        values.extend([timestamp.into(), timestamp.into(), id.into()]);
    }
    if let Some(event_types) = &query.event_types {
        sql.push_str(" AND e.event_type ?");
        values.push(Value::Texts(event_types.iter().map(String::as_str).collect()));
    }
    sql.push_str(" ORDER BY e.timestamp DESC, e.id DESC LIMIT ?");
    values.push((query.limit.min(MAX_LIMIT + 1) as i64).into());
    sql
}

fn both_ends(column: &str, dest_column: &str) -> String {
    format!(
        "WITH mine AS MATERIALIZED (SELECT id FROM event_streams WHERE {column} = ? \
         UNION SELECT id FROM event_streams WHERE {dest_column} = ?) "
    )
}

fn event(row: &Fields) -> Result<TimelineEvent, VmdbError> {
    let timestamp = row.time(1).ok_or_else(|| VmdbError::Bug("an event without a timestamp".to_owned()))?;
    let resource = |kind, at: usize, destination| {
        let (id, name) = (row.integer(at), row.string(at + 1));
        (id.is_some() || name.is_some()).then_some(EventResource { kind, id, name, destination })
    };
    let resources = [
        resource(ResourceKind::Vm, 7, false),
        resource(ResourceKind::Vm, 9, true),
        resource(ResourceKind::Host, 11, false),
        resource(ResourceKind::Host, 13, true),
        resource(ResourceKind::Cluster, 15, false),
        resource(ResourceKind::Cluster, 17, true),
    ];
    Ok(TimelineEvent {
        position: Position { timestamp, id: row.id(0)? },
        created_on: row.time(2),
        ems_id: row.integer(3),
        event_type: row.string(4).unwrap_or_default(),
        message: row.string(5),
        work_id: row.integer(6),
        resources: resources.into_iter().flatten().collect(),
        refresh: None,
        folded: row.integer(19).unwrap_or_default(),
    })
}

/// An event often knows only the key of what it names: the row tells the name.
fn name_resources(connection: &mut Connection, events: &mut [TimelineEvent]) -> Result<(), VmdbError> {
    for (kind, sql) in [
        (ResourceKind::Vm, "SELECT id, name FROM vms WHERE id ?"),
        (ResourceKind::Host, "SELECT id, name FROM hosts WHERE id ?"),
        (ResourceKind::Cluster, "SELECT id, name FROM ems_clusters WHERE id ?"),
    ] {
        let unnamed = |resource: &&mut EventResource| resource.kind == kind && resource.name.is_none();
        let all = events.iter_mut().flat_map(|event| &mut event.resources);
        let mut resources: Vec<_> = all.filter(unnamed).collect();
        let ids: Vec<i64> = resources.iter().filter_map(|resource| resource.id).collect();
        if ids.is_empty() {
            continue;
        }
        let rows = connection.rows(sql, &[Value::Integers(ids)])?;
        let names: BTreeMap<i64, String> =
            rows.iter().filter_map(|row| Some((row.integer(0)?, row.string(1)?))).collect();
        for resource in &mut resources {
            resource.name = resource.id.and_then(|id| names.get(&id).cloned());
        }
    }
    Ok(())
}

/// The newest event's own time; quick, whatever there is.
///
/// # Errors
/// See [`VmdbError`].
pub fn newest(connection: &mut Connection, ems_id: EmsId) -> Result<Option<DateTime<Utc>>, VmdbError> {
    let sql = "SELECT timestamp FROM event_streams WHERE ems_id = ? ORDER BY timestamp DESC LIMIT 1";
    Ok(connection.rows(sql, &[ems_id.0.into()])?.first().and_then(|row| row.time(0)))
}

/// Every event type that occurs. Hops through the index from one type to the next, so that it costs as much as there are
/// types, not as there are events.
///
/// # Errors
/// See [`VmdbError`].
pub fn event_types(connection: &mut Connection) -> Result<Vec<String>, VmdbError> {
    let sql = "WITH RECURSIVE types(event_type) AS (SELECT min(event_type) FROM event_streams UNION ALL \
               SELECT (SELECT min(e.event_type) FROM event_streams e WHERE e.event_type > types.event_type) \
               FROM types WHERE types.event_type IS NOT NULL) \
               SELECT event_type FROM types WHERE event_type IS NOT NULL LIMIT ?";
    let rows = connection.rows(sql, &[MAX_EVENT_TYPES.into()])?;
    Ok(rows.iter().filter_map(|row| row.string(0)).collect())
}

/// How many events of each EMS and type there were in each hour since `since`.
///
/// # Errors
/// See [`VmdbError`].
pub fn per_hour(connection: &mut Connection, since: DateTime<Utc>) -> Result<Vec<HourCount>, VmdbError> {
    // Both databases write a timestamp as `2026-11-24 15:04:05.123456`.
    let sql = "SELECT substr(CAST(timestamp AS text), 1, 13), ems_id, event_type, count(*), max(timestamp) \
               FROM event_streams WHERE type = 'EmsEvent' AND timestamp >= ? GROUP BY 1, 2, 3";
    let rows = connection.rows(sql, &[since.into()])?;
    let count = |row: &Fields| {
        Some(HourCount {
            hour: row.string(0)?,
            ems_id: row.integer(1)?,
            event_type: row.string(2)?,
            count: row.integer(3)?,
            newest: row.time(4)?,
        })
    };
    Ok(rows.iter().filter_map(count).collect())
}
