//! Stretches of time in which events are missing or came late: lost at the provider, or nobody caught.

use crate::clock;
use crate::provider::EmsId;
use crate::vmdb::{Connection, Fields, Value, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};

/// No more bands than this are told, however many there are: the longest.
const MOST: usize = 500;
/// Of more rows than this, the shortest are passed over before neighbours are put together.
const MOST_ROWS: i64 = 5_000;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BandKind {
    /// A row of `event_gaps`: the provider no longer had them.
    Lost,
    /// The event catcher was not running; events that the provider kept came later.
    CatcherDown,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Whose.
    pub ems_id: EmsId,
    /// Why.
    pub kind: BandKind,
    /// `None`: from the beginning.
    pub from: Option<DateTime<Utc>>,
    /// `None`: until now.
    pub to: Option<DateTime<Utc>>,
    /// In words.
    pub reason: String,
}

/// Those that touch the time from `since` until before `until`, of all EMSs or of one, by their beginning; at most 500.
/// Bands of one EMS, kind and reason that overlap or meet are one.
///
/// # Errors
/// See [`VmdbError`].
pub fn bands(
    connection: &mut Connection,
    ems_id: Option<EmsId>,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Band>, VmdbError> {
    let mut all = lost(connection, ems_id, (since, until))?;
    all.append(&mut down(connection, ems_id, (since, until))?);
    Ok(longest(merged(all), clock::now()))
}

/// A gap of which nobody knows where it ends, ended when it was noticed.
fn lost(
    connection: &mut Connection,
    ems_id: Option<EmsId>,
    window: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Band>, VmdbError> {
    let ended = "COALESCE(ended_on, created_on)";
    let length = connection.length_of("started_on", ended);
    let sql = format!(
        "SELECT ems_id, started_on, {ended}, reason FROM event_gaps WHERE {ended} >= ? \
         AND (started_on IS NULL OR started_on < ?) {} ORDER BY CASE WHEN started_on IS NULL THEN 0 ELSE 1 END, \
         {length} DESC LIMIT ?",
        of_one(ems_id)
    );
    read(connection, &sql, (BandKind::Lost, ems_id), window)
}

fn down(
    connection: &mut Connection,
    ems_id: Option<EmsId>,
    window: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Band>, VmdbError> {
    let length = connection.length_of("started_on", "ended_on");
    let sql = format!(
        "SELECT ems_id, started_on, ended_on, reason FROM event_catcher_outages \
         WHERE (ended_on IS NULL OR ended_on >= ?) AND started_on < ? {} \
         ORDER BY CASE WHEN ended_on IS NULL THEN 0 ELSE 1 END, {length} DESC LIMIT ?",
        of_one(ems_id)
    );
    read(connection, &sql, (BandKind::CatcherDown, ems_id), window)
}

const fn of_one(ems_id: Option<EmsId>) -> &'static str {
    if ems_id.is_some() { "AND ems_id = ?" } else { "" }
}

fn read(
    connection: &mut Connection,
    sql: &str,
    (kind, ems_id): (BandKind, Option<EmsId>),
    (since, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Band>, VmdbError> {
    let mut values = vec![Value::from(since), until.into()];
    values.extend(ems_id.map(|ems_id| Value::from(ems_id.0)));
    values.push(MOST_ROWS.into());
    let band = |row: &Fields| {
        Ok(Band {
            ems_id: EmsId(row.id(0)?),
            kind,
            from: row.time(1),
            to: row.time(2),
            reason: row.string(3).unwrap_or_default(),
        })
    };
    connection.rows(sql, &values)?.iter().map(band).collect()
}

/// Puts neighbours together.
fn merged(mut bands: Vec<Band>) -> Vec<Band> {
    bands.sort_by(|a, b| (a.ems_id, a.kind, &a.reason, a.from).cmp(&(b.ems_id, b.kind, &b.reason, b.from)));
    let mut merged: Vec<Band> = Vec::with_capacity(bands.len());
    for band in bands {
        match merged.last_mut() {
            Some(last)
                if (last.ems_id, last.kind, &last.reason) == (band.ems_id, band.kind, &band.reason)
                    && last.to.is_none_or(|to| band.from.is_none_or(|from| from <= to)) =>
            {
                last.to = last.to.zip(band.to).map(|(one, other)| one.max(other));
            }
            _ => merged.push(band),
        }
    }
    merged
}

/// By their beginning.
fn longest(mut bands: Vec<Band>, now: DateTime<Utc>) -> Vec<Band> {
    if bands.len() > MOST {
        let length = |band: &Band| match band.from {
            Some(from) => band.to.unwrap_or(now) - from,
            None => TimeDelta::MAX,
        };
        bands.sort_by_key(|band| std::cmp::Reverse(length(band)));
        bands.truncate(MOST);
    }
    bands.sort_by_key(|band| band.from);
    bands
}
