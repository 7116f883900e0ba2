//! `ems_cursors`: where each event stream goes on. Written only in the commit of the events that a cursor covers.

use super::VmdbError;
use super::bulk;
use super::dialect::Connection;
use crate::clock;
use crate::provider::{Cursor, EmsId};
use std::collections::BTreeMap;

/// The cursor of the last commit; `None` for a new EMS. A text that is none of ours is a cursor of no source, which every
/// stream refuses: a gap, and it goes on.
///
/// # Errors
/// See [`VmdbError`].
pub fn load(connection: &mut Connection, ems_id: EmsId) -> Result<Option<Cursor>, VmdbError> {
    let rows = connection.rows("SELECT cursor FROM ems_cursors WHERE ems_id = ?", &[ems_id.0.into()])?;
    let Some(text) = rows.first().and_then(|row| row.text(0)) else { return Ok(None) };
    Ok(Some(serde_json::from_str(text).unwrap_or_else(|error| {
        log::warn!("the cursor of EMS {ems_id} in ems_cursors is none of ours: {error}");
        Cursor { source: String::new(), position: text.into() }
    })))
}

/// Stores the cursors, in order of their EMSs, so that two transactions never wait for each other.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn store(
    connection: &mut Connection,
    cursors: &BTreeMap<EmsId, &Cursor>,
) -> Result<(), VmdbError> {
    if cursors.is_empty() {
        return Ok(());
    }
    let texts: Vec<_> = cursors.values().map(|cursor| text(cursor)).collect::<Result<_, _>>()?;
    let now = clock::now();
    let columns = [
        ("ems_id", cursors.keys().map(|ems| ems.0.into()).collect()),
        ("cursor", texts.iter().map(Into::into).collect()),
        ("updated_on", cursors.keys().map(|_| now.into()).collect()),
    ];
    let tail =
        "ON CONFLICT (ems_id) DO UPDATE SET cursor = excluded.cursor, updated_on = excluded.updated_on";
    bulk::insert(connection, "ems_cursors", &columns, tail).map(drop)
}

/// As `ems_cursors` holds it.
pub(super) fn text(cursor: &Cursor) -> Result<String, VmdbError> {
    serde_json::to_string(cursor).map_err(|error| VmdbError::Bug(error.to_string()))
}
