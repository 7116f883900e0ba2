//! Asking for a fresh event catcher: a row of `miq_queue`, as ManageIQ asks its own (`stop_event_monitor`, priority 20).

use super::dialect::Connection;
use super::statement::Value;
use super::{VmdbError, bulk};
use crate::clock;
use crate::provider::EmsId;

const QUEUE: &str = "event_catcher";

/// Asks for it.
///
/// # Errors
/// See [`VmdbError`].
pub fn ask(connection: &mut Connection, ems_id: EmsId) -> Result<(), VmdbError> {
    let now = clock::now();
    let columns: [(&str, Vec<Value<'_>>); 9] = [
        ("queue_name", vec![QUEUE.into()]),
        ("class_name", vec!["EventCatcher".into()]),
        ("method_name", vec!["stop_event_monitor".into()]),
        ("role", vec!["event".into()]),
        ("state", vec!["ready".into()]),
        ("priority", vec![20.into()]),
        ("target_id", vec![ems_id.0.into()]),
        ("created_on", vec![now.into()]),
        ("updated_on", vec![now.into()]),
    ];
    bulk::insert(connection, "miq_queue", &columns, "").map(drop)
}

/// The rows that ask, each with its EMS.
///
/// # Errors
/// See [`VmdbError`].
pub fn asked(connection: &mut Connection) -> Result<Vec<(i64, EmsId)>, VmdbError> {
    let rows =
        connection.rows("SELECT id, target_id FROM miq_queue WHERE queue_name = ?", &[QUEUE.into()])?;
    rows.iter().map(|row| Ok((row.id(0)?, EmsId(row.id(1)?)))).collect()
}

/// These are being done.
///
/// # Errors
/// See [`VmdbError`].
pub fn answered(connection: &mut Connection, rows: Vec<i64>) -> Result<(), VmdbError> {
    connection.execute("DELETE FROM miq_queue WHERE id ?", &[Value::Integers(rows)]).map(drop)
}
