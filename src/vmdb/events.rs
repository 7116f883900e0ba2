//! Reading `event_streams`.

use super::VmdbError;
use super::dialect::Connection;
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What there is of one EMS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCount {
    /// Rows.
    pub events: i64,
    /// The newest event's own time.
    pub newest: Option<DateTime<Utc>>,
}

/// What there is of each EMS. Looks at every row.
///
/// # Errors
/// See [`VmdbError`].
pub fn counts(connection: &mut Connection) -> Result<BTreeMap<EmsId, EventCount>, VmdbError> {
    let sql =
        "SELECT ems_id, count(*), max(timestamp) FROM event_streams WHERE ems_id IS NOT NULL GROUP BY ems_id";
    let rows = connection.rows(sql, &[])?;
    let count =
        |row: &super::Fields| Ok((EmsId(row.id(0)?), EventCount { events: row.id(1)?, newest: row.time(2) }));
    rows.iter().map(count).collect()
}

/// The `event_uid`s that were committed last, newest first: what a re-read is most likely to bring again. Looks only at the
/// end of the table, so that it is quick however long the history; an EMS that was silent for long may get none.
///
/// # Errors
/// See [`VmdbError`].
pub fn recent_uids(connection: &mut Connection, ems_id: EmsId, limit: i64) -> Result<Vec<String>, VmdbError> {
    // The plus keeps both databases from reading all of the EMS's rows by their index.
    let sql = "SELECT event_uid FROM event_streams WHERE id > (SELECT COALESCE(max(id), 0) FROM event_streams) - ? \
               AND +ems_id = ? ORDER BY id DESC LIMIT ?";
    let rows = connection.rows(sql, &[(limit * 20).into(), ems_id.0.into(), limit.into()])?;
    Ok(rows.iter().filter_map(|row| row.string(0)).collect())
}
