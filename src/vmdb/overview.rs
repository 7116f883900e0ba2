//! Reads for each EMS what an operator asks first: does it catch, since when is it silent, what waits, what went wrong.

use super::ems::{self, EmsRow};
use super::gaps::{self, StoredGap};
use super::timeline::{self, HourCount};
use super::{Connection, Fields, VmdbError, dead_letters};
use crate::provider::EmsId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// One EMS at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmsOverview {
    /// Its row, with how its last refresh went.
    pub ems: EmsRow,
    /// When its cursor was last moved; brokers have none.
    pub cursor_moved_on: Option<DateTime<Utc>>,
    /// Events of the last 24 hours, by their own time.
    pub events_of_last_day: i64,
    /// The newest event's own time.
    pub last_event: Option<DateTime<Utc>>,
    /// Rows of `miq_queue` that wait for its refresh worker or are with it.
    pub waiting_work: i64,
    /// Rows of `dead_letters`.
    pub dead_letters: i64,
    /// Rows of `event_gaps`.
    pub gaps: i64,
    /// The latest of them.
    pub last_gap: Option<StoredGap>,
}

/// All EMSs by name, and the events of the last 24 hours by hour, which the counts are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// By name.
    pub all_ems: Vec<EmsOverview>,
    /// Of the last 24 hours.
    pub hours: Vec<HourCount>,
}

/// Reads the overview as of `now`.
///
/// # Errors
/// See [`VmdbError`].
pub fn read(connection: &mut Connection, now: DateTime<Utc>) -> Result<Overview, VmdbError> {
    let hours = timeline::per_hour(connection, now - TimeDelta::hours(24))?;
    let newest = timeline::newest_of_each(connection)?;
    let cursors = times(connection, "SELECT ems_id, updated_on FROM ems_cursors")?;
    let waiting = waiting_work(connection)?;
    let dead_letters = dead_letters::counts(connection)?;
    let (gaps, mut last_gaps) = (gap_counts(connection)?, gaps::latest(connection)?);
    let mut all_ems = Vec::new();
    for ems in ems::list(connection)? {
        let id = ems.id;
        let of_last_day = || hours.iter().filter(|hour| hour.ems_id == id.0);
        all_ems.push(EmsOverview {
            cursor_moved_on: cursors.get(&id).copied(),
            events_of_last_day: of_last_day().map(|hour| hour.count).sum(),
            last_event: newest.get(&id).copied(),
            waiting_work: waiting.get(&id).copied().unwrap_or_default(),
            dead_letters: dead_letters.get(&id).copied().unwrap_or_default(),
            gaps: gaps.get(&id).copied().unwrap_or_default(),
            last_gap: last_gaps.remove(&id),
            ems,
        });
    }
    Ok(Overview { all_ems, hours })
}

fn times(connection: &mut Connection, sql: &str) -> Result<BTreeMap<EmsId, DateTime<Utc>>, VmdbError> {
    let rows = connection.rows(sql, &[])?;
    Ok(rows.iter().filter_map(|row| Some((EmsId(row.integer(0)?), row.time(1)?))).collect())
}

pub(super) fn waiting_work(connection: &mut Connection) -> Result<BTreeMap<EmsId, i64>, VmdbError> {
    let sql =
        "SELECT queue_name, count(*) FROM miq_queue WHERE class_name = 'EmsRefresh' GROUP BY queue_name";
    let work = |row: &Fields| {
        let id = row.text(0)?.strip_prefix("ems_")?.parse().ok()?;
        Some((EmsId(id), row.integer(1)?))
    };
    Ok(connection.rows(sql, &[])?.iter().filter_map(work).collect())
}

pub(super) fn gap_counts(connection: &mut Connection) -> Result<BTreeMap<EmsId, i64>, VmdbError> {
    let rows = connection.rows("SELECT ems_id, count(*) FROM event_gaps GROUP BY ems_id", &[])?;
    Ok(rows.iter().filter_map(|row| Some((EmsId(row.integer(0)?), row.integer(1)?))).collect())
}
