//! Claiming webhooks: of each webhook what was due first, a few at once, so that one that cannot be reached is in nobody's
//! way, however many rows of it wait. A claim never looks at rows that it does not take.

use super::VmdbError;
use super::dialect::Connection;
use super::statement::Value;
use super::webhook_event::{self, WebhookEvent};
use super::webhook_work::{QueuedWebhook, bury};
use crate::clock;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A claimed row.
#[derive(Clone, Debug)]
pub struct ClaimedWebhook {
    /// `miq_queue.id`.
    pub id: i64,
    /// Its args.
    pub queued: QueuedWebhook,
    /// The event with what is known about it; `None`: it is no longer there.
    pub event: Option<WebhookEvent>,
}

/// What a claim found.
#[derive(Clone, Debug, Default)]
pub struct WebhookClaim {
    /// To be posted.
    pub claimed: Vec<ClaimedWebhook>,
    /// When the next row is due, of those that wait for their time.
    pub next_due: Option<DateTime<Utc>>,
}

/// What a claim may take.
#[derive(Clone, Debug, Default)]
pub struct ClaimLimits {
    /// Who claims.
    pub handler_id: i64,
    /// Rows that the claimer works on: what else it holds was left by a predecessor, and waits again.
    pub held: Vec<i64>,
    /// Rows of one webhook.
    pub per_webhook: i64,
    /// Less for these webhooks, by name.
    pub exceptions: HashMap<String, i64>,
    /// Rows in all.
    pub rows: i64,
}

/// Claims what is due: of each webhook what was due first, at most as many as it may have, so that a webhook that cannot be
/// reached is in nobody's way. Args that cannot be read are dead at once.
///
/// # Errors
/// See [`VmdbError`].
pub fn claim(connection: &mut Connection, limits: &ClaimLimits) -> Result<WebhookClaim, VmdbError> {
    connection.transaction(|connection| {
        release_left(connection, limits)?;
        let (ids, next_due) = due(connection, limits)?;
        let mut claimed = take(connection, limits.handler_id, ids)?;
        let event_ids = claimed.iter().map(|claimed| claimed.queued.event_id).collect();
        let events = webhook_event::read(connection, event_ids)?;
        for claimed in &mut claimed {
            claimed.event = events.get(&claimed.queued.event_id).cloned();
        }
        Ok(WebhookClaim { claimed, next_due })
    })
}

/// Gives back what the claimer no longer works on: it was stopped, or panicked, or a claim's answer was lost.
fn release_left(connection: &mut Connection, limits: &ClaimLimits) -> Result<(), VmdbError> {
    let sql = "UPDATE miq_queue SET state = 'ready', handler_type = NULL, handler_id = NULL, updated_on = ?, \
               lock_version = lock_version + 1 WHERE queue_name = 'webhooks' AND state = 'dequeue' AND handler_id = ? \
               AND NOT id ?";
    let values = [clock::now().into(), limits.handler_id.into(), Value::Integers(limits.held.clone())];
    connection.execute(sql, &values).map(drop)
}

/// The webhooks that have rows waiting. Leaps from name to name in the index, however many rows each has.
const WEBHOOKS: &str = "WITH RECURSIVE webhooks (name) AS (SELECT min(tracking_label) FROM miq_queue WHERE \
    queue_name = 'webhooks' AND state = 'ready' AND tracking_label >= '' UNION ALL SELECT (SELECT min(tracking_label) FROM miq_queue WHERE \
    queue_name = 'webhooks' AND state = 'ready' AND tracking_label > name) FROM webhooks WHERE name IS NOT NULL) \
    SELECT name FROM webhooks WHERE name IS NOT NULL";

/// Ids of the rows to claim, and when the next one is due.
fn due(
    connection: &mut Connection,
    limits: &ClaimLimits,
) -> Result<(Vec<i64>, Option<DateTime<Utc>>), VmdbError> {
    let first = "SELECT id FROM miq_queue WHERE queue_name = 'webhooks' AND state = 'ready' AND tracking_label = ? AND \
                 COALESCE(deliver_on, created_on) <= ? ORDER BY COALESCE(deliver_on, created_on), id LIMIT ?";
    let next = "SELECT min(COALESCE(deliver_on, created_on)) FROM miq_queue WHERE queue_name = 'webhooks' AND \
                state = 'ready' AND tracking_label = ? AND COALESCE(deliver_on, created_on) > ?";
    let now = clock::now();
    let (mut ids, mut next_due) = (Vec::new(), None);
    for row in connection.rows(WEBHOOKS, &[])? {
        let webhook = row.text(0).unwrap_or_default();
        let exception = limits.exceptions.get(webhook);
        let room = limits.rows - i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let most = (*exception.unwrap_or(&limits.per_webhook)).min(room);
        if most > 0 {
            let rows = connection.rows(first, &[webhook.into(), now.into(), most.into()])?;
            ids.extend(rows.iter().filter_map(|row| row.integer(0)));
        }
        let rows = connection.rows(next, &[webhook.into(), now.into()])?;
        let waits = rows.first().and_then(|row| row.time(0));
        next_due = next_due.into_iter().chain(waits).min();
    }
    Ok((ids, next_due))
}

/// Takes these rows, unless another process was quicker.
fn take(
    connection: &mut Connection,
    handler_id: i64,
    ids: Vec<i64>,
) -> Result<Vec<ClaimedWebhook>, VmdbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // Whether it is ready is looked at again under the row's lock.
    let sql = "UPDATE miq_queue SET state = 'dequeue', handler_type = 'MiqWorker', handler_id = ?, updated_on = ?, \
               lock_version = lock_version + 1 WHERE state = 'ready' AND id ? RETURNING id, args";
    let values = [handler_id.into(), clock::now().into(), Value::Integers(ids)];
    let mut rows = connection.rows(sql, &values)?;
    rows.sort_by_key(|row| row.integer(0));
    let mut claimed = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = row.id(0)?;
        match serde_json::from_str::<QueuedWebhook>(row.text(1).unwrap_or_default()) {
            Ok(queued) => claimed.push(ClaimedWebhook { id, queued, event: None }),
            Err(error) => bury(connection, id, &format!("its args cannot be read: {error}"))?,
        }
    }
    Ok(claimed)
}
