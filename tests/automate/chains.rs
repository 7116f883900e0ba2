//! `*_Complete` events: made once, whichever of the two events comes first.

use crate::support::{House, asking, event, on_both, switchboard};
use catchall::vmdb::{AutomateRequest, ReadyEvent};
use std::sync::Arc;

on_both! {
    the_event_that_completes_a_chain_is_stored_with_what_follows_from_it
    a_chain_that_arrives_backwards_is_completed_too
    a_chain_is_completed_once
    a_move_has_a_source_and_a_destination
}

fn of_chain(uid: &str, event_type: &str, chain_id: i64) -> ReadyEvent {
    let mut ready = asking(event(uid, event_type), vec![]);
    ready.event.event.chain_id = Some(chain_id);
    ready.automate = AutomateRequest { chain: true, ..AutomateRequest::default() };
    ready
}

fn prepare(house: &House) {
    let refresh_and_policy = "/System/event_handlers/event_action_refresh?target=src_vm \
                              /System/event_handlers/event_action_policy?target=src_vm&policy_event=vm_start&param=";
    house.automate(|automation| {
        automation.switchboard =
            switchboard(&[("EmsEvent/EVM", "PowerOnVM_Task_Complete", refresh_and_policy)]);
        let ends = [
            ("VmPoweredOnEvent", vec!["PowerOnVM_Task", "ResetVM_Task"]),
            ("VmMigratedEvent", vec!["MigrateVM_Task"]),
        ];
        let ends =
            ends.map(|(last, first)| (last.to_owned(), first.into_iter().map(str::to_owned).collect()));
        automation.task_final_events = Arc::new(ends.into());
    });
}

const COMPLETE: &str = "SELECT event_uid, event_type, message, chain_id, is_task, vm_or_template_id, host_id, ems_id \
                        FROM event_streams WHERE source = 'EVM'";
const POWER_ON: &str = "last#complete PowerOnVM_Task_Complete PowerOnVM_Task Completed 5 1 21 11 1";

async fn the_event_that_completes_a_chain_is_stored_with_what_follows_from_it(house: House) {
    prepare(&house);
    house.commit(vec![of_chain("first", "PowerOnVM_Task", 5), of_chain("other", "PowerOnVM_Task", 6)]).await;
    house.work().await;
    assert_eq!(house.rows(COMPLETE).await.len(), 0, "nothing has ended");
    house.commit(vec![of_chain("last", "VmPoweredOnEvent", 5)]).await;
    assert_eq!(house.work().await, 2, "the chain, and the policy call of the event that completes it");
    assert_eq!(house.rows(COMPLETE).await, [POWER_ON]);
    let time =
        "SELECT event_uid FROM event_streams WHERE source = 'EVM' AND timestamp = '2026-11-24 11:00:00'";
    assert_eq!(house.rows(time).await.len(), 1, "the time of the event that ended it");
    assert_eq!(
        house.rows("SELECT event_type FROM event_streams WHERE type = 'MiqEvent'").await,
        ["vm_start"]
    );
    let args = house.rows("SELECT args FROM miq_queue WHERE queue_name = 'ems_1'").await;
    assert!(args[0].contains("vm-1"), "{args:?}");
    let actions = house.rows("SELECT event_id, kind, name, state FROM event_actions ORDER BY id").await;
    assert_eq!(actions[0], "3 chain PowerOnVM_Task_Complete done");
}

async fn a_chain_that_arrives_backwards_is_completed_too(house: House) {
    prepare(&house);
    house.commit(vec![of_chain("last", "VmPoweredOnEvent", 5)]).await;
    house.work().await;
    assert_eq!(house.rows(COMPLETE).await.len(), 0);
    house.commit(vec![of_chain("first", "PowerOnVM_Task", 5)]).await;
    house.work().await;
    assert_eq!(house.rows(COMPLETE).await, [POWER_ON]);
}

async fn a_chain_is_completed_once(house: House) {
    prepare(&house);
    house.commit(vec![of_chain("first", "PowerOnVM_Task", 5), of_chain("last", "VmPoweredOnEvent", 5)]).await;
    house.work().await;
    house.commit(vec![of_chain("more", "ResetVM_Task", 5), of_chain("last", "VmPoweredOnEvent", 5)]).await;
    house.work().await;
    assert_eq!(house.rows(COMPLETE).await, [POWER_ON]);
    assert_eq!(house.rows("SELECT count(*) FROM event_actions WHERE kind = 'chain'").await, ["1"]);
}

async fn a_move_has_a_source_and_a_destination(house: House) {
    prepare(&house);
    let first = of_chain("first", "MigrateVM_Task", 5);
    let mut last = of_chain("last", "VmMigratedEvent", 5);
    last.event.event.vm_ems_ref = Some("vm-2".to_owned());
    last.event.event.host_ems_ref = Some("host-2".to_owned());
    house.commit(vec![first, last]).await;
    house.work().await;
    let moved = "SELECT event_type, vm_or_template_id, host_id, dest_vm_or_template_id, dest_host_id, dest_vm_name, \
                 dest_host_name FROM event_streams WHERE source = 'EVM'";
    assert_eq!(house.rows(moved).await, ["MigrateVM_Task_Complete 21 11 22 12 db esx2"]);
}
