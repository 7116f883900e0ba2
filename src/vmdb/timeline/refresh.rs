//! Tells for events which refresh each one caused, and how far it got: `event_streams.work_id` is in `miq_queue` while
//! the work waits, and in `ems_refreshes` once it was done or failed.

use super::TimelineEvent;
use crate::vmdb::{Connection, Fields, Value, VmdbError};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The refresh that an event caused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CausedRefresh {
    /// `full` or `targeted`, once that is known.
    pub kind: Option<String>,
    /// How far it got.
    pub progress: Progress,
}

/// How far a refresh got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not begun.
    Waiting,
    /// A refresh worker has it.
    Running,
    /// Done, at this time.
    Done(DateTime<Utc>),
    /// Failed with this error, and not tried again.
    Failed(String),
    /// Failed with this error; it waits to be tried again.
    Retrying(String),
    /// It left no trace: it was done so long ago that its row is gone.
    Past,
}

/// EMS and work: a `work_id` is unique within its EMS.
type Key = (i64, i64);

/// Fills in the refresh of each of `events`.
pub(super) fn relate(connection: &mut Connection, events: &mut [TimelineEvent]) -> Result<(), VmdbError> {
    let mut ids: Vec<i64> = events.iter().filter_map(|event| event.work_id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    // The queue first: work that is done between the two looks is then seen twice, not never.
    let waiting = waiting(connection, &ids)?;
    let refreshes = refreshes(connection, &ids)?;
    for event in events {
        let key = event.ems_id.zip(event.work_id);
        event.refresh = key.map(|key| CausedRefresh {
            kind: refreshes.get(&key).map(|refresh| refresh.kind.clone()),
            progress: progress(waiting.get(&key).map(String::as_str), refreshes.get(&key)),
        });
    }
    Ok(())
}

struct Finished {
    kind: String,
    finished_on: Option<DateTime<Utc>>,
    error: Option<String>,
}

fn progress(waiting: Option<&str>, finished: Option<&Finished>) -> Progress {
    match (waiting, finished) {
        (_, Some(Finished { error: None, finished_on: Some(finished_on), .. })) => {
            Progress::Done(*finished_on)
        }
        (Some("dequeue"), _) => Progress::Running,
        // Given up until somebody retries it, or a full refresh answers it.
        (Some("error"), Some(Finished { error: Some(error), .. })) => Progress::Failed(error.clone()),
        (Some(_), Some(Finished { error: Some(error), .. })) => Progress::Retrying(error.clone()),
        (Some(_), _) => Progress::Waiting,
        (None, Some(Finished { error: Some(error), .. })) => Progress::Failed(error.clone()),
        (None, _) => Progress::Past,
    }
}

/// Work that is in the queue, with its state.
fn waiting(connection: &mut Connection, ids: &[i64]) -> Result<BTreeMap<Key, String>, VmdbError> {
    let sql = "SELECT queue_name, work_id, state FROM miq_queue WHERE work_id ? ORDER BY id";
    let rows = connection.rows(sql, &[Value::Integers(ids.to_vec())])?;
    let work = |row: &Fields| {
        let ems_id = row.text(0)?.strip_prefix("ems_")?.parse().ok()?;
        Some(((ems_id, row.integer(1)?), row.string(2).unwrap_or_default()))
    };
    Ok(rows.iter().filter_map(work).collect())
}

/// The last refresh of each work.
fn refreshes(connection: &mut Connection, ids: &[i64]) -> Result<BTreeMap<Key, Finished>, VmdbError> {
    let sql =
        "SELECT ems_id, work_id, kind, finished_on, error FROM ems_refreshes WHERE work_id ? ORDER BY id";
    let finished = |row: &Fields| {
        let kind = row.string(2).unwrap_or_default();
        let finished = Finished { kind, finished_on: row.time(3), error: row.string(4) };
        Some(((row.integer(0)?, row.integer(1)?), finished))
    };
    let rows = connection.rows(sql, &[Value::Integers(ids.to_vec())])?;
    Ok(rows.iter().filter_map(finished).collect())
}
