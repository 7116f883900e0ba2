//! Reads `event_streams` for people: the latest events of everything or of one resource, a page at a time, each with the
//! resources it names and the refresh it caused; and how many there were in each hour.
//!
//! What an event type means (group, level) is not known here: callers choose types.

pub mod bands;
mod conditions;
pub mod counts;
mod pieces;
pub mod refresh;
mod rows;
mod slices;
pub mod tail;
mod tally;
mod walk;

use super::resource::ResourceKind;
use super::{Connection, VmdbError};
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use refresh::CausedRefresh;
use std::collections::BTreeMap;
use std::time::Duration;

/// A page holds no more than this, whatever is asked for.
const MAX_LIMIT: usize = 1000;
/// After so long a page is broken off.
const BUDGET: Duration = Duration::from_millis(120);
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Joins it to the events of the same task, within its EMS.
    pub chain_id: Option<i64>,
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
}

/// A page of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelinePage {
    /// Newest first.
    pub events: Vec<TimelineEvent>,
    /// Where the next page begins; `None` when there is nothing older.
    pub next: Option<Position>,
    /// Looking took its time: the page may hold less than was asked for, and `next` goes on from there.
    pub broken_off: bool,
}

/// The page of events that `query` asks for. A walk through events of which few are asked for is broken off in time.
///
/// # Errors
/// See [`VmdbError`].
pub fn page(connection: &mut Connection, query: &TimelineQuery) -> Result<TimelinePage, VmdbError> {
    page_within(connection, query, BUDGET)
}

/// As [`page`], but broken off after `budget`, though not before some thousand rows were looked at.
///
/// # Errors
/// See [`VmdbError`].
pub fn page_within(
    connection: &mut Connection,
    query: &TimelineQuery,
    budget: Duration,
) -> Result<TimelinePage, VmdbError> {
    let limit = query.limit.min(MAX_LIMIT);
    let mut found = walk::find(connection, query, limit + 1, Some(budget))?;
    let more = found.positions.len() > limit;
    found.positions.truncate(limit);
    let next = if more { found.positions.last().copied() } else { found.broken_off };
    let events = rows::read(connection, found.positions.iter().map(|position| position.id).collect())?;
    Ok(TimelinePage { events, next, broken_off: !more && found.broken_off.is_some() })
}

/// The events that `query` asks for, newest first, however long that takes.
///
/// # Errors
/// See [`VmdbError`].
pub fn events(connection: &mut Connection, query: &TimelineQuery) -> Result<Vec<TimelineEvent>, VmdbError> {
    let found = walk::find(connection, query, query.limit.min(MAX_LIMIT + 1), None)?;
    rows::read(connection, found.positions.iter().map(|position| position.id).collect())
}

/// The newest event's own time; quick, whatever there is.
///
/// # Errors
/// See [`VmdbError`].
pub fn newest(connection: &mut Connection, ems_id: EmsId) -> Result<Option<DateTime<Utc>>, VmdbError> {
    let sql = "SELECT timestamp FROM event_streams WHERE ems_id = ? AND timestamp IS NOT NULL ORDER BY timestamp DESC LIMIT 1";
    Ok(connection.rows(sql, &[ems_id.0.into()])?.first().and_then(|row| row.time(0)))
}

/// The same of each EMS that has any.
///
/// # Errors
/// See [`VmdbError`].
pub fn newest_of_each(connection: &mut Connection) -> Result<BTreeMap<EmsId, DateTime<Utc>>, VmdbError> {
    let sql = "SELECT m.id, (SELECT e.timestamp FROM event_streams e WHERE e.ems_id = m.id AND e.timestamp IS NOT NULL \
               ORDER BY e.timestamp DESC LIMIT 1) FROM ext_management_systems m";
    let rows = connection.rows(sql, &[])?;
    Ok(rows.iter().filter_map(|row| Some((EmsId(row.integer(0)?), row.time(1)?))).collect())
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
    let hours = counts::hours_since(connection, since)?;
    let hour = |bar: counts::BarCount| HourCount {
        hour: bar.starts.format("%F %H").to_string(),
        ems_id: bar.ems_id,
        event_type: bar.event_type,
        count: bar.count,
    };
    Ok(hours.into_iter().map(hour).collect())
}
