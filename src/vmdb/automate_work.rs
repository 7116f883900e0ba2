//! Automate's work as rows of `miq_queue` (`MiqAeEngine.deliver`, role `automate`): one row for each EMS and commit, written
//! with the events that ask, claimed by the automate worker.

use super::bulk;
use super::dialect::Connection;
use super::refresh_work::zone_names;
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::clock;
use crate::provider::EmsId;
use crate::switchboard::Call;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What automate is to do for one new event, off the commit path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutomateRequest {
    /// Calls that need the VMDB, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// Names of the rules whose `on` the event meets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The event may begin or end a chain of tasks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub chain: bool,
}

impl AutomateRequest {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.rules.is_empty() && !self.chain
    }
}

/// A request with the row of `event_streams` that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedRequest {
    /// `event_streams.id`.
    pub event_id: i64,
    /// What to do.
    #[serde(flatten)]
    pub request: AutomateRequest,
}

/// A claimed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomateWork {
    /// `miq_queue.id`.
    pub id: i64,
    /// Whose events ask.
    pub ems_id: EmsId,
    /// In the order of the events.
    pub requests: Vec<QueuedRequest>,
    /// When it was queued.
    pub requested_on: DateTime<Utc>,
}

/// The queue in which ManageIQ's automate waits.
pub const QUEUE: &str = "generic";

/// Inserts a row for each EMS that has requests.
///
/// # Errors
/// See [`VmdbError`].
pub fn put(connection: &mut Connection, works: &[(EmsId, Vec<QueuedRequest>)]) -> Result<(), VmdbError> {
    if works.is_empty() {
        return Ok(());
    }
    let zones = zone_names(connection, &works.iter().map(|(ems_id, _)| ems_id.0).collect::<Vec<_>>())?;
    let now = clock::now();
    let args: Vec<_> = works
        .iter()
        .map(|(_, requests)| serde_json::to_string(requests))
        .collect::<Result<_, _>>()
        .map_err(|error| VmdbError::Bug(error.to_string()))?;
    let all = |value: Value<'static>| vec![value; works.len()];
    let columns = [
        ("queue_name", all(QUEUE.into())),
        ("class_name", all("MiqAeEngine".into())),
        ("method_name", all("deliver".into())),
        ("role", all("automate".into())),
        ("state", all("ready".into())),
        ("priority", all(20.into())),
        ("msg_timeout", all(3600.into())),
        ("created_on", all(now.into())),
        ("updated_on", all(now.into())),
        ("target_id", works.iter().map(|(ems_id, _)| ems_id.0.into()).collect()),
        ("zone", works.iter().map(|(ems_id, _)| zones.get(&ems_id.0).map(String::as_str).into()).collect()),
        ("args", args.iter().map(Value::from).collect()),
    ];
    bulk::insert(connection, "miq_queue", &columns, "").map(drop)
}

/// Claims what is due, oldest first, at most `limit` rows. What this process still holds was left by a round that failed: it
/// is claimed again.
///
/// # Errors
/// See [`VmdbError`].
pub fn claim(
    connection: &mut Connection,
    handler_id: i64,
    limit: i64,
) -> Result<Vec<AutomateWork>, VmdbError> {
    let sql = format!(
        "UPDATE miq_queue SET state = 'dequeue', handler_type = 'MiqWorker', handler_id = ?, updated_on = ?, \
         lock_version = lock_version + 1 WHERE id IN (SELECT id FROM miq_queue WHERE queue_name = 'generic' AND \
         state = 'ready' AND class_name = 'MiqAeEngine' AND (deliver_on IS NULL OR deliver_on <= ?) ORDER BY id LIMIT ? {}) \
         RETURNING id, target_id, args, created_on",
        connection.skip_locked()
    );
    let now = clock::now();
    super::miq_queue::release_own(connection, QUEUE, handler_id)?;
    let mut rows = connection.rows(&sql, &[handler_id.into(), now.into(), now.into(), limit.into()])?;
    rows.sort_by_key(|row| row.integer(0));
    rows.iter().map(work).collect()
}

fn work(row: &Fields) -> Result<AutomateWork, VmdbError> {
    // Args that cannot be read were not written by this program; they are kept until somebody looks.
    let requests = serde_json::from_str(row.text(2).unwrap_or_default()).map_err(|error| {
        VmdbError::Bug(format!("miq_queue {}: {error}", row.integer(0).unwrap_or_default()))
    })?;
    Ok(AutomateWork {
        id: row.id(0)?,
        ems_id: EmsId(row.id(1)?),
        requests,
        requested_on: row.time(3).unwrap_or_default(),
    })
}

/// Removes a claimed row: it is done.
///
/// # Errors
/// See [`VmdbError`].
pub fn finish(connection: &mut Connection, id: i64) -> Result<(), VmdbError> {
    connection.execute("DELETE FROM miq_queue WHERE id = ?", &[id.into()]).map(drop)
}
