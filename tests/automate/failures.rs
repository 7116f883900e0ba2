//! What fails, fails alone: handlers, requests, rows, workers.

use crate::support::{House, OWNER, asking, call, event, on_both};
use catchall::vmdb::{automate_claim, miq_queue};

on_both! {
    one_handler_that_fails_does_not_stop_the_others
    with_abort_on_error_the_rest_is_skipped
    what_the_vmdb_cannot_hold_fails_and_the_row_goes_on
    a_request_that_is_refused_by_the_vmdb_fails_alone
    the_work_of_a_worker_that_was_killed_is_done_once
    a_row_that_cannot_be_read_is_set_aside
}

const POLICY: &str = "event_action_policy?target=src_vm&policy_event=vm_start&param=";

async fn one_handler_that_fails_does_not_stop_the_others(house: House) {
    let calls = vec![call("change_event_target_state?target=nobody&param=on"), call(POLICY)];
    house.happen(event("a", "x"), calls).await;
    assert_eq!(
        house.actions().await,
        ["change_event_target_state failed no target is called \"nobody\"", "event_action_policy done -"]
    );
}

async fn with_abort_on_error_the_rest_is_skipped(house: House) {
    house.automate(|automation| automation.abort_on_error = true);
    let calls = vec![call("change_event_target_state?target=nobody&param=on"), call(POLICY)];
    house.commit(vec![asking(event("a", "x"), calls), asking(event("b", "x"), vec![call(POLICY)])]).await;
    assert_eq!(house.work().await, 1);
    assert_eq!(
        house.actions().await,
        [
            "change_event_target_state failed no target is called \"nobody\"",
            "event_action_policy skipped a handler before it failed, and automate.abort_on_error is set",
            "event_action_policy done -",
        ]
    );
}

async fn what_the_vmdb_cannot_hold_fails_and_the_row_goes_on(house: House) {
    let nul = call("event_action_policy?target=src_vm&policy_event=a\0b&param=");
    let long = call(&format!("event_action_policy?target=src_vm&policy_event={}&param=", "x".repeat(256)));
    house.happen(event("a", "x"), vec![nul, long, call(POLICY)]).await;
    assert_eq!(
        house.actions().await,
        [
            "event_action_policy failed policy_event: holds NUL, which no database takes",
            "event_action_policy failed policy_event is longer than 255 bytes",
            "event_action_policy done -",
        ]
    );
}

async fn a_request_that_is_refused_by_the_vmdb_fails_alone(house: House) {
    let index = "CREATE UNIQUE INDEX one_of_each ON event_streams (event_type) WHERE type = 'MiqEvent'";
    house.write(|c| c.batch(index)).await;
    let policy =
        |name: &str| vec![call(&format!("event_action_policy?target=src_vm&policy_event={name}&param="))];
    let events =
        ["a", "b", "c"].map(|uid| asking(event(uid, "x"), policy(if uid == "c" { "q" } else { "p" })));
    house.commit(events.into()).await;
    assert_eq!(house.work().await, 1);
    assert_eq!(
        house.rows("SELECT event_type FROM event_streams WHERE type = 'MiqEvent' ORDER BY id").await,
        ["p", "q"]
    );
    let actions = house
        .rows(
            "SELECT event_id, state FROM event_actions WHERE name = 'event_action_policy' ORDER BY event_id",
        )
        .await;
    assert_eq!(actions, ["1 done", "2 failed", "3 done"]);
    assert_eq!(house.rows("SELECT count(*) FROM miq_queue").await, ["0"], "the row is done");
}

async fn the_work_of_a_worker_that_was_killed_is_done_once(house: House) {
    house.commit(vec![asking(event("a", "x"), vec![call(POLICY)])]).await;
    let claimed = house.write(|c| automate_claim::claim(c, 1, 9)).await;
    assert_eq!(claimed.len(), 1, "claimed by a process that is killed now");
    assert_eq!(house.work().await, 0, "nobody else takes it");
    assert_eq!(house.write(miq_queue::release_dead).await, 1);
    assert_eq!(house.work().await, 1);
    house.commit(vec![asking(event("b", "x"), vec![call(POLICY)])]).await;
    house.write(|c| automate_claim::claim(c, OWNER, 9)).await;
    assert_eq!(house.work().await, 1, "what a stopped worker of this process had claimed is claimed again");
    house
        .commit(vec![
            asking(event("a", "x"), vec![call(POLICY)]),
            asking(event("b", "x"), vec![call(POLICY)]),
        ])
        .await;
    assert_eq!(house.work().await, 0, "events that were known make no work");
    assert_eq!(house.rows("SELECT count(*) FROM event_streams WHERE type = 'MiqEvent'").await, ["2"]);
}

async fn a_row_that_cannot_be_read_is_set_aside(house: House) {
    let sql = "INSERT INTO miq_queue (queue_name, class_name, state, target_id, args) \
               VALUES ('generic', 'MiqAeEngine', 'ready', 1, '---')";
    house.write(move |c| c.execute(sql, &[])).await;
    house.commit(vec![asking(event("a", "x"), vec![call(POLICY)])]).await;
    assert_eq!(house.work().await, 1);
    assert_eq!(house.rows("SELECT state, handler_id FROM miq_queue").await, ["error -"]);
}
