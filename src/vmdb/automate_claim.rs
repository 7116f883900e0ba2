//! Claiming automate's work, and what becomes of a claimed row: it is taken out by who works on it, or set aside.
//!
//! `lock_version` counts the claims that came to no end: two for each, the claim and its release. A row that kills the process
//! whenever it is worked on is claimed alone soon, so that it takes no other row with it, and then not at all.

use super::automate_work::{AutomateWork, QUEUE};
use super::dialect::Connection;
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::clock;
use crate::provider::EmsId;

/// Claims without an end after which a row is claimed alone.
const SUSPICIOUS: i64 = 2;
/// And after which it is set aside.
const MOST_CLAIMS: i64 = 10;
/// Names the row of `event_actions` that says why a row was set aside.
const DELIVERY: &str = "MiqAeEngine.deliver";

/// What waits for the automate worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// There is something to claim.
    pub due: bool,
    /// Something awaits a refresh.
    pub awaiting: bool,
}

/// Looks what waits, without claiming it.
///
/// # Errors
/// See [`VmdbError`].
pub fn waiting(connection: &mut Connection, handler_id: i64) -> Result<Waiting, VmdbError> {
    let due = "SELECT id FROM miq_queue WHERE queue_name = 'generic' AND class_name = 'MiqAeEngine' AND \
               ((state = 'ready' AND (deliver_on IS NULL OR deliver_on <= ?)) OR (state = 'dequeue' AND handler_id = ?)) \
               LIMIT 1";
    let awaiting = "SELECT id FROM miq_queue WHERE queue_name = 'generic' AND state = 'ready' AND \
                    class_name = 'MiqAeEngine' AND work_id IS NOT NULL LIMIT 1";
    Ok(Waiting {
        due: !connection.rows(due, &[clock::now().into(), handler_id.into()])?.is_empty(),
        awaiting: !connection.rows(awaiting, &[])?.is_empty(),
    })
}

/// Claims what is due, oldest first, at most `limit` rows. What this process still holds was left by a round that failed: it
/// is claimed again. What cannot be read, or was claimed too often, is set aside.
///
/// # Errors
/// See [`VmdbError`].
pub fn claim(
    connection: &mut Connection,
    handler_id: i64,
    limit: i64,
) -> Result<Vec<AutomateWork>, VmdbError> {
    connection.transaction(|connection| {
        release_own(connection, handler_id)?;
        let ids = due(connection, limit)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "UPDATE miq_queue SET state = 'dequeue', handler_type = 'MiqWorker', handler_id = ?, updated_on = ?, \
                   lock_version = COALESCE(lock_version, 0) + 1 WHERE state = 'ready' AND id ? \
                   RETURNING id, target_id, args, created_on";
        let values = [handler_id.into(), clock::now().into(), Value::Integers(ids)];
        let mut rows = connection.rows(sql, &values)?;
        rows.sort_by_key(|row| row.integer(0));
        let mut works = Vec::with_capacity(rows.len());
        for row in &rows {
            match work(row, handler_id) {
                Ok(work) => works.push(work),
                // It was not written by this program: it is kept until somebody looks.
                Err(reason) => {
                    let reason = format!("its args are no request to automate: {reason}");
                    put_aside(connection, (row.id(0)?, row.integer(1), None), &reason)?;
                }
            }
        }
        Ok(works)
    })
}

/// Gives back what this process holds, which has not killed it, as if it had never been claimed.
fn release_own(connection: &mut Connection, handler_id: i64) -> Result<(), VmdbError> {
    let sql = "UPDATE miq_queue SET state = 'ready', handler_type = NULL, handler_id = NULL, updated_on = ?, \
               lock_version = lock_version - 1 WHERE queue_name = ? AND class_name = 'MiqAeEngine' AND \
               state = 'dequeue' AND handler_id = ?";
    connection.execute(sql, &[clock::now().into(), QUEUE.into(), handler_id.into()]).map(drop)
}

/// The ids to claim. Those that were claimed too often are set aside.
fn due(connection: &mut Connection, limit: i64) -> Result<Vec<i64>, VmdbError> {
    let sql = format!(
        "SELECT id, COALESCE(lock_version, 0), target_id FROM miq_queue WHERE queue_name = 'generic' AND state = 'ready' \
         AND class_name = 'MiqAeEngine' AND (deliver_on IS NULL OR deliver_on <= ?) ORDER BY id LIMIT ? {}",
        connection.skip_locked()
    );
    let mut ids = Vec::new();
    for row in connection.rows(&sql, &[clock::now().into(), limit.into()])? {
        let (id, claims) = (row.id(0)?, row.id(1)? / 2);
        if claims >= MOST_CLAIMS {
            let reason =
                format!("it was claimed {claims} times, and the process ended each time before it was done");
            put_aside(connection, (id, row.integer(2), None), &reason)?;
        } else if claims < SUSPICIOUS {
            ids.push(id);
        } else {
            if ids.is_empty() {
                ids.push(id);
            }
            break;
        }
    }
    Ok(ids)
}

fn work(row: &Fields, handler_id: i64) -> Result<AutomateWork, String> {
    let ems_id = row.integer(1).ok_or("it has no target_id, which is the EMS's")?;
    let requests =
        serde_json::from_str(row.text(2).unwrap_or_default()).map_err(|error| error.to_string())?;
    let requested_on = row.time(3).unwrap_or_default();
    let id = row.integer(0).unwrap_or_default();
    Ok(AutomateWork { id, handler_id, ems_id: EmsId(ems_id), requests, requested_on })
}

/// Removes a claimed row, within the transaction that does what it asks for. `false`: its claimer has it no longer, and
/// somebody else does it, or has done it.
///
/// # Errors
/// See [`VmdbError`].
pub fn take(connection: &mut Connection, work: &AutomateWork) -> Result<bool, VmdbError> {
    let sql = "DELETE FROM miq_queue WHERE id = ? AND state = 'dequeue' AND handler_id = ?";
    if connection.execute(sql, &[work.id.into(), work.handler_id.into()])? == 0 {
        return Ok(false);
    }
    // It was set aside before, and somebody has asked for it again.
    let sql = "UPDATE event_actions SET state = 'done', reason = NULL, finished_on = ? WHERE queue_id = ? AND name = ?";
    connection.execute(sql, &[clock::now().into(), work.id.into(), DELIVERY.into()])?;
    Ok(true)
}

/// A claimed row cannot be done: it stays, in state `error` and with its reason, until somebody looks.
///
/// # Errors
/// See [`VmdbError`].
pub fn set_aside(connection: &mut Connection, work: &AutomateWork, reason: &str) -> Result<(), VmdbError> {
    let event_id = work.requests.first().map(|request| request.event_id);
    connection.transaction(|connection| {
        let sql = "UPDATE miq_queue SET updated_on = ? WHERE id = ? AND state = 'dequeue' AND handler_id = ?";
        let still_its = [clock::now().into(), work.id.into(), work.handler_id.into()];
        match connection.execute(sql, &still_its)? {
            0 => Ok(()),
            _ => put_aside(connection, (work.id, Some(work.ems_id.0), event_id), reason),
        }
    })
}

fn put_aside(
    connection: &mut Connection,
    (id, ems_id, event_id): (i64, Option<i64>, Option<i64>),
    reason: &str,
) -> Result<(), VmdbError> {
    let reason = reason.replace('\0', "\u{FFFD}");
    log::error!("automate: miq_queue {id} stays in state error, see `catchall queue show {id}`: {reason}");
    let now = clock::now();
    let sql = "UPDATE miq_queue SET state = 'error', handler_type = NULL, handler_id = NULL, updated_on = ? \
               WHERE id = ?";
    connection.execute(sql, &[now.into(), id.into()])?;
    let sql = "UPDATE event_actions SET state = 'dead', reason = ?, attempts = attempts + 1, finished_on = ? \
               WHERE queue_id = ? AND name = ?";
    let told = connection.execute(sql, &[(&reason).into(), now.into(), id.into(), DELIVERY.into()])?;
    if told > 0 {
        return Ok(());
    }
    let sql = "INSERT INTO event_actions (ems_id, event_id, kind, name, state, reason, queue_id, attempts, \
               requested_on, started_on, finished_on) VALUES (?, ?, 'handler', ?, 'dead', ?, ?, 1, ?, ?, ?)";
    let values = [
        ems_id.into(),
        event_id.into(),
        DELIVERY.into(),
        (&reason).into(),
        id.into(),
        now.into(),
        now.into(),
        now.into(),
    ];
    connection.execute(sql, &values).map(drop)
}
