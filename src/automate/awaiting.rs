//! The state machine `/System/Event/StateMachines/Refresh/default`: refresh `refresh_target`, wait until that is done, then raise
//! `policy_event` about `policy_target`.
//!
//! The wait is a row of `miq_queue` that is due each minute, or as soon as the refresh is complete.

use super::calls::{self, Ended, param};
use super::refresh_calls;
use super::scene::Scene;
use crate::switchboard::Call;
use crate::vmdb::automate_work::{self, AwaitedRefresh};
use crate::vmdb::event_actions::{self, ActionState};
use crate::vmdb::event_records::EventRecord;
use crate::vmdb::{VmdbError, refresh_request};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// ManageIQ's `max_retries`.
const MOST_ATTEMPTS: i64 = 100;
/// ManageIQ's retry interval.
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// The call of the last state, with the parameters of the machine's own.
pub(super) fn policy_call(call: &Call) -> Call {
    let params = [("target", "policy_target"), ("policy_event", "policy_event")]
        .map(|(to, from)| (to.to_owned(), call.params.get(from).cloned().unwrap_or_default()));
    let uri = "/System/event_handlers/event_action_policy".to_owned();
    Call { uri, params: BTreeMap::from(params) }
}

/// The call of its first state.
fn refresh_call(call: &Call) -> Call {
    let target = param(call, "refresh_target").to_owned();
    let uri = "/System/event_handlers/event_action_refresh".to_owned();
    Call { uri, params: BTreeMap::from([("target".to_owned(), target)]) }
}

pub(super) fn start(scene: &mut Scene<'_>, event: &EventRecord, call: &Call) -> Result<Ended, VmdbError> {
    let asked = refresh_calls::request(scene, event, &refresh_call(call))?;
    let delivery = scene.delivery;
    let Some(work_id) = asked.work_id else {
        // Without a refresh there is nothing to wait for.
        if asked.state == ActionState::Skipped {
            let policy = policy_call(call);
            let ended = calls::run(scene, event, &policy, (None, 0))?;
            scene.keep(event, &policy, None, ended);
        }
        return Ok(asked);
    };
    let mut action = delivery.action(event, "handler", calls::name_of(call), ActionState::Waiting);
    action.params = serde_json::to_string(&call.params).ok();
    action.reason = Some("waits for the refresh".to_owned());
    action.work_id = Some(work_id);
    let ids = event_actions::insert(scene.connection, &[action])?;
    let action_id = *ids.first().ok_or_else(|| VmdbError::Bug("an insert returned no id".to_owned()))?;
    let awaited = AwaitedRefresh { work_id, call: call.clone(), action_id, attempts: 0 };
    let due = delivery.now + MINUTE;
    automate_work::put_awaiting(scene.connection, delivery.ems_id, event.id, awaited, due)?;
    Ok(Ended { is_kept: true, ..Ended::done() })
}

/// Whether the refresh is complete: then the policy event; else another minute.
pub(super) fn look_again(
    scene: &mut Scene<'_>,
    event: &EventRecord,
    awaited: &AwaitedRefresh,
) -> Result<(), VmdbError> {
    let (delivery, AwaitedRefresh { work_id, call, action_id, attempts }) = (scene.delivery, awaited);
    let attempts = attempts + 1;
    let (state, reason) =
        if refresh_request::is_answered(scene.connection, delivery.ems_id, *work_id, event.timestamp)? {
            let policy = policy_call(call);
            let ended = calls::run(scene, event, &policy, (None, 0))?;
            scene.keep(event, &policy, None, ended);
            (ActionState::Done, "the refresh is complete".to_owned())
        } else if attempts >= MOST_ATTEMPTS {
            (ActionState::Failed, format!("the refresh was not complete after {attempts} looks"))
        } else {
            let again = AwaitedRefresh { attempts, ..awaited.clone() };
            let due = delivery.now + MINUTE;
            automate_work::put_awaiting(scene.connection, delivery.ems_id, event.id, again, due)?;
            (ActionState::Waiting, "waits for the refresh".to_owned())
        };
    event_actions::update(scene.connection, *action_id, state, (&reason, attempts), delivery.now)
}
