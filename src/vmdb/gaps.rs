//! `event_gaps`: stretches of events that a provider no longer had. Each was answered by a full refresh.

use super::bulk;
use super::dialect::Connection;
use super::{Fields, VmdbError, cursors};
use crate::clock;
use crate::provider::{Cursor, EmsId, Gap};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A row of `event_gaps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGap {
    /// Its row.
    pub id: i64,
    /// Whose.
    pub ems_id: EmsId,
    /// What is missing, and why.
    pub gap: Gap,
    /// When it was noticed.
    pub created_on: DateTime<Utc>,
}

const SELECT: &str = "SELECT id, ems_id, started_on, ended_on, reason, created_on FROM event_gaps";

/// The latest gaps, newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn list(connection: &mut Connection, limit: i64) -> Result<Vec<StoredGap>, VmdbError> {
    let rows = connection.rows(&format!("{SELECT} ORDER BY id DESC LIMIT ?"), &[limit.into()])?;
    rows.iter().map(stored).collect()
}

/// The latest gap of each EMS.
///
/// # Errors
/// See [`VmdbError`].
pub fn latest(connection: &mut Connection) -> Result<BTreeMap<EmsId, StoredGap>, VmdbError> {
    let sql = format!("{SELECT} WHERE id IN (SELECT max(id) FROM event_gaps GROUP BY ems_id)");
    connection.rows(&sql, &[])?.iter().map(|row| stored(row).map(|gap| (gap.ems_id, gap))).collect()
}

/// A gap to keep, with the cursor that is committed with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewGap<'a> {
    pub(super) ems_id: EmsId,
    pub(super) gap: &'a Gap,
    pub(super) cursor: Option<&'a Cursor>,
}

/// Keeps gaps that are not kept yet, and returns the EMSs whose gap is new. To be called before the cursors are stored.
///
/// A commit whose answer was lost is repeated, and a stream that was replaced while its batch waited finds the same gap
/// again. So a gap that begins where another of that reason began is the same: the cursor moved on with that one. Where
/// nobody knows where it began, it is the same if the cursor that comes with it is stored already.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn store(connection: &mut Connection, gaps: &[NewGap<'_>]) -> Result<BTreeSet<EmsId>, VmdbError> {
    let mut new = Vec::new();
    for gap in gaps {
        if !is_kept(connection, gap)? {
            new.push(gap);
        }
    }
    if new.is_empty() {
        return Ok(BTreeSet::new());
    }
    let now = clock::now();
    let columns = [
        ("ems_id", new.iter().map(|new| new.ems_id.0.into()).collect()),
        ("started_on", new.iter().map(|new| new.gap.from.into()).collect()),
        ("ended_on", new.iter().map(|new| new.gap.to.into()).collect()),
        ("reason", new.iter().map(|new| (&new.gap.reason).into()).collect()),
        ("created_on", new.iter().map(|_| now.into()).collect()),
    ];
    bulk::insert(connection, "event_gaps", &columns, "")?;
    Ok(new.iter().map(|new| new.ems_id).collect())
}

fn is_kept(connection: &mut Connection, new: &NewGap<'_>) -> Result<bool, VmdbError> {
    let NewGap { ems_id, gap, cursor } = *new;
    let (ems_id, reason) = (ems_id.0.into(), (&gap.reason).into());
    let rows = match (gap.from, cursor) {
        (Some(from), _) => connection.rows(
            "SELECT id FROM event_gaps WHERE ems_id = ? AND reason = ? AND started_on = ? LIMIT 1",
            &[ems_id, reason, from.into()],
        )?,
        (None, Some(cursor)) => connection.rows(
            "SELECT g.id FROM event_gaps g JOIN ems_cursors c ON c.ems_id = g.ems_id \
             WHERE g.ems_id = ? AND g.reason = ? AND g.started_on IS NULL AND c.cursor = ? LIMIT 1",
            &[ems_id, reason, (&cursors::text(cursor)?).into()],
        )?,
        (None, None) => return Ok(false),
    };
    Ok(!rows.is_empty())
}

fn stored(row: &Fields) -> Result<StoredGap, VmdbError> {
    let gap = Gap { from: row.time(2), to: row.time(3), reason: row.string(4).unwrap_or_default() };
    Ok(StoredGap {
        id: row.id(0)?,
        ems_id: EmsId(row.id(1)?),
        gap,
        created_on: row.time(5).unwrap_or_default(),
    })
}
