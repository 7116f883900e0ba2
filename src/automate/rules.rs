//! The rules of an event within its delivery: who calls handlers and queues webhooks for them.

use super::delivery::{self, EventContext, Written, guarded};
use super::rule_firing::{self, Doers, Judged, RuleWebhook};
use super::scene::Asked;
use crate::switchboard::Call;
use crate::vmdb::webhook_work::{self, NewWebhook, WebhookFormat};
use crate::vmdb::{Connection, VmdbError};

/// Fires these rules for the event, after its calls, within the transaction of its row. A rule that the VMDB cannot hold, or
/// that panics, fails alone.
///
/// # Errors
/// See [`VmdbError`].
pub fn fire(
    connection: &mut Connection,
    context: &EventContext<'_>,
    rules: &[String],
) -> Result<Written, VmdbError> {
    let judge = |connection: &mut Connection| {
        rule_firing::judge(connection, &context.delivery.automation, context.event.id)
    };
    let judged = match guarded(connection, judge)? {
        Ok(Some(judged)) => judged,
        Ok(None) => return Ok(Written::default()),
        Err(reason) => return fail(connection, context, rules, &reason),
    };
    let mut written = Written::default();
    for rule in rules {
        let rule = std::slice::from_ref(rule);
        written.add(match guarded(connection, |connection| fire_one(connection, context, &judged, rule))? {
            Ok(done) => done,
            Err(reason) => fail(connection, context, rule, &reason)?,
        });
    }
    Ok(written)
}

fn fail(
    connection: &mut Connection,
    context: &EventContext<'_>,
    rules: &[String],
    reason: &str,
) -> Result<Written, VmdbError> {
    let asked = Asked { rules: rules.to_vec(), ..Asked::new(context.event.clone(), Vec::new()) };
    delivery::fail(connection, context.delivery, &asked, reason)
}

fn fire_one(
    connection: &mut Connection,
    context: &EventContext<'_>,
    judged: &Judged,
    rule: &[String],
) -> Result<Written, VmdbError> {
    let mut written = Written::default();
    let mut call = |connection: &mut Connection, rule: &str, call: &Call| {
        written.add(context.run_calls(connection, rule, vec![call.clone()])?);
        Ok(())
    };
    let mut doers = Doers { call: &mut call, webhook: &mut webhook };
    let fired = rule_firing::fire(connection, &context.delivery.automation, judged, rule, &mut doers)?;
    written.fired.add(fired);
    Ok(written)
}

fn webhook(connection: &mut Connection, new: RuleWebhook) -> Result<(), VmdbError> {
    let new = NewWebhook {
        webhook: new.webhook,
        format: if new.cloud_event { WebhookFormat::CloudEvents } else { WebhookFormat::Json },
        ems_id: new.ems_id,
        event_id: new.event_id,
        rule: new.rule,
        params: new.params,
    };
    webhook_work::put(connection, new).map(drop)
}
