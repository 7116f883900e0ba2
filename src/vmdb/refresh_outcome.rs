//! How refresh work ended: rows of `ems_refreshes`, what becomes of the claimed rows of `miq_queue`, and the columns
//! `last_refresh_*` of the EMS, each in one transaction.
//!
//! Work that fails has one row of `ems_refreshes` for as long as it fails, with the last error and the count of attempts; its
//! success is a row of its own.

use super::bulk;
use super::dialect::Connection;
use super::refresh_work::{RefreshWork, args_with};
use super::statement::Value;
use super::{Fields, VmdbError, automate_work, ems, miq_queue, miq_tasks};
use crate::clock;
use crate::provider::{EmsId, TargetRequest};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshOutcome {
    /// Whether the whole EMS was looked at.
    pub full: bool,
    /// When it began.
    pub started_on: DateTime<Utc>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Work of which some targets are given up.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenUp {
    /// The work.
    pub work: RefreshWork,
    /// Those of its requests that fail.
    pub requests: Vec<TargetRequest>,
    /// Why.
    pub error: String,
}

/// Removes the claimed rows and keeps how it ended, a row for each.
///
/// # Errors
/// See [`VmdbError`].
pub fn complete_refresh(
    connection: &mut Connection,
    work: &[RefreshWork],
    outcome: &RefreshOutcome,
) -> Result<(), VmdbError> {
    connection.transaction(|connection| {
        insert(connection, work, outcome)?;
        let ids = work.iter().map(|work| work.id).collect();
        let sql = "DELETE FROM miq_queue WHERE id ? RETURNING miq_task_id";
        let removed = connection.rows(sql, &[Value::Integers(ids)])?;
        miq_tasks::finish(connection, &removed, outcome.error.as_deref())?;
        automate_work::refreshes_are_complete(
            connection,
            work.iter().filter_map(|work| work.work_id).collect(),
        )
    })
}

/// The refresh succeeded: completes `work`, and the EMS has no error.
///
/// # Errors
/// See [`VmdbError`].
pub fn refresh_succeeded(
    connection: &mut Connection,
    ems_id: EmsId,
    work: &[RefreshWork],
    outcome: &RefreshOutcome,
) -> Result<(), VmdbError> {
    connection.transaction(|connection| {
        ems::refreshed(connection, ems_id, Ok(()))?;
        complete_refresh(connection, work, outcome)?;
        fail::fail_point!("refresh.end");
        Ok(())
    })
}

/// The refresh failed: its work waits again, and it can be seen why.
///
/// # Errors
/// See [`VmdbError`].
pub fn refresh_failed(
    connection: &mut Connection,
    ems_id: EmsId,
    work: &[RefreshWork],
    outcome: &RefreshOutcome,
) -> Result<(), VmdbError> {
    connection.transaction(|connection| {
        ems::refreshed(connection, ems_id, Err(outcome.error.as_deref().unwrap_or_default()))?;
        attempt_failed(connection, ems_id, work, outcome)?;
        miq_queue::release(connection, work.iter().map(|work| work.id).collect())
    })
}

/// Keeps in state `error`, with nothing but the requests that fail, the rows of work that is given up.
///
/// # Errors
/// See [`VmdbError`].
pub fn give_up(
    connection: &mut Connection,
    ems_id: EmsId,
    given_up: &[GivenUp],
    started_on: DateTime<Utc>,
) -> Result<(), VmdbError> {
    connection.transaction(|connection| {
        for GivenUp { work, requests, error } in given_up {
            ems::refreshed(connection, ems_id, Err(error))?;
            let outcome = RefreshOutcome { full: false, started_on, error: Some(error.clone()) };
            attempt_failed(connection, ems_id, std::slice::from_ref(work), &outcome)?;
            let rows = connection.rows("SELECT args FROM miq_queue WHERE id = ?", &[work.id.into()])?;
            let Some(args) = rows.first().and_then(|row| row.text(0)) else { continue };
            let args = args_with(args, |request| requests.contains(request))?;
            let sql = "UPDATE miq_queue SET state = 'error', handler_type = NULL, handler_id = NULL, args = ?, \
                       updated_on = ?, lock_version = lock_version + 1 WHERE id = ? AND state = 'dequeue' RETURNING miq_task_id";
            let kept = connection.rows(sql, &[(&args).into(), clock::now().into(), work.id.into()])?;
            miq_tasks::finish(connection, &kept, Some(error))?;
        }
        Ok(())
    })
}

/// The row of work that failed before is brought up to date; work that fails for the first time gets one.
fn attempt_failed(
    connection: &mut Connection,
    ems_id: EmsId,
    work: &[RefreshWork],
    outcome: &RefreshOutcome,
) -> Result<(), VmdbError> {
    let work_ids = work.iter().filter_map(|work| work.work_id).collect();
    let sql = "UPDATE ems_refreshes SET kind = ?, started_on = ?, finished_on = ?, error = ?, \
               attempts = COALESCE(attempts, 1) + 1 WHERE ems_id = ? AND error IS NOT NULL AND work_id ? RETURNING work_id";
    let values = [
        kind(outcome).into(),
        outcome.started_on.into(),
        clock::now().into(),
        outcome.error.as_deref().into(),
        ems_id.0.into(),
        Value::Integers(work_ids),
    ];
    let known: HashSet<_> =
        connection.rows(sql, &values)?.iter().map(|row: &Fields| row.integer(0)).collect();
    let new: Vec<_> = work.iter().filter(|work| !known.contains(&work.work_id)).cloned().collect();
    if new.is_empty() { Ok(()) } else { insert(connection, &new, outcome) }
}

const fn kind(outcome: &RefreshOutcome) -> &'static str {
    if outcome.full { "full" } else { "targeted" }
}

fn insert(
    connection: &mut Connection,
    work: &[RefreshWork],
    outcome: &RefreshOutcome,
) -> Result<(), VmdbError> {
    let all = |value: Value<'static>| vec![value; work.len()];
    let error = outcome.error.as_deref();
    let columns = [
        ("work_id", work.iter().map(|work| work.work_id.into()).collect()),
        ("ems_id", work.iter().map(|work| work.ems_id.0.into()).collect()),
        ("kind", all(kind(outcome).into())),
        ("targets", work.iter().map(|work| i64::try_from(work.targets).ok().into()).collect()),
        ("requested_on", work.iter().map(|work| work.requested_on.into()).collect()),
        ("started_on", all(outcome.started_on.into())),
        ("finished_on", all(clock::now().into())),
        ("error", work.iter().map(|_| error.into()).collect()),
        ("attempts", all(1.into())),
    ];
    bulk::insert(connection, "ems_refreshes", &columns, "").map(drop)
}

/// When the last full refresh of this EMS that succeeded began; `None` when there was none.
///
/// # Errors
/// See [`VmdbError`].
pub fn last_full_refresh(
    connection: &mut Connection,
    ems_id: EmsId,
) -> Result<Option<DateTime<Utc>>, VmdbError> {
    let sql = "SELECT started_on FROM ems_refreshes WHERE ems_id = ? AND kind = 'full' AND error IS NULL \
               ORDER BY finished_on DESC LIMIT 1";
    Ok(connection.rows(sql, &[ems_id.0.into()])?.first().and_then(|row| row.time(0)))
}
