//! How many events there were, by time, EMS and type: what a histogram is drawn from.
//!
//! Where few rows lie in the window they are counted one by one, in stretches as fine as asked for. Else the counts that the
//! database keeps by hour and by day are added up (`event_counts_by_hour`, `event_counts_by_day`), and an hour is the finest.

use super::conditions::{By, arms, ems_of};
use super::pieces::{DAY, HOUR, floor};
use super::tally::{Apart, Tally};
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::{Connection, Value, VmdbError};
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
    /// `ext_management_systems.id`; 0 where EMSs are counted together.
    pub ems_id: i64,
    /// The type.
    pub event_type: String,
    /// How many.
    pub count: i64,
}

/// So many entries of an index that holds all that is counted are looked at one by one.
const FEW: i64 = 100_000;
/// Of an index that leads to rows, an entry costs so many times as much.
const ROW: i64 = 4;
/// Hours of all EMSs are added up for so long; of longer windows, days are.
const LONGEST_OF_HOURS: TimeDelta = TimeDelta::days(8);

/// Widths of bars, in seconds; longer ones double the last.
const WIDTHS: [i64; 14] =
    [1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800, 2_419_200, 7_257_600, 31_449_600];

/// Counts what `query` asks for, each EMS on its own.
///
/// The first and the last bar may hold what lies in the same hour outside of the window, where that hour is too busy to
/// be looked at row by row.
///
/// # Errors
/// See [`VmdbError`].
pub fn counts(connection: &mut Connection, query: &CountQuery) -> Result<Counts, VmdbError> {
    count(connection, query, Apart::EmsAndTypes)
}

/// As [`counts`], but all EMSs together, which is much less to read.
///
/// # Errors
/// See [`VmdbError`].
pub fn by_type(connection: &mut Connection, query: &CountQuery) -> Result<Counts, VmdbError> {
    count(connection, query, Apart::Types)
}

/// Those of each hour from `since` on, without an end.
pub(super) fn hours_since(
    connection: &mut Connection,
    since: DateTime<Utc>,
) -> Result<Vec<BarCount>, VmdbError> {
    let until = floor(since, HOUR) + DAY * 36_500;
    let query = CountQuery { resource: None, ems_id: None, event_types: None, since, until, bars: 0 };
    let mut tally = Tally::new(&query, Apart::EmsAndTypes, HOUR);
    tally.add_up(connection)?;
    Ok(tally.finish().bars)
}

fn count(connection: &mut Connection, query: &CountQuery, apart: Apart) -> Result<Counts, VmdbError> {
    let fine = width(query, 1);
    if query.since >= query.until || query.event_types.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Counts { width: fine, bars: Vec::new() });
    }
    let by = match arms(query.resource) {
        Some(_) => Some(By::Resource),
        None if fine < HOUR => cheapest(connection, query)?,
        None => None,
    };
    let all_ems = ems_of(query.resource, query.ems_id).is_none();
    let is_long = all_ems && query.until - query.since > LONGEST_OF_HOURS;
    let coarse = width(query, if is_long { DAY } else { HOUR }.num_seconds());
    let mut tally = Tally::new(query, apart, if by.is_some() { fine } else { coarse });
    match by {
        Some(by) => tally.rows(connection, by, query.since, query.until)?,
        None => tally.add_up(connection)?,
    }
    Ok(tally.finish())
}

/// The least width, `least` seconds or more, with which there are not too many bars.
fn width(query: &CountQuery, least: i64) -> TimeDelta {
    let last = query.until - TimeDelta::microseconds(1);
    let (first, last) = (query.since.timestamp(), last.timestamp());
    let most = i64::try_from(query.bars).unwrap_or(i64::MAX).max(1);
    let fits = |width: &i64| last.div_euclid(*width) - first.div_euclid(*width) < most;
    let longer = (1..20).map(|times| WIDTHS[WIDTHS.len() - 1] << times);
    let mut all = WIDTHS.into_iter().chain(longer).filter(|width| *width >= least);
    TimeDelta::seconds(all.find(fits).unwrap_or(i64::from(i32::MAX)))
}

/// The index by which rows are counted one by one, when there are few enough.
fn cheapest(connection: &mut Connection, query: &CountQuery) -> Result<Option<By>, VmdbError> {
    let (unit, length) = if query.until - query.since > DAY * 2 { ("day", DAY) } else { ("hour", HOUR) };
    let sql = format!(
        "SELECT CAST(sum(count) AS bigint), CAST(sum(CASE WHEN ems_id = ? THEN count ELSE 0 END) AS bigint), \
         CAST(sum(CASE WHEN event_type ? THEN count ELSE 0 END) AS bigint) \
         FROM event_counts_by_{unit} WHERE {unit} >= ? AND {unit} < ?"
    );
    let ems_id = ems_of(query.resource, query.ems_id);
    let types = query.event_types.iter().flatten().map(String::as_str).collect();
    let since = floor(query.since, length);
    let rows =
        connection.rows(&sql, &[ems_id.into(), Value::Texts(types), since.into(), query.until.into()])?;
    let sum = |index| rows.first().and_then(|row| row.integer(index)).unwrap_or_default();
    let ways = [
        Some((sum(0), By::Time)),
        ems_id.map(|_| (sum(1).saturating_mul(ROW), By::Ems)),
        query.event_types.as_ref().map(|_| (sum(2).saturating_mul(ROW), By::Types)),
    ];
    let cheapest = ways.into_iter().flatten().min_by_key(|(cost, _)| *cost);
    Ok(cheapest.filter(|(cost, _)| *cost <= FEW).map(|(_, by)| by))
}
