//! `event_catcher_outages`: when nobody caught from an EMS, and why. One row for each stretch of time; at most one of an EMS is
//! open (`ended_on` NULL).

use super::dialect::Connection;
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::provider::EmsId;
use chrono::{DateTime, TimeDelta, Utc};

/// What is over sooner is none.
pub const SHORTEST: TimeDelta = TimeDelta::seconds(10);
/// What begins sooner after the last one is that one, going on.
const NEIGHBOUR: TimeDelta = TimeDelta::seconds(30);

/// A row of `event_catcher_outages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Whose.
    pub ems_id: EmsId,
    /// Since when, by our clock.
    pub started_on: DateTime<Utc>,
    /// Until when; `None` while it lasts.
    pub ended_on: Option<DateTime<Utc>>,
    /// In words: `backing_off: connection refused`, `paused`, `stopped`, `process down`.
    pub reason: String,
}

/// Those that last.
///
/// # Errors
/// See [`VmdbError`].
pub fn open(connection: &mut Connection) -> Result<Vec<Outage>, VmdbError> {
    let sql =
        "SELECT ems_id, started_on, reason FROM event_catcher_outages WHERE ended_on IS NULL ORDER BY ems_id";
    let outage = |row: &Fields| {
        Ok(Outage {
            ems_id: EmsId(row.id(0)?),
            started_on: row.time(1).unwrap_or_default(),
            ended_on: None,
            reason: row.string(2).unwrap_or_default(),
        })
    };
    connection.rows(sql, &[])?.iter().map(outage).collect()
}

/// Keeps that an outage began or ended. To say the same again changes nothing: of an EMS whose outage is open, the row is only
/// ended; what begins shortly after the last one is the last one, going on. What was over in less than [`SHORTEST`] leaves no row.
///
/// # Errors
/// See [`VmdbError`].
pub fn keep(connection: &mut Connection, outage: &Outage) -> Result<(), VmdbError> {
    connection.transaction(|connection| match going_on(connection, outage)? {
        Some((id, started_on)) => {
            if outage.ended_on.is_some_and(|ended_on| ended_on - started_on < SHORTEST) {
                let sql = "DELETE FROM event_catcher_outages WHERE id = ?";
                return connection.execute(sql, &[id.into()]).map(drop);
            }
            let sql = "UPDATE event_catcher_outages SET ended_on = ? WHERE id = ?";
            connection.execute(sql, &[outage.ended_on.into(), id.into()]).map(drop)
        }
        None if outage.ended_on.is_some_and(|ended_on| ended_on - outage.started_on < SHORTEST) => Ok(()),
        None => {
            let sql = "INSERT INTO event_catcher_outages (ems_id, started_on, ended_on, reason) VALUES (?, ?, ?, ?) \
                       ON CONFLICT DO NOTHING";
            let values: [Value<'_>; 4] = [
                outage.ems_id.0.into(),
                outage.started_on.into(),
                outage.ended_on.into(),
                (&outage.reason).into(),
            ];
            connection.execute(sql, &values).map(drop)
        }
    })
}

/// The row that this outage is a part of, and when that began: the open one, else the last one if it ended shortly before.
fn going_on(connection: &mut Connection, outage: &Outage) -> Result<Option<(i64, DateTime<Utc>)>, VmdbError> {
    let ems_id = || Value::from(outage.ems_id.0);
    let open = "SELECT id, started_on FROM event_catcher_outages WHERE ems_id = ? AND ended_on IS NULL";
    let mut rows = connection.rows(open, &[ems_id()])?;
    if rows.is_empty() {
        let last = "SELECT id, started_on FROM event_catcher_outages WHERE ems_id = ? AND ended_on >= ? \
                    ORDER BY ended_on DESC LIMIT 1";
        rows = connection.rows(last, &[ems_id(), (outage.started_on - NEIGHBOUR).into()])?;
    }
    let row = |row: &Fields| Some((row.integer(0)?, row.time(1)?));
    Ok(rows.first().and_then(row))
}
