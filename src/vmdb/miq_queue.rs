//! `miq_queue` between processes: parsed events wait in queue `ems` (`EmsEvent.add`) until the handler half takes them,
//! and claims of processes that died are given back.

use super::bulk;
use super::dialect::Connection;
use super::event_commit::DeadLetter;
use super::gaps::{self, NewGap};
use super::refresh_work::{self, NewWork};
use super::statement::Value;
use super::{Fields, VmdbError, cursors, dead_letters};
use crate::clock;
use crate::provider::{Cursor, EmsId, Gap, ParsedEvent};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashSet};

/// What `run-single-worker` commits for one EMS.
#[derive(Clone, Debug)]
pub struct QueuedBatch {
    /// Whose.
    pub ems_id: EmsId,
    /// In provider order.
    pub events: Vec<ParsedEvent>,
    /// What could not become an event.
    pub dead_letters: Vec<DeadLetter>,
    /// Where the stream goes on.
    pub cursor: Option<Cursor>,
    /// A loss to record; it asks for a full refresh too.
    pub gap: Option<Gap>,
    /// Whether its EMS is refreshed at all: else gaps and dead letters ask for nothing.
    pub is_refreshed: bool,
}

/// An event that waited in queue `ems`, claimed.
#[derive(Clone, Debug)]
pub struct ClaimedEvent {
    /// `miq_queue.id`, for `ReadyBatch::delivered`.
    pub id: i64,
    /// Whose.
    pub ems_id: EmsId,
    /// The event.
    pub event: ParsedEvent,
}

/// What a commit to the queue did for one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueuedOutcome {
    /// Events that wait now and did not before.
    pub queued: u64,
    /// Events that wait or are rows already.
    pub duplicates: u64,
    /// Rows of `dead_letters` that were new.
    pub dead_letters: u64,
    /// Rows of `event_gaps` that were new.
    pub gaps: u64,
}

/// Commits batches to the queue in one transaction, with their cursors, dead letters and gaps.
///
/// # Errors
/// See [`VmdbError`].
pub fn put_events(
    connection: &mut Connection,
    batches: &[QueuedBatch],
) -> Result<Vec<QueuedOutcome>, VmdbError> {
    connection.transaction(|connection| {
        let cursors =
            batches.iter().filter_map(|batch| Some((batch.ems_id, batch.cursor.as_ref()?))).collect();
        let new_gaps: Vec<_> = batches.iter().filter_map(new_gap).collect();
        // Before the cursors: whether a gap is known shows at the cursor that was.
        let gaps = gaps::store(connection, &new_gaps)?;
        cursors::store(connection, &cursors)?;
        let mut outcomes =
            batches.iter().map(|batch| put_batch(connection, batch)).collect::<Result<Vec<_>, _>>()?;
        for (batch, outcome) in batches.iter().zip(&outcomes).filter(|(batch, _)| batch.is_refreshed) {
            if gaps.contains(&batch.ems_id) {
                // It covers what its dead letters may have meant.
                refresh_work::queue_full_refresh(connection, batch.ems_id)?;
            } else if outcome.dead_letters > 0 {
                refresh_work::put(connection, &[NewWork::of_doubt(batch.ems_id)])?;
            }
        }
        for (batch, outcome) in batches.iter().zip(&mut outcomes) {
            outcome.gaps = u64::from(batch.gap.is_some() && gaps.contains(&batch.ems_id));
        }
        Ok(outcomes)
    })
}

fn put_batch(connection: &mut Connection, batch: &QueuedBatch) -> Result<QueuedOutcome, VmdbError> {
    let mut known = stored_uids(connection, batch.ems_id, &batch.events)?;
    let fresh: Vec<_> = batch.events.iter().filter(|event| known.insert(event.event_uid.clone())).collect();
    let queued = insert(connection, batch.ems_id, &fresh)?;
    let letters: Vec<_> = batch.dead_letters.iter().map(|letter| (batch.ems_id, letter)).collect();
    let new_letters = dead_letters::store(connection, &letters)?;
    Ok(QueuedOutcome {
        queued,
        duplicates: batch.events.len() as u64 - queued,
        dead_letters: new_letters.get(&batch.ems_id).copied().unwrap_or_default(),
        gaps: 0,
    })
}

fn new_gap(batch: &QueuedBatch) -> Option<NewGap<'_>> {
    let gap = batch.gap.as_ref()?;
    Some(NewGap { ems_id: batch.ems_id, gap, cursor: batch.cursor.as_ref() })
}

/// Those of `events` that are rows of `event_streams`, or were folded into one.
fn stored_uids(
    connection: &mut Connection,
    ems_id: EmsId,
    events: &[ParsedEvent],
) -> Result<HashSet<String>, VmdbError> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let uids = || Value::Texts(events.iter().map(|event| event.event_uid.as_str()).collect());
    let sql = "SELECT event_uid FROM event_streams WHERE ems_id = ? AND event_uid ? UNION ALL \
               SELECT event_uid FROM folded_events WHERE ems_id = ? AND event_uid ?";
    let values = [ems_id.0.into(), uids(), ems_id.0.into(), uids()];
    Ok(connection.rows(sql, &values)?.iter().filter_map(|row| row.string(0)).collect())
}

/// Those that wait already stay as they are.
fn insert(connection: &mut Connection, ems_id: EmsId, events: &[&ParsedEvent]) -> Result<u64, VmdbError> {
    if events.is_empty() {
        return Ok(0);
    }
    let args: Vec<_> =
        events.iter().map(|event| serde_json::to_string(&[event])).collect::<Result<_, _>>().map_err(bug)?;
    let zone = refresh_work::zone_names(connection, &[ems_id.0])?.remove(&ems_id.0);
    let now = clock::now();
    fn all<'a>(value: &Value<'a>, events: &[&ParsedEvent]) -> Vec<Value<'a>> {
        vec![value.clone(); events.len()]
    }
    let columns = [
        ("queue_name", all(&"ems".into(), events)),
        ("class_name", all(&"EmsEvent".into(), events)),
        ("method_name", all(&"add".into(), events)),
        ("role", all(&"event".into(), events)),
        ("state", all(&"ready".into(), events)),
        ("priority", all(&100.into(), events)),
        ("target_id", all(&ems_id.0.into(), events)),
        ("zone", all(&(&zone).into(), events)),
        ("created_on", all(&now.into(), events)),
        ("updated_on", all(&now.into(), events)),
        ("args", args.iter().map(Value::from).collect()),
        ("event_uid", events.iter().map(|event| (&event.event_uid).into()).collect()),
    ];
    let tail = "ON CONFLICT (target_id, event_uid) DO NOTHING RETURNING id";
    Ok(bulk::insert(connection, "miq_queue", &columns, tail)?.len() as u64)
}

fn bug(error: serde_json::Error) -> VmdbError {
    VmdbError::Bug(error.to_string())
}

/// Whether something waits in queue `ems`; reads only.
///
/// # Errors
/// See [`VmdbError`].
pub fn events_wait(connection: &mut Connection) -> Result<bool, VmdbError> {
    let sql = "SELECT 1 FROM miq_queue WHERE queue_name = 'ems' AND state = 'ready' AND class_name = 'EmsEvent' LIMIT 1";
    Ok(!connection.rows(sql, &[])?.is_empty())
}

/// Claims what waits in queue `ems`, at most `limit` events, in the order in which they were put.
///
/// A row whose args are no event of ours becomes a dead letter.
///
/// # Errors
/// See [`VmdbError`].
pub fn claim_events(
    connection: &mut Connection,
    handler_id: i64,
    limit: i64,
) -> Result<Vec<ClaimedEvent>, VmdbError> {
    let sql = format!(
        "UPDATE miq_queue SET state = 'dequeue', handler_type = 'MiqWorker', handler_id = ?, updated_on = ?, \
         lock_version = lock_version + 1 WHERE id IN (SELECT id FROM miq_queue WHERE queue_name = 'ems' AND \
         state = 'ready' AND class_name = 'EmsEvent' ORDER BY id LIMIT ? {}) RETURNING id, target_id, args",
        connection.skip_locked()
    );
    connection.transaction(|connection| {
        let mut rows = connection.rows(&sql, &[handler_id.into(), clock::now().into(), limit.into()])?;
        rows.sort_by_key(|row| row.integer(0));
        let mut claimed = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, ems_id) = (row.id(0)?, EmsId(row.id(1)?));
            match serde_json::from_str::<[ParsedEvent; 1]>(row.text(2).unwrap_or_default()) {
                Ok([event]) => claimed.push(ClaimedEvent { id, ems_id, event }),
                Err(error) => bury(connection, ems_id, row, &error.to_string())?,
            }
        }
        Ok(claimed)
    })
}

fn bury(connection: &mut Connection, ems_id: EmsId, row: &Fields, error: &str) -> Result<(), VmdbError> {
    let id = row.id(0)?;
    let letter = DeadLetter {
        event_uid: format!("miq_queue:{id}"),
        transport_id: None,
        native: row.string(2).unwrap_or_default(),
        reason: format!("the args of this row of miq_queue are no event: {error}"),
    };
    dead_letters::store(connection, &[(ems_id, &letter)])?;
    connection.execute("DELETE FROM miq_queue WHERE id = ?", &[id.into()]).map(drop)
}

const GIVE_BACK: &str = "UPDATE miq_queue SET state = 'ready', handler_type = NULL, handler_id = NULL, updated_on = ?, \
                         lock_version = lock_version + 1";

/// Gives claimed rows back, as if they had never been claimed.
///
/// # Errors
/// See [`VmdbError`].
pub fn release(connection: &mut Connection, ids: Vec<i64>) -> Result<(), VmdbError> {
    let sql = format!("{GIVE_BACK} WHERE state = 'dequeue' AND id ?");
    connection.execute(&sql, &[clock::now().into(), Value::Integers(ids)]).map(drop)
}

/// Gives back what this process claimed in this queue and neither finished nor released: a claim whose answer was lost, or
/// whose worker was stopped or panicked. Called by the queue's one worker, before it claims.
///
/// # Errors
/// See [`VmdbError`].
pub fn release_own(
    connection: &mut Connection,
    queue_name: &str,
    handler_id: i64,
) -> Result<usize, VmdbError> {
    let sql = format!("{GIVE_BACK} WHERE queue_name = ? AND state = 'dequeue' AND handler_id = ?");
    connection.execute(&sql, &[clock::now().into(), queue_name.into(), handler_id.into()])
}

/// Gives back all claims: called at start, when whoever claimed is dead. Returns how many there were.
///
/// # Errors
/// See [`VmdbError`].
pub fn release_dead(connection: &mut Connection) -> Result<usize, VmdbError> {
    let sql = format!("{GIVE_BACK} WHERE state = 'dequeue'");
    connection.execute(&sql, &[clock::now().into()])
}

const CLAIMED_BEFORE: &str = "state = 'dequeue' AND updated_on < ?";

/// Whether there are claims that were made before then.
///
/// # Errors
/// See [`VmdbError`].
pub fn claimed_before(connection: &mut Connection, then: DateTime<Utc>) -> Result<bool, VmdbError> {
    let sql = format!("SELECT id FROM miq_queue WHERE {CLAIMED_BEFORE} LIMIT 1");
    Ok(!connection.rows(&sql, &[then.into()])?.is_empty())
}

/// Gives back the claims that were made before then. A server may carry out what a process asked for when that process is
/// dead already, and its claims, as far as they were there, were given back. Returns how many there were.
///
/// # Errors
/// See [`VmdbError`].
pub fn release_claimed_before(connection: &mut Connection, then: DateTime<Utc>) -> Result<usize, VmdbError> {
    let sql = format!("{GIVE_BACK} WHERE {CLAIMED_BEFORE}");
    connection.execute(&sql, &[clock::now().into(), then.into()])
}

/// How many rows there are, by queue and state.
///
/// # Errors
/// See [`VmdbError`].
pub fn counts(connection: &mut Connection) -> Result<BTreeMap<(String, String), i64>, VmdbError> {
    let rows = connection
        .rows("SELECT queue_name, state, count(*) FROM miq_queue GROUP BY queue_name, state", &[])?;
    let text = |row: &Fields, index| row.string(index).unwrap_or_default();
    rows.iter().map(|row| Ok(((text(row, 0), text(row, 1)), row.id(2)?))).collect()
}
