//! Tasks of refreshes that somebody follows (`refresh_sync`): a row of `miq_tasks`, `Queued` until the refresh that answers
//! its work is complete, then `Finished`.

use super::dialect::Connection;
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::clock;
use crate::provider::EmsId;

/// Makes the task of a refresh whose work has this `work_id`. One that is answered already is finished at once.
///
/// # Errors
/// See [`VmdbError`].
pub fn put(
    connection: &mut Connection,
    ems_id: EmsId,
    ems_name: &str,
    work_id: i64,
) -> Result<i64, VmdbError> {
    let now = clock::now();
    let name = format!("EmsRefresh({ems_name}) Refreshing relationships and power states");
    let sql = "INSERT INTO miq_tasks (name, state, status, message, userid, created_on, updated_on) \
               VALUES (?, 'Queued', 'Ok', 'Queued the refresh', 'system', ?, ?) RETURNING id";
    let rows = connection.rows(sql, &[(&name).into(), now.into(), now.into()])?;
    let id = rows.first().ok_or_else(|| VmdbError::Bug("an insert returned no id".to_owned()))?.id(0)?;
    let sql = "UPDATE miq_queue SET miq_task_id = COALESCE(miq_task_id, ?) WHERE work_id = ? \
               AND queue_name = ? AND class_name = 'EmsRefresh' RETURNING miq_task_id";
    let queue = super::refresh_work::queue_name(ems_id);
    let waiting = connection.rows(sql, &[id.into(), work_id.into(), (&queue).into()])?;
    let Some(holder) = waiting.first().and_then(|row| row.integer(0)) else {
        return finish_answered(connection, id, work_id).map(|()| id);
    };
    if holder != id {
        // One refresh has one task, whoever asks.
        connection.execute("DELETE FROM miq_tasks WHERE id = ?", &[id.into()])?;
    }
    Ok(holder)
}

/// The work does not wait any more: what became of it is known.
fn finish_answered(connection: &mut Connection, id: i64, work_id: i64) -> Result<(), VmdbError> {
    let sql = "SELECT error FROM ems_refreshes WHERE work_id = ? ORDER BY id DESC LIMIT 1";
    let rows = connection.rows(sql, &[work_id.into()])?;
    let error = rows.first().and_then(|row| row.string(0));
    finish_these(connection, vec![id], error.as_deref())
}

/// A refresh is complete: finishes the tasks of its rows of `miq_queue`, whose first column is `miq_task_id`.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn finish(
    connection: &mut Connection,
    rows: &[Fields],
    error: Option<&str>,
) -> Result<(), VmdbError> {
    let ids: Vec<_> = rows.iter().filter_map(|row| row.integer(0)).collect();
    if ids.is_empty() { Ok(()) } else { finish_these(connection, ids, error) }
}

fn finish_these(connection: &mut Connection, ids: Vec<i64>, error: Option<&str>) -> Result<(), VmdbError> {
    let (status, message) = error.map_or(("Ok", "Task completed successfully"), |error| ("Error", error));
    let sql = "UPDATE miq_tasks SET state = 'Finished', status = ?, message = ?, pct_complete = 100, updated_on = ? \
               WHERE id ?";
    let values = [status.into(), message.into(), clock::now().into(), Value::Integers(ids)];
    connection.execute(sql, &values).map(drop)
}
