//! Refresh work as rows of `miq_queue` (queue `ems_<id>`, `EmsRefresh.refresh`): queued in the commit that made it, claimed
//! by the EMS's refresh worker, answered by a row of `ems_refreshes`.
//!
//! A claimed row is never merged into or deleted by another event's: each row keeps its own `work_id`.

use super::bulk;
use super::dialect::Connection;
use super::statement::Value;
use super::{VmdbError, automate_work, miq_queue, miq_tasks};
use crate::clock;
use crate::provider::{EmsId, TargetRequest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// `miq_queue.args`: a list of one.
#[derive(Debug, Default, Serialize, Deserialize)]
struct RefreshArgs {
    #[serde(default)]
    full: bool,
    #[serde(default)]
    targets: Vec<QueuedTarget>,
}

/// A target in `miq_queue.args`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueuedTarget {
    /// What to refresh, and why.
    #[serde(flatten)]
    pub request: TargetRequest,
    /// The row of `event_streams` that asks.
    pub event_id: i64,
}

/// Work to queue for one EMS.
#[derive(Debug)]
pub(super) struct NewWork {
    pub(super) ems_id: EmsId,
    pub(super) work_id: i64,
    pub(super) full: bool,
    targets: Vec<QueuedTarget>,
    places: HashMap<String, usize>,
}

impl NewWork {
    pub(super) fn new(ems_id: EmsId, full: bool) -> Self {
        Self { ems_id, work_id: next_work_id(), full, targets: Vec::new(), places: HashMap::new() }
    }

    /// Whether nobody asked for anything.
    pub(super) fn is_empty(&self) -> bool {
        !self.full && self.targets.is_empty()
    }

    /// Of several requests of one commit for one thing, the latest by the event's time tells its state; the others ask for
    /// nothing more.
    pub(super) fn add(&mut self, queued: QueuedTarget) {
        let target = &queued.request.target;
        let key = target
            .manager_ref
            .iter()
            .fold(target.association.clone(), |key, (name, value)| format!("{key}\0{name}\0{value}"));
        match self.places.entry(key) {
            Entry::Vacant(place) => {
                place.insert(self.targets.len());
                self.targets.push(queued);
            }
            Entry::Occupied(place) => {
                let known = &mut self.targets[*place.get()];
                if known.request.timestamp <= queued.request.timestamp {
                    *known = queued;
                }
            }
        }
    }
}

/// A claimed row.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshWork {
    /// `miq_queue.id`.
    pub id: i64,
    /// Joins `event_streams` and `ems_refreshes`.
    pub work_id: Option<i64>,
    /// Whose.
    pub ems_id: EmsId,
    /// The whole EMS.
    pub full: bool,
    /// What the events of one commit asked for.
    pub requests: Vec<TargetRequest>,
    /// When it was queued.
    pub requested_on: DateTime<Utc>,
}

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

/// An id that no other work of this EMS has: microseconds, and never the same twice.
fn next_work_id() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let now = clock::now().timestamp_micros();
    let next = |last: i64| Some(now.max(last + 1));
    LAST.fetch_update(Relaxed, Relaxed, next).map_or(now, |last| now.max(last + 1))
}

/// Inserts a row for each of `works`.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn put(connection: &mut Connection, works: &[NewWork]) -> Result<(), VmdbError> {
    if works.is_empty() {
        return Ok(());
    }
    let zones = zone_names(connection, &works.iter().map(|work| work.ems_id.0).collect::<Vec<_>>())?;
    let now = clock::now();
    let queues: Vec<_> = works.iter().map(|work| queue_name(work.ems_id)).collect();
    let args: Vec<_> = works.iter().map(args_of).collect::<Result<_, _>>()?;
    let all = |value: Value<'static>| vec![value; works.len()];
    let columns = [
        ("queue_name", queues.iter().map(Value::from).collect()),
        ("class_name", all("EmsRefresh".into())),
        ("method_name", all("refresh".into())),
        ("role", all("ems_inventory".into())),
        ("state", all("ready".into())),
        ("priority", all(100.into())),
        ("msg_timeout", all(7200.into())),
        ("created_on", all(now.into())),
        ("updated_on", all(now.into())),
        ("zone", works.iter().map(|work| zones.get(&work.ems_id.0).map(String::as_str).into()).collect()),
        ("args", args.iter().map(Value::from).collect()),
        ("work_id", works.iter().map(|work| work.work_id.into()).collect()),
    ];
    bulk::insert(connection, "miq_queue", &columns, "").map(drop)
}

fn args_of(work: &NewWork) -> Result<String, VmdbError> {
    let args = RefreshArgs { full: work.full, targets: work.targets.clone() };
    serde_json::to_string(&[args]).map_err(|error| VmdbError::Bug(error.to_string()))
}

/// `ems_<id>`, ManageIQ's name of an EMS's own queue.
pub(super) fn queue_name(ems_id: EmsId) -> String {
    format!("ems_{ems_id}")
}

/// The zone of each EMS, which its work carries.
pub(super) fn zone_names(
    connection: &mut Connection,
    ems_ids: &[i64],
) -> Result<HashMap<i64, String>, VmdbError> {
    let rows = connection.rows(
        "SELECT e.id, z.name FROM ext_management_systems e JOIN zones z ON z.id = e.zone_id WHERE e.id ?",
        &[Value::Integers(ems_ids.to_vec())],
    )?;
    rows.iter().map(|row| Ok((row.id(0)?, row.string(1).unwrap_or_default()))).collect()
}

/// Queues a refresh of the whole EMS, unless one waits already. Returns whether it did.
///
/// # Errors
/// See [`VmdbError`].
pub fn queue_full_refresh(connection: &mut Connection, ems_id: EmsId) -> Result<bool, VmdbError> {
    connection.transaction(|connection| {
        let waiting = connection.rows(
            "SELECT args FROM miq_queue WHERE queue_name = ? AND state = 'ready' AND class_name = 'EmsRefresh'",
            &[(&queue_name(ems_id)).into()],
        )?;
        if waiting.iter().any(|row| row.text(0).is_some_and(|args| parse_args(args).is_ok_and(|args| args.full))) {
            return Ok(false);
        }
        let work = NewWork::new(ems_id, true);
        put(connection, &[work]).map(|()| true)
    })
}

/// EMSs with refresh work that nobody has claimed.
///
/// # Errors
/// See [`VmdbError`].
pub fn ems_with_waiting_refresh(connection: &mut Connection) -> Result<Vec<EmsId>, VmdbError> {
    let rows = connection.rows(
        "SELECT DISTINCT queue_name FROM miq_queue WHERE state = 'ready' AND class_name = 'EmsRefresh'",
        &[],
    )?;
    let id = |row: &super::Fields| row.text(0)?.strip_prefix("ems_")?.parse().ok().map(EmsId);
    Ok(rows.iter().filter_map(id).collect())
}

/// Claims what waits for this EMS, at most `limit` rows, oldest first.
///
/// `handler_id` is the claiming process's, as ManageIQ's `handler_id`. An EMS has one refresh worker, with one refresh at a
/// time, so what this process still holds was left by one that was stopped or failed: it is claimed again.
///
/// # Errors
/// See [`VmdbError`].
pub fn claim_refresh(
    connection: &mut Connection,
    ems_id: EmsId,
    handler_id: i64,
    limit: i64,
) -> Result<Vec<RefreshWork>, VmdbError> {
    let sql = format!(
        "UPDATE miq_queue SET state = 'dequeue', handler_type = 'MiqWorker', handler_id = ?, updated_on = ?, \
         lock_version = lock_version + 1 WHERE id IN (SELECT id FROM miq_queue WHERE queue_name = ? AND \
         state = 'ready' AND class_name = 'EmsRefresh' ORDER BY id LIMIT ? {}) RETURNING id, work_id, args, created_on",
        connection.skip_locked()
    );
    let queue = queue_name(ems_id);
    miq_queue::release_own(connection, &queue, handler_id)?;
    let values = [handler_id.into(), clock::now().into(), (&queue).into(), limit.into()];
    let mut rows = connection.rows(&sql, &values)?;
    rows.sort_by_key(|row| row.integer(0));
    let work = |row: &super::Fields| {
        // Args that cannot be read ask for everything, which covers whatever they meant.
        let args = row.text(2).and_then(|args| parse_args(args).ok());
        let args = args.unwrap_or(RefreshArgs { full: true, targets: Vec::new() });
        Ok(RefreshWork {
            id: row.id(0)?,
            work_id: row.integer(1),
            ems_id,
            full: args.full,
            requests: args.targets.into_iter().map(|target| target.request).collect(),
            requested_on: row.time(3).unwrap_or_default(),
        })
    };
    rows.iter().map(work).collect()
}

fn parse_args(args: &str) -> serde_json::Result<RefreshArgs> {
    serde_json::from_str::<[RefreshArgs; 1]>(args).map(|[args]| args)
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
    let all = |value: Value<'static>| vec![value; work.len()];
    let error = outcome.error.as_deref();
    let columns = [
        ("work_id", work.iter().map(|work| work.work_id.into()).collect()),
        ("ems_id", work.iter().map(|work| work.ems_id.0.into()).collect()),
        ("kind", all(if outcome.full { "full" } else { "targeted" }.into())),
        ("targets", work.iter().map(|work| i64::try_from(work.requests.len()).ok().into()).collect()),
        ("requested_on", work.iter().map(|work| work.requested_on.into()).collect()),
        ("started_on", all(outcome.started_on.into())),
        ("finished_on", all(clock::now().into())),
        ("error", work.iter().map(|_| error.into()).collect()),
    ];
    connection.transaction(|connection| {
        bulk::insert(connection, "ems_refreshes", &columns, "")?;
        let ids = work.iter().map(|work| work.id).collect();
        let sql = "DELETE FROM miq_queue WHERE id ? RETURNING miq_task_id";
        let removed = connection.rows(sql, &[Value::Integers(ids)])?;
        miq_tasks::finish(connection, &removed, error)?;
        automate_work::refreshes_are_complete(
            connection,
            work.iter().filter_map(|work| work.work_id).collect(),
        )
    })
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
