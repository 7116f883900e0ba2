//! Chains of tasks: when the first event of one and the event that ends it are both stored, in whichever order they came, a
//! `*_Complete` event (source `EVM`) is stored too, once, and has what follows from any event.

use super::delivery::{Delivery, Written, guarded};
use super::scene::Asked;
use crate::event_catcher::prepare::{Preparation, prepare};
use crate::provider::{EmsEvent, FullData, ParsedEvent};
use crate::vmdb::event_actions::{self, ActionState, NewAction};
use crate::vmdb::event_chain::{self, ChainEvent};
use crate::vmdb::{Connection, ReadyBatch, VmdbError, event_commit};
use serde_json::json;

/// First events whose VM and host are the source, while those of the final event are the destination.
const MOVES: [&str; 5] =
    ["CloneVM_Task", "MarkAsTemplate", "MigrateVM_Task", "RelocateVM_Task", "Rename_Task"];

/// Completes the chains that events of this row begin or end.
pub(super) fn complete(
    connection: &mut Connection,
    delivery: &Delivery,
    asked: &[Asked],
) -> Result<Written, VmdbError> {
    let mut chain_ids: Vec<_> =
        asked.iter().filter(|one| one.chain).filter_map(|one| one.event.chain_id).collect();
    chain_ids.sort_unstable();
    chain_ids.dedup();
    let mut written = Written::default();
    if chain_ids.is_empty() {
        return Ok(written);
    }
    let chains = event_chain::load(connection, delivery.ems_id, chain_ids.clone())?;
    for chain in chain_ids.iter().filter_map(|id| chains.get(id)) {
        for (first, last) in ends(delivery, chain) {
            match guarded(connection, |connection| store(connection, delivery, first, last))? {
                Ok(Some(stored)) => {
                    written.refresh |= stored.work;
                    written.count("chain", ActionState::Done);
                }
                Ok(None) => {}
                Err(reason) => {
                    let mut action = action(delivery, first, last, ActionState::Failed);
                    action.reason = Some(reason);
                    event_actions::insert(connection, &[action])?;
                    written.count("chain", ActionState::Failed);
                }
            }
        }
    }
    Ok(written)
}

/// Keeps why no chain of these events could be looked at.
pub(super) fn fail(
    connection: &mut Connection,
    delivery: &Delivery,
    asked: &[Asked],
    reason: &str,
) -> Result<Written, VmdbError> {
    log::error!("{}: chains of tasks: {reason}", delivery.ems_name);
    let mut written = Written::default();
    let of_chains = asked.iter().filter(|one| one.chain);
    let actions: Vec<_> = of_chains
        .map(|one| {
            let name = one.event.event_type.clone();
            let mut action = delivery.action(&one.event, "chain", name, ActionState::Failed);
            action.reason = Some(reason.replace('\0', "\u{FFFD}"));
            action
        })
        .collect();
    event_actions::insert(connection, &actions)?;
    actions.iter().for_each(|action| written.count(action.kind, action.state));
    Ok(written)
}

/// Each event that ends the chain, with the first event whose type it ends.
fn ends<'a>(delivery: &Delivery, chain: &'a [ChainEvent]) -> Vec<(&'a ChainEvent, &'a ChainEvent)> {
    let of = |last: &'a ChainEvent| {
        let begins = delivery.automation.task_final_events.get(&last.event.event_type)?;
        let first = chain.iter().find(|event| begins.contains(&event.event.event_type))?;
        Some((first, last))
    };
    chain.iter().filter_map(of).collect()
}

/// Stores the event that completes the chain; `None` when it was stored before.
fn store(
    connection: &mut Connection,
    delivery: &Delivery,
    first: &ChainEvent,
    last: &ChainEvent,
) -> Result<Option<event_commit::BatchOutcome>, VmdbError> {
    let Some(ems) = delivery.automation.ems.iter().find(|ems| ems.name == delivery.ems_name) else {
        return Err(VmdbError::Data(format!("{} is not in the settings", delivery.ems_name)));
    };
    let preparation = Preparation {
        provider: ems.provider,
        ems: &ems.name,
        automation: &delivery.automation,
        refresh: &ems.refresh,
    };
    let prepared = prepare(completed(first, last), &preparation);
    let (ready, _) = prepared.map_err(|error| VmdbError::Data(error.to_string()))?;
    let batch = ReadyBatch { events: vec![ready], ..ReadyBatch::of(delivery.ems_id) };
    let outcome = event_commit::commit(connection, &[batch])?.into_iter().next().unwrap_or_default();
    if outcome.new_events == 0 {
        return Ok(None);
    }
    event_actions::insert(connection, &[action(delivery, first, last, ActionState::Done)])?;
    Ok(Some(outcome))
}

fn action(delivery: &Delivery, first: &ChainEvent, last: &ChainEvent, state: ActionState) -> NewAction {
    let params = json!({"first_event_id": first.id, "event_uid": uid(last)});
    NewAction {
        ems_id: delivery.ems_id,
        event_id: last.id,
        kind: "chain",
        name: name(first),
        rule: None,
        params: Some(params.to_string()),
        state,
        reason: None,
        queue_id: None,
        work_id: None,
        requested_on: delivery.requested_on,
        started_on: delivery.now,
    }
}

fn name(first: &ChainEvent) -> String {
    format!("{}_Complete", first.event.event_type)
}

/// Of the final event's, so that it is the same whoever completes the chain, and whenever.
fn uid(last: &ChainEvent) -> String {
    let uid = format!("{}#complete", last.event_uid);
    if uid.len() > 255 { format!("event {}#complete", last.id) } else { uid }
}

/// ManageIQ's completed event of a first and a final one.
fn completed(first: &ChainEvent, last: &ChainEvent) -> ParsedEvent {
    let moves = MOVES.contains(&first.event.event_type.as_str());
    let from = if moves { &first.event } else { &last.event };
    let full_data = json!({"first_event_id": first.id, "final_event_id": last.id});
    let mut event = EmsEvent {
        event_type: name(first),
        source: "EVM".to_owned(),
        message: Some(format!("{} Completed", first.event.event_type)),
        chain_id: last.event.chain_id,
        timestamp: last.event.timestamp,
        is_task: Some(true),
        username: from.username.clone(),
        vm_name: from.vm_name.clone(),
        vm_location: from.vm_location.clone(),
        vm_ems_ref: from.vm_ems_ref.clone(),
        vm_uid_ems: from.vm_uid_ems.clone(),
        host_name: from.host_name.clone(),
        host_ems_ref: from.host_ems_ref.clone(),
        host_uid_ems: from.host_uid_ems.clone(),
        full_data: FullData::from_value(&full_data),
        ..EmsEvent::default()
    };
    if moves {
        let to = &last.event;
        let named = to.dest_vm_name.is_some();
        event.dest_vm_name = if named { to.dest_vm_name.clone() } else { to.vm_name.clone() };
        event.dest_vm_location = if named { to.dest_vm_location.clone() } else { to.vm_location.clone() };
        event.dest_vm_ems_ref = if named { to.dest_vm_ems_ref.clone() } else { to.vm_ems_ref.clone() };
        event.dest_host_name.clone_from(&to.host_name);
        event.dest_host_ems_ref.clone_from(&to.host_ems_ref);
    }
    ParsedEvent { event_uid: uid(last), event }
}
