//! `process_heartbeats`: which processes catch, for which EMSs, and when each last said that it lives. A row is written once
//! a minute and deleted at an orderly stop, so that a row that has become old tells of a process that was killed.

use super::dialect::Connection;
use super::outages::Outage;
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::provider::EmsId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Whoever has not said for so long that it lives, does not.
pub const DEAD_AFTER: TimeDelta = TimeDelta::seconds(90);

/// A row of `process_heartbeats`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// A name that no other process has.
    pub process: String,
    /// For whom it catches.
    pub ems_ids: Vec<EmsId>,
    /// Since when it lives.
    pub started_on: DateTime<Utc>,
    /// When it said so last.
    pub beat_on: DateTime<Utc>,
}

/// The process lives.
///
/// # Errors
/// See [`VmdbError`].
pub fn beat(connection: &mut Connection, heartbeat: &Heartbeat) -> Result<(), VmdbError> {
    let ems_ids: Vec<i64> = heartbeat.ems_ids.iter().map(|ems_id| ems_id.0).collect();
    let ems_ids = serde_json::to_string(&ems_ids).map_err(|error| VmdbError::Bug(error.to_string()))?;
    let sql = "INSERT INTO process_heartbeats (process, ems_ids, started_on, beat_on) VALUES (?, ?, ?, ?) \
               ON CONFLICT (process) DO UPDATE SET ems_ids = excluded.ems_ids, beat_on = excluded.beat_on";
    let values = [
        (&heartbeat.process).into(),
        (&ems_ids).into(),
        heartbeat.started_on.into(),
        heartbeat.beat_on.into(),
    ];
    connection.execute(sql, &values).map(drop)
}

/// The process ends in order.
///
/// # Errors
/// See [`VmdbError`].
pub fn end(connection: &mut Connection, process: &str) -> Result<(), VmdbError> {
    connection.execute("DELETE FROM process_heartbeats WHERE process = ?", &[process.into()]).map(drop)
}

/// For which EMSs other processes catch at `now`.
///
/// # Errors
/// See [`VmdbError`].
pub fn caught_by_others(
    connection: &mut Connection,
    process: &str,
    now: DateTime<Utc>,
) -> Result<Vec<EmsId>, VmdbError> {
    let others = all(connection)?.into_iter();
    let alive = others.filter(|other| other.process != process && now - other.beat_on < DEAD_AFTER);
    Ok(alive.flat_map(|other| other.ems_ids).collect())
}

/// What processes that were killed leave to this one, which catches for its EMSs from now on: an outage of each EMS that
/// nobody alive catches for, since it was last known to be caught. Their rows go where this process has all of their EMSs.
///
/// # Errors
/// See [`VmdbError`].
pub fn take_over(connection: &mut Connection, mine: &Heartbeat) -> Result<Vec<Outage>, VmdbError> {
    let is_mine = |ems_id: &EmsId| mine.ems_ids.contains(ems_id);
    let mut last: BTreeMap<EmsId, DateTime<Utc>> = BTreeMap::new();
    for other in all(connection)?.into_iter().filter(|other| other.process != mine.process) {
        for ems_id in other.ems_ids.iter().copied().filter(is_mine) {
            let known = last.entry(ems_id).or_insert(other.beat_on);
            *known = other.beat_on.max(*known);
        }
        if mine.beat_on - other.beat_on >= DEAD_AFTER && other.ems_ids.iter().all(is_mine) {
            end(connection, &other.process)?;
        }
    }
    last.retain(|_, beat_on| mine.beat_on - *beat_on >= DEAD_AFTER);
    // A cursor moves with its events: where it moved after the last heartbeat, somebody still caught then.
    let sql = "SELECT ems_id, updated_on FROM ems_cursors WHERE ems_id ?";
    let ems_ids = Value::Integers(last.keys().map(|ems_id| ems_id.0).collect());
    for row in connection.rows(sql, &[ems_ids])? {
        if let (Some(known), Some(moved)) = (last.get_mut(&EmsId(row.id(0)?)), row.time(1)) {
            *known = moved.max(*known);
        }
    }
    let outage = |(ems_id, started_on)| Outage {
        ems_id,
        started_on,
        ended_on: None,
        reason: "process down".to_owned(),
    };
    Ok(last.into_iter().map(outage).collect())
}

fn all(connection: &mut Connection) -> Result<Vec<Heartbeat>, VmdbError> {
    let sql = "SELECT process, ems_ids, started_on, beat_on FROM process_heartbeats ORDER BY id";
    let heartbeat = |row: &Fields| {
        let ems_ids: Vec<i64> =
            row.text(1).and_then(|ids| serde_json::from_str(ids).ok()).unwrap_or_default();
        Heartbeat {
            process: row.string(0).unwrap_or_default(),
            ems_ids: ems_ids.into_iter().map(EmsId).collect(),
            started_on: row.time(2).unwrap_or_default(),
            beat_on: row.time(3).unwrap_or_default(),
        }
    };
    Ok(connection.rows(sql, &[])?.iter().map(heartbeat).collect())
}
