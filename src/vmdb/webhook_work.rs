//! Webhooks' work as rows of `miq_queue` (`Webhook.deliver`, role `notifier`): put with the rules that ask, claimed by the
//! webhook sender, kept in state `error` when they cannot be delivered. Each has a row of `event_actions` that tells its story.
//!
//! What is posted is not in the row but read at the claim, so that a post knows what was related meanwhile.

use super::dialect::Connection;
use super::refresh_work::zone_names;
use super::{Fields, VmdbError};
use crate::clock;
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The queue in which webhooks wait.
pub const QUEUE: &str = "webhooks";

/// What is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// `application/json`, as `docs/webhooks.md` describes it.
    #[default]
    Json,
    /// `application/cloudevents+json`: a CloudEvent in structured mode.
    CloudEvents,
}

/// A webhook that a rule asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewWebhook {
    /// `webhooks.NAME` of the settings.
    pub webhook: String,
    /// What is posted.
    pub format: WebhookFormat,
    /// Whose event it is.
    pub ems_id: EmsId,
    /// `event_streams.id`.
    pub event_id: i64,
    /// The rule that asks.
    pub rule: String,
    /// What the rule adds to the body; `null` adds nothing.
    pub params: serde_json::Value,
}

/// The args of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueuedWebhook {
    /// `webhooks.NAME` of the settings.
    pub webhook: String,
    /// What is posted.
    pub format: WebhookFormat,
    /// `event_streams.id`.
    pub event_id: i64,
    /// The rule that asks.
    pub rule: String,
    /// The same for every attempt, whatever happens between them.
    pub idempotency_key: String,
    /// What the rule adds to the body.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub params: serde_json::Value,
    /// Attempts that failed.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Puts a webhook, with its row of `event_actions` (kind `webhook`, state `waiting`). Returns `miq_queue.id`.
///
/// Called within the transaction that says that the rule has fired. Then ring `ActorKind::WebhookSender`.
///
/// # Errors
/// See [`VmdbError`].
pub fn put(connection: &mut Connection, new: NewWebhook) -> Result<i64, VmdbError> {
    connection.transaction(|connection| {
        let now = clock::now();
        let zone = zone_names(connection, &[new.ems_id.0])?.remove(&new.ems_id.0);
        let params = (!new.params.is_null()).then(|| new.params.to_string());
        let queued = QueuedWebhook {
            webhook: new.webhook,
            format: new.format,
            event_id: new.event_id,
            rule: new.rule,
            idempotency_key: format!("msg_{}", uuid::Uuid::new_v4().simple()),
            params: new.params,
            attempts: 0,
            reason: None,
        };
        let sql = "INSERT INTO miq_queue (queue_name, class_name, method_name, role, state, priority, msg_timeout, \
                   created_on, updated_on, target_id, zone, tracking_label, args) \
                   VALUES ('webhooks', 'Webhook', 'deliver', 'notifier', 'ready', 100, 600, ?, ?, ?, ?, ?, ?) RETURNING id";
        let args = args(&queued)?;
        let label = &queued.webhook;
        let values =
            [now.into(), now.into(), new.ems_id.0.into(), (&zone).into(), label.into(), (&args).into()];
        let id = first_id(&connection.rows(sql, &values)?)?;
        let sql = "INSERT INTO event_actions (ems_id, event_id, kind, name, rule, params, state, queue_id, attempts, \
                   requested_on) VALUES (?, ?, 'webhook', ?, ?, ?, 'waiting', ?, 0, ?)";
        let values = [
            new.ems_id.0.into(),
            new.event_id.into(),
            label.into(),
            (&queued.rule).into(),
            (&params).into(),
            id.into(),
            now.into(),
        ];
        connection.execute(sql, &values)?;
        Ok(id)
    })
}

fn first_id(rows: &[Fields]) -> Result<i64, VmdbError> {
    rows.first().ok_or_else(|| VmdbError::Bug("an insert returned no id".to_owned()))?.id(0)
}

fn args(queued: &QueuedWebhook) -> Result<String, VmdbError> {
    serde_json::to_string(queued).map_err(|error| VmdbError::Bug(error.to_string()))
}

/// One attempt at a claimed row.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// `miq_queue.id`.
    pub id: i64,
    /// The args as they were claimed.
    pub queued: QueuedWebhook,
    /// When it began.
    pub started_on: DateTime<Utc>,
}

impl Attempt {
    /// This attempt's number, the first is 1.
    pub fn number(&self) -> u32 {
        self.queued.attempts.saturating_add(1)
    }
}

/// It was received: the row leaves the queue.
///
/// # Errors
/// See [`VmdbError`].
pub fn done(connection: &mut Connection, attempt: &Attempt) -> Result<(), VmdbError> {
    connection.transaction(|connection| {
        if connection.execute("DELETE FROM miq_queue WHERE id = ?", &[attempt.id.into()])? > 0 {
            tell(connection, attempt, ("done", None))?;
        }
        Ok(())
    })
}

/// It failed and is tried again at `deliver_on`.
///
/// # Errors
/// See [`VmdbError`].
pub fn retry_later(
    connection: &mut Connection,
    attempt: &Attempt,
    reason: &str,
    deliver_on: DateTime<Utc>,
) -> Result<(), VmdbError> {
    connection.transaction(|connection| {
        if put_back(connection, attempt, reason, ("ready", Some(deliver_on)))? {
            tell(connection, attempt, ("waiting", Some(reason)))?;
        }
        Ok(())
    })
}

/// It cannot be delivered: the row stays, in state `error`, until somebody retries or drops it.
///
/// # Errors
/// See [`VmdbError`].
pub fn dead(connection: &mut Connection, attempt: &Attempt, reason: &str) -> Result<(), VmdbError> {
    connection.transaction(|connection| {
        if put_back(connection, attempt, reason, ("error", None))? {
            tell(connection, attempt, ("dead", Some(reason)))?;
        }
        Ok(())
    })
}

/// Whether the row is still there: a sender that was stopped may have a successor that has delivered it meanwhile.
fn put_back(
    connection: &mut Connection,
    attempt: &Attempt,
    reason: &str,
    (state, deliver_on): (&str, Option<DateTime<Utc>>),
) -> Result<bool, VmdbError> {
    let failed = QueuedWebhook {
        attempts: attempt.number(),
        reason: Some(reason.to_owned()),
        ..attempt.queued.clone()
    };
    let sql = "UPDATE miq_queue SET state = ?, deliver_on = ?, args = ?, handler_type = NULL, handler_id = NULL, \
               updated_on = ?, lock_version = lock_version + 1 WHERE id = ? AND state = 'dequeue'";
    let args = args(&failed)?;
    let values = [state.into(), deliver_on.into(), (&args).into(), clock::now().into(), attempt.id.into()];
    Ok(connection.execute(sql, &values)? > 0)
}

/// What became of the attempt, in `event_actions`.
fn tell(
    connection: &mut Connection,
    attempt: &Attempt,
    (state, reason): (&str, Option<&str>),
) -> Result<(), VmdbError> {
    let finished_on = (state != "waiting").then(clock::now);
    let sql = "UPDATE event_actions SET state = ?, reason = ?, attempts = ?, started_on = COALESCE(started_on, ?), \
               finished_on = ? WHERE queue_id = ? AND kind = 'webhook'";
    let values = [
        state.into(),
        reason.into(),
        i64::from(attempt.number()).into(),
        attempt.started_on.into(),
        finished_on.into(),
        attempt.id.into(),
    ];
    connection.execute(sql, &values).map(drop)
}

/// What cannot be read is dead at once.
pub(super) fn bury(connection: &mut Connection, id: i64, reason: &str) -> Result<(), VmdbError> {
    let now = clock::now();
    let sql = "UPDATE miq_queue SET state = 'error', handler_type = NULL, handler_id = NULL, updated_on = ? WHERE id = ?";
    connection.execute(sql, &[now.into(), id.into()])?;
    let sql = "UPDATE event_actions SET state = 'dead', reason = ?, finished_on = ? WHERE queue_id = ? AND kind = 'webhook'";
    connection.execute(sql, &[reason.into(), now.into(), id.into()]).map(drop)
}

/// Makes a row that is dead or waits for its time due at once, with all its attempts before it. Returns whether there was
/// one; then ring `ActorKind::WebhookSender`.
///
/// # Errors
/// See [`VmdbError`].
pub fn retry(connection: &mut Connection, id: i64) -> Result<bool, VmdbError> {
    connection.transaction(|connection| {
        let sql = "SELECT args FROM miq_queue WHERE id = ? AND queue_name = 'webhooks' AND state IN ('ready', 'error')";
        let rows = connection.rows(sql, &[id.into()])?;
        let read = |row: &Fields| serde_json::from_str::<QueuedWebhook>(row.text(0).unwrap_or_default()).ok();
        let Some(queued) = rows.first().and_then(read) else { return Ok(false) };
        let now = clock::now();
        let args = args(&QueuedWebhook { attempts: 0, ..queued })?;
        let sql = "UPDATE miq_queue SET state = 'ready', deliver_on = NULL, args = ?, updated_on = ?, \
                   lock_version = lock_version + 1 WHERE id = ? AND state IN ('ready', 'error')";
        let waits = connection.execute(sql, &[(&args).into(), now.into(), id.into()])? > 0;
        let sql = "UPDATE event_actions SET state = 'waiting', finished_on = NULL WHERE queue_id = ? AND kind = 'webhook'";
        connection.execute(sql, &[id.into()])?;
        Ok(waits)
    })
}
