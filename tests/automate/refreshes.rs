//! Refreshes that automate asks for: of a chain's first event, with a task, and those that a state machine awaits.

use crate::support::{House, OWNER, about_nothing, asking, call, event, on_both, switchboard};
use catchall::actor::rounds::Rounds;
use catchall::provider::{EmsId, Target};
use catchall::vmdb::refresh_outcome::{GivenUp, give_up};
use catchall::vmdb::refresh_work::claim_refresh;
use catchall::vmdb::{Work, automate_claim, automate_work, queue};
use std::time::Duration;

on_both! {
    a_refresh_of_the_first_event_of_a_chain_names_its_vm
    a_refresh_asked_for_later_is_what_it_would_have_been_at_once
    a_target_that_is_not_in_inventory_takes_no_other_refresh_with_it
    a_refresh_that_somebody_follows_has_a_task
    a_task_of_a_refresh_that_is_over_is_finished
    a_task_of_a_refresh_that_is_given_up_is_finished_with_its_error
    a_task_of_a_refresh_that_somebody_drops_is_finished_with_that
    what_awaits_a_refresh_keeps_nobody_from_writing
    the_state_machine_waits_for_its_refresh_and_then_raises_the_policy_event
    the_state_machine_gives_up
    without_a_refresh_the_policy_event_comes_at_once
}

async fn a_refresh_of_the_first_event_of_a_chain_names_its_vm(house: House) {
    let mut first = event("a", "x");
    first.event.chain_id = Some(5);
    house.commit(vec![asking(first, vec![])]).await;
    let mut last = about_nothing("b", "x");
    last.event.chain_id = Some(5);
    house.happen(last, vec![call("event_action_refresh?target=first_chained_src_vm")]).await;
    let args = house.rows("SELECT args FROM miq_queue WHERE queue_name = 'ems_1'").await;
    assert!(args[0].contains(r#""association":"vms","manager_ref":{"ems_ref":"vm-1"}"#), "{args:?}");
    let joined = "SELECT e.event_uid FROM event_streams e JOIN miq_queue q ON q.work_id = e.work_id \
                  JOIN event_actions a ON a.work_id = e.work_id WHERE a.state = 'done'";
    assert_eq!(house.rows(joined).await, ["b"]);
    house.happen(about_nothing("c", "x"), vec![call("event_action_refresh?target=nosuch")]).await;
    let last = house.actions().await.pop().unwrap();
    assert!(
        last.starts_with("event_action_refresh failed no target of a refresh is called \"nosuch\""),
        "{last}"
    );
}

async fn a_refresh_asked_for_later_is_what_it_would_have_been_at_once(house: House) {
    let args = "SELECT args FROM miq_queue WHERE queue_name = 'ems_1' ORDER BY id DESC";
    house.happen(event("a", "x"), vec![call("refresh")]).await;
    assert!(
        house.rows(args).await[0].contains(r#""manager_ref":{"ems_ref":"vm-1"}"#),
        "the provider's target"
    );
    house.happen(event("b", "x"), vec![call("event_action_refresh?target=src_host")]).await;
    assert!(house.rows(args).await[0].contains(r#""manager_ref":{"ems_ref":"host-1"}"#));
    house.happen(about_nothing("c", "x"), vec![call("event_action_refresh?target=src_vm")]).await;
    assert!(house.rows(args).await[0].contains(r#""full":true"#));
    house.happen(about_nothing("d", "x"), vec![call("refresh")]).await;
    let skipped = "refresh skipped the provider knows nothing to refresh for the event";
    assert_eq!(
        house.actions().await,
        ["refresh done -", "event_action_refresh done -", "event_action_refresh done -", skipped]
    );
    let rule = "/System/event_handlers/event_action_refresh?target=target /System/event_handlers/refresh";
    house.automate(|automation| automation.switchboard = switchboard(&[("MiqEvent/POLICY", "p", rule)]));
    house
        .happen(event("e", "x"), vec![call("event_action_policy?target=src_host&policy_event=p&param=")])
        .await;
    let waiting = house.rows(args).await;
    assert!(
        waiting[0].contains(r#""manager_ref":{"ems_ref":"host-1"}"#),
        "what the policy event is about: {waiting:?}"
    );
}

async fn a_target_that_is_not_in_inventory_takes_no_other_refresh_with_it(house: House) {
    let mut unknown = event("a", "x");
    unknown.event.vm_ems_ref = Some("vm-that-is-not-known".to_owned());
    let refresh = |name: &str| call(&format!("event_action_refresh?target={name}"));
    let scan = call("event_action_scan?target=src_vm");
    house.happen(unknown, vec![scan, refresh("src_vm"), refresh("dest_vm"), refresh("src_host")]).await;
    let args =
        house.rows("SELECT args FROM miq_queue WHERE queue_name = 'ems_1' ORDER BY id").await.join("\n");
    assert!(args.contains(r#""ems_ref":"vm-that-is-not-known""#), "the provider is asked about it: {args}");
    assert!(args.contains(r#""manager_ref":{"ems_ref":"host-1"}"#), "{args}");
}

const TASKS: &str = "SELECT name, state, status FROM miq_tasks";
const NAME: &str = "EmsRefresh(tiny) Refreshing relationships and power states";

async fn a_refresh_that_somebody_follows_has_a_task(house: House) {
    for (uid, error, status) in [("a", None, "Ok"), ("b", Some("no route"), "Error")] {
        let mut ready = asking(
            event(uid, "x"),
            vec![call("refresh_sync"), call("event_action_refresh_sync?target=src_vm")],
        );
        ready.work = Work::Refresh(vec![Target::by_ems_ref("vms", "vm-1")]);
        house.commit(vec![ready]).await;
        assert_eq!(house.work().await, 1);
        assert_eq!(house.rows(TASKS).await, [format!("{NAME} Queued Ok")], "one refresh has one task");
        assert_eq!(house.refresh(error).await, 1);
        assert_eq!(house.rows(TASKS).await, [format!("{NAME} Finished {status}")]);
        house.write(|c| c.batch("DELETE FROM miq_tasks")).await;
    }
}

async fn a_task_of_a_refresh_that_is_over_is_finished(house: House) {
    let mut ready = asking(event("a", "x"), vec![call("refresh_sync")]);
    ready.work = Work::FullRefresh;
    house.commit(vec![ready]).await;
    assert_eq!(house.refresh(Some("no route")).await, 1, "the refresh worker was quicker");
    assert_eq!(house.work().await, 1);
    assert_eq!(house.rows(TASKS).await, [format!("{NAME} Finished Error")]);
}

async fn a_task_of_a_refresh_that_is_given_up_is_finished_with_its_error(house: House) {
    let mut ready = asking(event("a", "x"), vec![call("refresh_sync")]);
    ready.work = Work::Refresh(vec![Target::by_ems_ref("vms", "vm-1")]);
    house.commit(vec![ready]).await;
    assert_eq!(house.work().await, 1);
    house
        .write(|c| {
            let work = claim_refresh(c, EmsId(1), OWNER, 100)?.remove(0);
            let started_on = work.requested_on;
            let given_up =
                GivenUp { requests: work.requests.clone(), work, error: "it is poison".to_owned() };
            give_up(c, EmsId(1), &[given_up], started_on)
        })
        .await;
    assert_eq!(house.rows(TASKS).await, [format!("{NAME} Finished Error")]);
    assert_eq!(house.rows("SELECT message FROM miq_tasks").await, ["it is poison"]);
}

async fn a_task_of_a_refresh_that_somebody_drops_is_finished_with_that(house: House) {
    let mut ready = asking(event("a", "x"), vec![call("refresh_sync")]);
    ready.work = Work::FullRefresh;
    house.commit(vec![ready]).await;
    assert_eq!(house.work().await, 1);
    let dropped = house
        .write(|c| {
            let id = c.rows("SELECT id FROM miq_queue WHERE queue_name = 'ems_1'", &[])?[0].id(0)?;
            queue::drop_row(c, id)
        })
        .await;
    assert!(matches!(dropped, queue::Steered::Done(_)));
    assert_eq!(house.rows(TASKS).await, [format!("{NAME} Finished Error")]);
    assert_eq!(house.rows("SELECT message FROM miq_tasks").await, ["dropped by `catchall queue drop`"]);
}

/// Whoever writes holds SQLite's one writer meanwhile.
async fn what_awaits_a_refresh_keeps_nobody_from_writing(house: House) {
    house.happen(event("a", "x"), vec![call(MACHINE)]).await;
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let writing = house.vmdb.write(move |_| Ok(ends.recv().is_err()));
    let mut worker = house.worker(OWNER);
    let round = tokio::time::timeout(Duration::from_secs(5), worker.round()).await.expect("it only looked");
    let round = round.unwrap();
    assert_eq!((round.done, round.look_again), (0, Duration::from_secs(1)));
    drop(end);
    assert!(writing.await.unwrap());
}

#[tokio::test]
async fn a_refresh_that_is_complete_while_somebody_looks_for_it_is_due_at_once() {
    let Some(house) = House::postgres().await else { return };
    house.happen(event("a", "x"), vec![call(MACHINE)]).await;
    house.write(|c| c.batch("UPDATE miq_queue SET deliver_on = NULL WHERE queue_name = 'generic'")).await;
    let work = house.write(|c| automate_claim::claim(c, OWNER, 9)).await.remove(0);
    let (looked, has_looked) = tokio::sync::oneshot::channel();
    let looking = house.vmdb.write(move |c| {
        c.transaction(|c| {
            assert!(automate_claim::take(c, &work)?);
            let request = &work.requests[0];
            let due = "2200-01-01T00:00:00Z".parse().unwrap();
            automate_work::put_awaiting(
                c,
                EmsId(1),
                request.event_id,
                request.awaited.clone().unwrap(),
                due,
            )?;
            looked.send(()).unwrap();
            let waits = "SELECT 1 FROM pg_locks WHERE NOT granted";
            let until = std::time::Instant::now() + Duration::from_secs(2);
            while c.rows(waits, &[])?.is_empty() && std::time::Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        })
    });
    let looking = tokio::spawn(looking);
    has_looked.await.unwrap();
    assert_eq!(house.refresh(None).await, 1);
    looking.await.unwrap().unwrap();
    assert_eq!(house.work().await, 1, "it does not wait for the next look");
    assert_eq!(house.rows(RAISED).await, ["vm_reconfigure 21"]);
}

const MACHINE: &str = "/System/Event/StateMachines/Refresh/default?refresh_target=src_vm&policy_event=vm_reconfigure&policy_target=src_vm";
const RAISED: &str = "SELECT event_type, target_id FROM event_streams WHERE type = 'MiqEvent'";

async fn the_state_machine_waits_for_its_refresh_and_then_raises_the_policy_event(house: House) {
    house.happen(event("a", "x"), vec![call(MACHINE)]).await;
    assert_eq!(house.actions().await, ["state_machine_refresh waiting waits for the refresh"]);
    let waiting = "SELECT queue_name FROM miq_queue WHERE state = 'ready' ORDER BY id";
    assert_eq!(house.rows(waiting).await, ["generic", "ems_1"]);
    assert_eq!(house.work().await, 0, "not due for a minute");
    house.write(|c| c.batch("UPDATE miq_queue SET deliver_on = NULL WHERE queue_name = 'generic'")).await;
    assert_eq!(house.work().await, 1, "due, and the refresh is not complete");
    assert_eq!(house.rows(RAISED).await.len(), 0);
    assert_eq!(house.rows("SELECT state, attempts FROM event_actions").await, ["waiting 1"]);
    assert_eq!(house.refresh(None).await, 1);
    assert_eq!(house.work().await, 1, "due as soon as the refresh is complete");
    assert_eq!(house.rows(RAISED).await, ["vm_reconfigure 21"]);
    assert_eq!(
        house.actions().await,
        ["state_machine_refresh done the refresh is complete", "event_action_policy done -"]
    );
    let left = "SELECT count(*) FROM miq_queue";
    assert_eq!(house.rows(left).await, ["0"]);
}

async fn the_state_machine_gives_up(house: House) {
    house.happen(event("a", "x"), vec![call(MACHINE)]).await;
    let late = "UPDATE miq_queue SET deliver_on = NULL, args = replace(args, '\"attempts\":0', '\"attempts\":99') \
                WHERE queue_name = 'generic'";
    house.write(|c| c.batch(late)).await;
    assert_eq!(house.work().await, 1);
    assert_eq!(
        house.actions().await,
        ["state_machine_refresh failed the refresh was not complete after 100 looks"]
    );
    assert_eq!(house.rows("SELECT count(*) FROM miq_queue WHERE queue_name = 'generic'").await, ["0"]);
    assert_eq!(house.rows(RAISED).await.len(), 0);
}

async fn without_a_refresh_the_policy_event_comes_at_once(house: House) {
    house.automate(|automation| automation.ems = std::sync::Arc::new(vec![]));
    house.happen(event("a", "x"), vec![call(MACHINE)]).await;
    assert_eq!(house.rows(RAISED).await, ["vm_reconfigure 21"]);
    assert!(house.actions().await[1].starts_with("state_machine_refresh skipped the EMS is not refreshed"));
}
