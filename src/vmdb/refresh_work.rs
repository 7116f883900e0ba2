//! Refresh work as rows of `miq_queue` (queue `ems_<id>`, `EmsRefresh.refresh`): queued in the commit that made it, claimed
//! by the EMS's refresh worker. How it ended is in [`super::refresh_outcome`].
//!
//! A claimed row is never merged into or deleted by another event's: each row keeps its own `work_id`.

use super::bulk;
use super::dialect::Connection;
use super::statement::Value;
use super::{Fields, VmdbError};
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    doubt: bool,
    #[serde(default)]
    targets: Vec<QueuedTarget>,
}

/// A target in `miq_queue.args`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueuedTarget {
    /// What to refresh, and why.
    #[serde(flatten)]
    pub request: TargetRequest,
    /// The row of `event_streams` that asks; 0 when a person does.
    #[serde(default)]
    pub event_id: i64,
}

/// Work to queue for one EMS.
#[derive(Debug)]
pub(super) struct NewWork {
    pub(super) ems_id: EmsId,
    pub(super) work_id: i64,
    pub(super) full: bool,
    /// See [`RefreshWork::doubt`].
    doubt: bool,
    /// `None` where a later request took its place.
    targets: Vec<Option<QueuedTarget>>,
    places: HashMap<String, usize>,
}

impl NewWork {
    pub(super) fn new(ems_id: EmsId, full: bool) -> Self {
        Self {
            ems_id,
            work_id: next_work_id(),
            full,
            doubt: false,
            targets: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// What a dead letter asks for.
    pub(super) fn of_doubt(ems_id: EmsId) -> Self {
        Self { doubt: true, ..Self::new(ems_id, false) }
    }

    /// Whether nobody asked for anything.
    pub(super) fn is_empty(&self) -> bool {
        !self.full && !self.doubt && self.targets.is_empty()
    }

    /// Of several requests of one commit for one thing with one type of event, the latest by the event's time tells its
    /// state; the others ask for nothing more.
    pub(super) fn add(&mut self, queued: QueuedTarget) {
        let QueuedTarget { request: TargetRequest { target, event_type, .. }, .. } = &queued;
        let key = target
            .manager_ref
            .iter()
            .fold(format!("{event_type}\0{}", target.association), |key, (name, value)| {
                format!("{key}\0{name}\0{value}")
            });
        match self.places.entry(key) {
            Entry::Vacant(place) => {
                place.insert(self.targets.len());
            }
            Entry::Occupied(mut place) => {
                let known = &mut self.targets[*place.get()];
                if known.as_ref().is_some_and(|known| known.request.timestamp > queued.request.timestamp) {
                    return;
                }
                *known = None;
                place.insert(self.targets.len());
            }
        }
        self.targets.push(Some(queued));
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
    /// Something happened of which it cannot be read what it was (a dead letter): the whole EMS, but not before its turn, so
    /// that a provider whose events are bad is not refreshed in full for ever.
    pub doubt: bool,
    /// What the events of one commit asked for; left out for a full refresh, which answers all of it.
    pub requests: Vec<TargetRequest>,
    /// How many requests there are, also where they are left out.
    pub targets: usize,
    /// When it was queued.
    pub requested_on: DateTime<Utc>,
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
    let args = RefreshArgs {
        full: work.full,
        doubt: work.doubt,
        targets: work.targets.iter().flatten().cloned().collect(),
    };
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
    ask(connection, ems_id, Vec::new()).map(|asked| asked.is_new)
}

/// Work that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `miq_queue.id`.
    pub id: i64,
    /// Its `work_id`, which stays known when the row is gone.
    pub work_id: i64,
    /// Whether it was queued now; else such work waited already.
    pub is_new: bool,
}

/// Queues a refresh of these targets, or of the whole EMS when there are none. A full refresh that nobody has claimed yet
/// is not queued twice.
///
/// # Errors
/// See [`VmdbError`].
pub fn ask(
    connection: &mut Connection,
    ems_id: EmsId,
    targets: Vec<TargetRequest>,
) -> Result<Asked, VmdbError> {
    connection.transaction(|connection| {
        let is_full = targets.is_empty();
        if is_full {
            let waiting = connection.rows(
                "SELECT id, work_id, args FROM miq_queue WHERE queue_name = ? AND state = 'ready' AND \
                 class_name = 'EmsRefresh' ORDER BY id",
                &[(&queue_name(ems_id)).into()],
            )?;
            let full =
                |row: &&Fields| row.text(2).is_some_and(|args| parse_args(args).is_ok_and(|args| args.full));
            if let Some(row) = waiting.iter().find(full) {
                return Ok(Asked {
                    id: row.id(0)?,
                    work_id: row.integer(1).unwrap_or_default(),
                    is_new: false,
                });
            }
        }
        let mut work = NewWork::new(ems_id, is_full);
        targets.into_iter().for_each(|request| work.add(QueuedTarget { request, event_id: 0 }));
        let work_id = work.work_id;
        put(connection, &[work])?;
        let sql = "SELECT id FROM miq_queue WHERE queue_name = ? AND work_id = ?";
        let rows = connection.rows(sql, &[(&queue_name(ems_id)).into(), work_id.into()])?;
        let row = rows.first().ok_or_else(|| VmdbError::Bug("an insert left no row".to_owned()))?;
        Ok(Asked { id: row.id(0)?, work_id, is_new: true })
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
    let id = |row: &Fields| row.text(0)?.strip_prefix("ems_")?.parse().ok().map(EmsId);
    Ok(rows.iter().filter_map(id).collect())
}

/// Rows of this EMS's queue that its worker may claim: those that nobody has, and, since an EMS has one refresh worker with
/// one refresh at a time, those that this process still holds: they were left by one that was stopped or failed.
pub(super) const FREE: &str = "queue_name = ? AND class_name = 'EmsRefresh' AND (state = 'ready' OR (state = 'dequeue' AND handler_id = ?))";

/// Claims these of the rows that wait for this EMS; returns those that are still there.
///
/// # Errors
/// See [`VmdbError`].
pub fn claim_rows(
    connection: &mut Connection,
    ems_id: EmsId,
    handler_id: i64,
    ids: Vec<i64>,
) -> Result<Vec<RefreshWork>, VmdbError> {
    let sql = format!("{CLAIM} WHERE {FREE} AND id ? RETURNING id, work_id, args, created_on");
    let queue = queue_name(ems_id);
    let free = [(&queue).into(), handler_id.into(), Value::Integers(ids)];
    let values: Vec<_> = claimer(handler_id).into_iter().chain(free).collect();
    claimed(connection.rows(&sql, &values)?, ems_id)
}

/// Claims whatever waits for this EMS, at most `limit` rows, oldest first, and what was given up besides: a refresh of the
/// whole answers all of it.
///
/// `handler_id` is the claiming process's, as ManageIQ's `handler_id`.
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
        "{CLAIM} WHERE id IN (SELECT id FROM miq_queue WHERE ({FREE}) OR (queue_name = ? AND \
         class_name = 'EmsRefresh' AND state = 'error') ORDER BY id LIMIT ? {}) RETURNING id, work_id, args, created_on",
        connection.skip_locked()
    );
    let queue = queue_name(ems_id);
    let free = [(&queue).into(), handler_id.into(), (&queue).into(), limit.into()];
    let values: Vec<_> = claimer(handler_id).into_iter().chain(free).collect();
    claimed(connection.rows(&sql, &values)?, ems_id)
}

pub(super) const CLAIM: &str = "UPDATE miq_queue SET state = 'dequeue', handler_type = 'MiqWorker', handler_id = ?, \
                     updated_on = ?, lock_version = lock_version + 1";

pub(super) fn claimer(handler_id: i64) -> [Value<'static>; 2] {
    [handler_id.into(), clock::now().into()]
}

fn claimed(mut rows: Vec<Fields>, ems_id: EmsId) -> Result<Vec<RefreshWork>, VmdbError> {
    rows.sort_by_key(|row| row.integer(0));
    rows.iter().map(|row| work_of(row, ems_id)).collect()
}

/// Args that cannot be read ask for everything, which covers whatever they meant.
pub(super) fn work_of(row: &Fields, ems_id: EmsId) -> Result<RefreshWork, VmdbError> {
    let args = row.text(2).and_then(|args| parse_args(args).ok());
    let args = args.unwrap_or(RefreshArgs { full: true, ..RefreshArgs::default() });
    Ok(RefreshWork {
        id: row.id(0)?,
        work_id: row.integer(1),
        ems_id,
        full: args.full,
        doubt: args.doubt,
        targets: args.targets.len(),
        requests: args.targets.into_iter().map(|target| target.request).collect(),
        requested_on: row.time(3).unwrap_or_default(),
    })
}

fn parse_args(args: &str) -> serde_json::Result<RefreshArgs> {
    serde_json::from_str::<[RefreshArgs; 1]>(args).map(|[args]| args)
}

/// `args` with none but the targets that `keep` chooses, as they are stored.
pub(super) fn args_with(args: &str, keep: impl Fn(&TargetRequest) -> bool) -> Result<String, VmdbError> {
    let mut args = parse_args(args).map_err(|error| VmdbError::Bug(error.to_string()))?;
    args.targets.retain(|target| keep(&target.request));
    serde_json::to_string(&[args]).map_err(|error| VmdbError::Bug(error.to_string()))
}
