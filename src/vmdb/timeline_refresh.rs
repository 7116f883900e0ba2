//! Tells for events which refresh each one caused, and how far it got: `event_streams.work_id` is in `miq_queue` while
//! the work waits, and in `ems_refreshes` once it was done or failed.

use super::timeline::TimelineEvent;
use super::{Connection, Fields, Value, VmdbError};
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
        event.refresh = event.work_id.map(|id| CausedRefresh {
            kind: refreshes.get(&id).map(|refresh| refresh.kind.clone()),
            progress: progress(waiting.get(&id).map(String::as_str), refreshes.get(&id)),
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
        (_, Some(Finished { error: None, finished_on: Some(finished_on), .. })) => Progress::Done(*finished_on),
        (Some("dequeue"), _) => Progress::Running,
        (Some(_), Some(Finished { error: Some(error), .. })) => Progress::Retrying(error.clone()),
        (Some(_), _) => Progress::Waiting,
        (None, Some(Finished { error: Some(error), .. })) => Progress::Failed(error.clone()),
        (None, _) => Progress::Past,
    }
}

/// Work that is in the queue, with its state.
fn waiting(connection: &mut Connection, ids: &[i64]) -> Result<BTreeMap<i64, String>, VmdbError> {
    let sql = "SELECT work_id, state FROM miq_queue WHERE work_id ? ORDER BY id";
    let rows = connection.rows(sql, &[Value::Integers(ids.to_vec())])?;
    Ok(rows.iter().filter_map(|row| Some((row.integer(0)?, row.string(1).unwrap_or_default()))).collect())
}

/// The last refresh of each work.
fn refreshes(connection: &mut Connection, ids: &[i64]) -> Result<BTreeMap<i64, Finished>, VmdbError> {
    let sql = "SELECT work_id, kind, finished_on, error FROM ems_refreshes WHERE work_id ? ORDER BY id";
    let finished = |row: &Fields| {
        let kind = row.string(1).unwrap_or_default();
        Some((row.integer(0)?, Finished { kind, finished_on: row.time(2), error: row.string(3) }))
    };
    let rows = connection.rows(sql, &[Value::Integers(ids.to_vec())])?;
    Ok(rows.iter().filter_map(finished).collect())
}
