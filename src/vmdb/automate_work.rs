//! Automate's work as rows of `miq_queue` (`MiqAeEngine.deliver`, role `automate`): one row for each EMS and commit, written
//! with the events that ask, claimed by the automate worker.

use super::VmdbError;
use super::bulk;
use super::dialect::Connection;
use super::refresh_work::zone_names;
use super::statement::Value;
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
    /// What of it waits for a refresh; nothing else is left to do then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<AwaitedRefresh>,
}

/// A state machine that has had something refreshed and goes on when that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedRefresh {
    /// The refresh work.
    pub work_id: i64,
    /// What then; the state machine's call.
    pub call: Call,
    /// Its row of `event_actions`.
    pub action_id: i64,
    /// How often it was looked for.
    pub attempts: i64,
}

/// A claimed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomateWork {
    /// `miq_queue.id`.
    pub id: i64,
    /// Who has claimed it.
    pub handler_id: i64,
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

/// Queues one event's request again, for `deliver_on` or for when the refresh that it awaits is complete.
///
/// # Errors
/// See [`VmdbError`].
pub fn put_awaiting(
    connection: &mut Connection,
    ems_id: EmsId,
    event_id: i64,
    awaited: AwaitedRefresh,
    deliver_on: DateTime<Utc>,
) -> Result<(), VmdbError> {
    let work_id = awaited.work_id;
    let request = QueuedRequest { event_id, request: AutomateRequest::default(), awaited: Some(awaited) };
    let args = serde_json::to_string(&[request]).map_err(|error| VmdbError::Bug(error.to_string()))?;
    let zone = zone_names(connection, &[ems_id.0])?.remove(&ems_id.0);
    let now = clock::now();
    let sql = "INSERT INTO miq_queue (queue_name, class_name, method_name, role, state, priority, msg_timeout, \
               created_on, updated_on, target_id, zone, args, work_id, deliver_on) \
               VALUES ('generic', 'MiqAeEngine', 'deliver', 'automate', 'ready', 20, 3600, ?, ?, ?, ?, ?, ?, ?)";
    let values = [
        now.into(),
        now.into(),
        ems_id.0.into(),
        (&zone).into(),
        (&args).into(),
        work_id.into(),
        deliver_on.into(),
    ];
    connection.execute(sql, &values).map(drop)
}

/// Refreshes are complete: what awaits them is due.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn refreshes_are_complete(
    connection: &mut Connection,
    work_ids: Vec<i64>,
) -> Result<(), VmdbError> {
    let sql = "UPDATE miq_queue SET deliver_on = NULL WHERE queue_name = 'generic' AND state IN ('ready', 'dequeue') \
               AND class_name = 'MiqAeEngine' AND work_id ?";
    connection.execute(sql, &[Value::Integers(work_ids.clone())])?;
    if connection.has_lanes() {
        // Whoever was looking at a row just now has put another in its place, which only a statement that begins now sees.
        connection.execute(sql, &[Value::Integers(work_ids)])?;
    }
    Ok(())
}
