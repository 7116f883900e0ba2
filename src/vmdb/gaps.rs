//! `event_gaps`: stretches of events that a provider no longer had. Each was answered by a full refresh.

use super::VmdbError;
use super::bulk;
use super::dialect::Connection;
use crate::clock;
use crate::provider::{EmsId, Gap};
use chrono::{DateTime, Utc};

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

/// The latest gaps, newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn list(connection: &mut Connection, limit: i64) -> Result<Vec<StoredGap>, VmdbError> {
    let rows = connection.rows(
        "SELECT id, ems_id, started_on, ended_on, reason, created_on FROM event_gaps ORDER BY id DESC LIMIT ?",
        &[limit.into()],
    )?;
    let gap = |row: &super::Fields| {
        let gap = Gap { from: row.time(2), to: row.time(3), reason: row.string(4).unwrap_or_default() };
        Ok(StoredGap {
            id: row.id(0)?,
            ems_id: EmsId(row.id(1)?),
            gap,
            created_on: row.time(5).unwrap_or_default(),
        })
    };
    rows.iter().map(gap).collect()
}

/// Keeps gaps.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn store(connection: &mut Connection, gaps: &[(EmsId, &Gap)]) -> Result<(), VmdbError> {
    if gaps.is_empty() {
        return Ok(());
    }
    let now = clock::now();
    let columns = [
        ("ems_id", gaps.iter().map(|(ems, _)| ems.0.into()).collect()),
        ("started_on", gaps.iter().map(|(_, gap)| gap.from.into()).collect()),
        ("ended_on", gaps.iter().map(|(_, gap)| gap.to.into()).collect()),
        ("reason", gaps.iter().map(|(_, gap)| (&gap.reason).into()).collect()),
        ("created_on", gaps.iter().map(|_| now.into()).collect()),
    ];
    bulk::insert(connection, "event_gaps", &columns, "").map(drop)
}
