//! How many events there were, by time, EMS and type: what a histogram is drawn from.

use crate::vmdb::resource::ResourceKind;
use crate::vmdb::{Connection, Fields, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};

/// What is counted.
#[derive(Clone, Debug)]
pub struct CountQuery {
    /// Of this resource alone.
    pub resource: Option<(ResourceKind, i64)>,
    /// Of this EMS alone.
    pub ems_id: Option<i64>,
    /// Of these types alone.
    pub event_types: Option<Vec<String>>,
    /// Not older than this.
    pub since: DateTime<Utc>,
    /// Older than this.
    pub until: DateTime<Utc>,
    /// In at most so many stretches of time.
    pub bars: usize,
}

/// Counts of equal stretches of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How long each is; they begin at multiples of it.
    pub width: TimeDelta,
    /// Those that are not 0, in no order.
    pub bars: Vec<BarCount>,
}

/// How many events of an EMS and a type there were in one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarCount {
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// `ext_management_systems.id`
    pub ems_id: i64,
    /// The type.
    pub event_type: String,
    /// How many.
    pub count: i64,
}

/// Counts what `query` asks for.
///
/// # Errors
/// See [`VmdbError`].
pub fn counts(connection: &mut Connection, query: &CountQuery) -> Result<Counts, VmdbError> {
    let sql = "SELECT substr(CAST(timestamp AS text), 1, 13), ems_id, event_type, count(*), min(timestamp) \
               FROM event_streams WHERE type = 'EmsEvent' AND timestamp >= ? AND timestamp < ? GROUP BY 1, 2, 3";
    let rows = connection.rows(sql, &[query.since.into(), query.until.into()])?;
    let width = TimeDelta::hours(1);
    let count = |row: &Fields| {
        Some(BarCount {
            starts: chrono::DurationRound::duration_trunc(row.time(4)?, width).ok()?,
            ems_id: row.integer(1)?,
            event_type: row.string(2)?,
            count: row.integer(3)?,
        })
    };
    let bars = rows.iter().filter_map(count).filter(|bar| query.ems_id.is_none_or(|id| id == bar.ems_id));
    Ok(Counts { width, bars: bars.collect() })
}
