//! The rules of an event within its delivery: who calls handlers and queues webhooks for them.

use super::delivery::{EventContext, Written};
use super::rule_firing::{self, Doers, Fired, RuleWebhook};
use crate::switchboard::Call;
use crate::vmdb::webhook_work::{self, NewWebhook, WebhookFormat};
use crate::vmdb::{Connection, VmdbError};

/// Fires these rules for the event, after its calls, within the transaction of its row.
///
/// # Errors
/// See [`VmdbError`]; [`VmdbError::Data`] fails these rules alone.
pub fn fire(
    connection: &mut Connection,
    context: &EventContext<'_>,
    rules: &[String],
) -> Result<Written, VmdbError> {
    let automation = &context.delivery.automation;
    let Some(judged) = rule_firing::judge(connection, automation, context.event.id)? else {
        return Ok(Written::default());
    };
    let mut written = Written::default();
    let mut call = |connection: &mut Connection, rule: &str, call: &Call| {
        written.add(context.run_calls(connection, rule, vec![call.clone()])?);
        Ok(())
    };
    let mut doers = Doers { call: &mut call, webhook: &mut webhook };
    let fired: Fired = rule_firing::fire(connection, automation, &judged, rules, &mut doers)?;
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
