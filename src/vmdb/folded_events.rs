//! `folded_events`: repeats that flood control folded into the row of another event. Each keeps its identity, time and native
//! text; the row in `event_streams` has their count, the first and the last time.
//!
//! One identity is a row of `event_streams` or of this table, never of both: each insert of the one passes over what the other
//! holds, and while an EMS's events are folded nobody else commits events of it. Whose row is not there is not folded: it
//! becomes a row of its own. When a flood is one is decided elsewhere, and may be decided differently when events are read again.

use super::bulk;
use super::dialect::Connection;
use super::event_commit::ReadyEvent;
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::provider::{EmsId, ParsedEvent};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Which events of a commit become rows of their own, and which are folded. Numbers are places among the events given.
pub(super) struct Plan {
    pub(super) own: Vec<usize>,
    pub(super) folds: Vec<Fold>,
}

/// The place of a repeat, and what takes it.
pub(super) type Fold = (usize, Taker);

/// The row that takes a repeat.
pub(super) enum Taker {
    /// There it is.
    Row(i64),
    /// It is among the events given, and will be.
    New(usize),
}

/// A repeat with all that its row holds.
pub(super) struct FoldedRow<'a> {
    pub(super) ems_id: EmsId,
    pub(super) event: &'a ParsedEvent,
    /// The row of `event_streams` that takes it.
    pub(super) event_id: i64,
    pub(super) work_id: Option<i64>,
    pub(super) created_on: DateTime<Utc>,
}

/// What was folded into a row of `event_streams`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folded {
    /// How many events, the row's own not among them.
    pub count: i64,
    /// The first of all, the row's own among them, by the events' own time.
    pub first_timestamp: Option<DateTime<Utc>>,
    /// The last one.
    pub last_timestamp: Option<DateTime<Utc>>,
    /// The latest of them, newest first.
    pub latest: Vec<FoldedEvent>,
}

/// A row of `folded_events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoldedEvent {
    /// The provider's identity of the event.
    pub event_uid: String,
    /// Its own time.
    pub timestamp: Option<DateTime<Utc>>,
    /// Joins it to its refresh.
    pub work_id: Option<i64>,
}

type Uid<'a> = (EmsId, &'a str);

/// Finds the rows that repeats are to be folded into. Without a repeat among `events` it asks nothing.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn plan(connection: &mut Connection, events: &[(EmsId, &ReadyEvent)]) -> Result<Plan, VmdbError> {
    let wanted = |(ems_id, ready): &(EmsId, &ReadyEvent)| Some((ems_id.0, ready.folded_into.clone()?));
    let mut wanted: Vec<(i64, String)> = events.iter().filter_map(wanted).collect();
    if wanted.is_empty() {
        return Ok(Plan { own: (0..events.len()).collect(), folds: Vec::new() });
    }
    wanted.sort_unstable();
    wanted.dedup();
    let rows = rows_of(connection, &wanted)?;
    let passing = events.iter().enumerate().filter(|(_, (_, ready))| ready.folded_into.is_none());
    let new: HashMap<Uid<'_>, usize> =
        passing.map(|(at, (ems_id, ready))| ((*ems_id, ready.event.event_uid.as_str()), at)).collect();
    let mut plan = Plan { own: Vec::new(), folds: Vec::new() };
    for (at, (ems_id, ready)) in events.iter().enumerate() {
        let place = ready.folded_into.as_deref().and_then(|into| {
            let row = rows.get(&(ems_id.0, into.to_owned())).copied().map(Taker::Row);
            row.or_else(|| new.get(&(*ems_id, into)).copied().map(Taker::New))
        });
        match place {
            Some(into) => plan.folds.push((at, into)),
            None => plan.own.push(at),
        }
    }
    Ok(plan)
}

/// The rows of these (EMS, `event_uid`), or those that they were folded into.
fn rows_of(
    connection: &mut Connection,
    wanted: &[(i64, String)],
) -> Result<HashMap<(i64, String), i64>, VmdbError> {
    let pairs = || {
        let (emss, uids) = wanted.iter().map(|(ems_id, uid)| (*ems_id, uid.as_str())).unzip();
        [Value::Pairs(emss, uids)]
    };
    // The update changes nothing, but nobody purges the row until the commit.
    let held = "UPDATE event_streams SET work_id = work_id WHERE id IN (SELECT e.id FROM ? AS wanted CROSS JOIN event_streams e \
                WHERE e.ems_id = wanted.number AND e.event_uid = wanted.text) RETURNING ems_id, event_uid, id";
    let folded = "SELECT f.ems_id, f.event_uid, f.event_id FROM ? AS wanted CROSS JOIN folded_events f \
                  WHERE f.ems_id = wanted.number AND f.event_uid = wanted.text";
    let mut rows = connection.rows(held, &pairs())?;
    if rows.len() < wanted.len() {
        rows.extend(connection.rows(folded, &pairs())?);
    }
    let row = |row: &Fields| Ok(((row.id(0)?, row.string(1).unwrap_or_default()), row.id(2)?));
    rows.iter().map(row).collect()
}

/// Inserts those of `rows` that are new, of which no two may have the same EMS and `event_uid`, and counts them in the rows
/// that take them. Returns the indexes of those that were new, in order.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn store(connection: &mut Connection, rows: &[FoldedRow<'_>]) -> Result<Vec<usize>, VmdbError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let columns = [
        ("ems_id", rows.iter().map(|row| row.ems_id.0.into()).collect()),
        ("event_uid", rows.iter().map(|row| (&row.event.event_uid).into()).collect()),
        ("event_id", rows.iter().map(|row| row.event_id.into()).collect()),
        ("timestamp", rows.iter().map(|row| row.event.event.timestamp.into()).collect()),
        ("created_on", rows.iter().map(|row| row.created_on.into()).collect()),
        ("work_id", rows.iter().map(|row| row.work_id.into()).collect()),
        ("full_data", rows.iter().map(|row| row.event.event.full_data.text().into()).collect()),
    ];
    let tail = "ON CONFLICT (ems_id, event_uid) DO NOTHING RETURNING ems_id, event_uid";
    let returned = bulk::insert_unknown(connection, "folded_events", "event_streams", &columns, tail)?;
    let places: HashMap<Uid<'_>, usize> =
        rows.iter().enumerate().map(|(at, row)| ((row.ems_id, row.event.event_uid.as_str()), at)).collect();
    let mut new = Vec::with_capacity(returned.len());
    for row in &returned {
        let place = places.get(&(EmsId(row.id(0)?), row.text(1).unwrap_or_default()));
        new.push(*place.ok_or_else(|| VmdbError::Bug("a folded event came back altered".to_owned()))?);
    }
    new.sort_unstable();
    count(connection, new.iter().map(|at| &rows[*at]))?;
    Ok(new)
}

/// Counts new repeats in the rows that took them.
fn count<'a>(
    connection: &mut Connection,
    new: impl Iterator<Item = &'a FoldedRow<'a>>,
) -> Result<(), VmdbError> {
    let mut counts: BTreeMap<i64, (i64, DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
    for row in new {
        let at = row.event.event.timestamp;
        let (count, first, last) = counts.entry(row.event_id).or_insert((0, at, at));
        (*count, *first, *last) = (*count + 1, (*first).min(at), (*last).max(at));
    }
    let columns = [
        ("id", counts.keys().map(|id| (*id).into()).collect()),
        ("folded_count", counts.values().map(|(count, ..)| (*count).into()).collect()),
        ("first_timestamp", counts.values().map(|(_, first, _)| (*first).into()).collect()),
        ("last_timestamp", counts.values().map(|(.., last)| (*last).into()).collect()),
    ];
    bulk::update(connection, "event_streams", &columns, COUNT)
}

const COUNT: &str = "folded_count = COALESCE(event_streams.folded_count, 0) + fresh.folded_count, \
    first_timestamp = CASE WHEN fresh.first_timestamp < COALESCE(event_streams.first_timestamp, event_streams.timestamp) \
    THEN fresh.first_timestamp ELSE COALESCE(event_streams.first_timestamp, event_streams.timestamp) END, \
    last_timestamp = CASE WHEN fresh.last_timestamp > COALESCE(event_streams.last_timestamp, event_streams.timestamp) \
    THEN fresh.last_timestamp ELSE COALESCE(event_streams.last_timestamp, event_streams.timestamp) END";

/// What was folded into this row of `event_streams`, at most `limit` of them one by one; `None` when nothing was.
///
/// # Errors
/// See [`VmdbError`].
pub fn of_event(connection: &mut Connection, id: i64, limit: i64) -> Result<Option<Folded>, VmdbError> {
    let sql = "SELECT folded_count, first_timestamp, last_timestamp FROM event_streams WHERE id = ? AND folded_count > 0";
    let rows = connection.rows(sql, &[id.into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let sql =
        "SELECT event_uid, timestamp, work_id FROM folded_events WHERE event_id = ? ORDER BY id DESC LIMIT ?";
    let latest = connection.rows(sql, &[id.into(), limit.into()])?;
    let event = |row: &Fields| FoldedEvent {
        event_uid: row.string(0).unwrap_or_default(),
        timestamp: row.time(1),
        work_id: row.integer(2),
    };
    Ok(Some(Folded {
        count: row.id(0)?,
        first_timestamp: row.time(1),
        last_timestamp: row.time(2),
        latest: latest.iter().map(event).collect(),
    }))
}

/// The rows of `event_streams` into which an event with this `event_uid` was folded, in any of these EMSs.
///
/// # Errors
/// See [`VmdbError`].
pub fn rows_with(
    connection: &mut Connection,
    emss: Vec<i64>,
    event_uid: &str,
) -> Result<Vec<i64>, VmdbError> {
    let sql = "SELECT event_id FROM folded_events WHERE ems_id ? AND event_uid = ? ORDER BY event_id";
    let rows = connection.rows(sql, &[Value::Integers(emss), event_uid.into()])?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The `event_uid` of every folded event of an EMS, in the order in which they were stored. They are no rows of
/// `event_streams`: all that is stored of an EMS are those rows and these.
///
/// # Errors
/// See [`VmdbError`].
pub fn uids(connection: &mut Connection, ems_id: EmsId) -> Result<Vec<String>, VmdbError> {
    let sql = "SELECT event_uid FROM folded_events WHERE ems_id = ? ORDER BY id";
    let rows = connection.rows(sql, &[ems_id.0.into()])?;
    Ok(rows.iter().filter_map(|row| row.string(0)).collect())
}

/// Deletes at most `limit` of those that were folded into these rows of `event_streams`; returns how many.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn purge(
    connection: &mut Connection,
    event_ids: &Value<'_>,
    limit: i64,
) -> Result<usize, VmdbError> {
    let sql = "DELETE FROM folded_events WHERE id IN (SELECT id FROM folded_events WHERE event_id ? LIMIT ?)";
    connection.execute(sql, &[event_ids.clone(), limit.into()])
}
