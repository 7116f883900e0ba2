//! Rows that cannot be done stand in nobody's way, and what two workers hold is done once.

use crate::support::{House, OWNER, asking, call, event, on_both};
use catchall::actor::rounds::Rounds;
use catchall::automate::delivery::{self, Written};
use catchall::vmdb::queue::{self, QueueQuery, Steered};
use catchall::vmdb::{automate_claim, miq_queue};

on_both! {
    a_row_that_was_claimed_by_another_meanwhile_is_left_to_it
    a_row_that_can_never_be_done_is_set_aside_and_the_others_go_on
    a_chain_that_the_vmdb_refuses_leaves_the_calls_done
    a_row_that_kills_the_process_is_claimed_alone_and_then_set_aside
    what_a_round_that_failed_gives_back_is_no_claim
    what_a_call_that_failed_had_asked_for_is_not_refreshed
}

const POLICY: &str = "event_action_policy?target=src_vm&policy_event=vm_start&param=";
const RAISED: &str = "SELECT count(*) FROM event_streams WHERE type = 'MiqEvent'";

async fn a_row_that_was_claimed_by_another_meanwhile_is_left_to_it(house: House) {
    house.commit(vec![asking(event("a", "x"), vec![call(POLICY)])]).await;
    let claimed = house.write(|c| automate_claim::claim(c, OWNER, 9)).await.remove(0);
    house.write(miq_queue::release_dead).await;
    let again = house.write(|c| automate_claim::claim(c, 8, 9)).await.remove(0);
    let deliver = |work| {
        let delivery = delivery::of(&work, house.automation.get(), "tiny".to_owned());
        house.write(move |c| delivery::deliver(c, &delivery, &work))
    };
    assert_eq!(deliver(claimed.clone()).await, Written::default());
    assert_eq!(house.rows(RAISED).await, ["0"]);
    let lost = claimed.clone();
    house.write(move |c| automate_claim::set_aside(c, &lost, "late")).await;
    assert_ne!(deliver(again).await, Written::default());
    assert_eq!(deliver(claimed).await, Written::default());
    assert_eq!(house.rows(RAISED).await, ["1"]);
}

/// Nothing can be written about the event `a`.
const REFUSED: &str =
    "CREATE UNIQUE INDEX refused ON event_actions (event_id) WHERE event_id = 1 AND queue_id IS NULL";

async fn a_row_that_can_never_be_done_is_set_aside_and_the_others_go_on(house: House) {
    house.commit(vec![asking(event("a", "x"), vec![call(POLICY), call(POLICY)])]).await;
    house.commit(vec![asking(event("b", "x"), vec![call(POLICY)])]).await;
    house.write(|c| c.batch(REFUSED)).await;
    assert_eq!(house.worker(OWNER).round().await.unwrap().done, 2);
    assert_eq!(house.rows("SELECT state, handler_id FROM miq_queue").await, ["error -"]);
    assert_eq!(house.rows(RAISED).await, ["1"], "b's");
    let rows = house.write(|c| queue::list(c, &QueueQuery { limit: 9, ..QueueQuery::default() })).await.0;
    let reason = rows[0].error.clone().unwrap();
    assert!(reason.starts_with("the VMDB cannot hold this: "), "{reason}");

    house.write(|c| c.batch("DROP INDEX refused")).await;
    let id = rows[0].id;
    assert!(matches!(house.write(move |c| queue::retry(c, id)).await, Steered::Done(_)));
    assert_eq!(house.work().await, 1);
    assert_eq!(house.rows(RAISED).await, ["3"]);
    let told = "SELECT state, reason FROM event_actions WHERE name = 'MiqAeEngine.deliver'";
    assert_eq!(house.rows(told).await, ["done -"]);
}

async fn a_chain_that_the_vmdb_refuses_leaves_the_calls_done(house: House) {
    house.automate(|automation| {
        automation.task_final_events =
            std::sync::Arc::new([("last".to_owned(), vec!["first".to_owned()])].into());
        automation.ems = std::sync::Arc::default();
    });
    let index = "CREATE UNIQUE INDEX refused ON event_actions (name) WHERE name = 'first_Complete'";
    house.write(move |c| c.batch(index)).await;
    let of_chain = |uid: &str, event_type: &str, chain_id| {
        let mut ready = asking(event(uid, event_type), vec![call(POLICY)]);
        ready.event.event.chain_id = Some(chain_id);
        ready.automate.chain = true;
        ready
    };
    let chain = |id| [of_chain(&format!("a{id}"), "first", id), of_chain(&format!("b{id}"), "last", id)];
    house.commit(chain(1).into_iter().chain(chain(2)).collect()).await;
    assert_eq!(house.work().await, 1);
    assert_eq!(house.rows("SELECT count(*) FROM miq_queue").await, ["0"], "the row is done");
    assert_eq!(house.rows(RAISED).await, ["4"]);
    let chains = house.rows("SELECT name, state FROM event_actions WHERE kind = 'chain' ORDER BY id").await;
    assert_eq!(chains, ["first failed", "last failed", "first failed", "last failed"]);
}

async fn a_row_that_kills_the_process_is_claimed_alone_and_then_set_aside(house: House) {
    house.commit(vec![asking(event("a", "x"), vec![call(POLICY)])]).await;
    house.commit(vec![asking(event("b", "x"), vec![call(POLICY)])]).await;
    let mut claims = Vec::new();
    for process in 1..=10 {
        claims.push(house.write(move |c| automate_claim::claim(c, process, 9)).await.len());
        house.write(miq_queue::release_dead).await;
    }
    assert_eq!(claims, [2, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(house.work().await, 1, "the other one");
    assert_eq!(house.rows("SELECT state FROM miq_queue").await, ["error"]);
    let rows = house.write(|c| queue::list(c, &QueueQuery { limit: 9, ..QueueQuery::default() })).await.0;
    let reason = "it was claimed 10 times, and the process ended each time before it was done";
    assert_eq!(rows[0].error.as_deref(), Some(reason));
    let id = rows[0].id;
    house.write(move |c| queue::retry(c, id)).await;
    assert_eq!(house.work().await, 1, "who asks for it again gets it");
    assert_eq!(house.rows(RAISED).await, ["2"]);
}

async fn what_a_round_that_failed_gives_back_is_no_claim(house: House) {
    house.commit(vec![asking(event("a", "x"), vec![call(POLICY)])]).await;
    for _ in 0..20 {
        assert_eq!(house.write(|c| automate_claim::claim(c, OWNER, 9)).await.len(), 1);
    }
    assert_eq!(house.work().await, 1);
}

async fn what_a_call_that_failed_had_asked_for_is_not_refreshed(house: House) {
    let index = "CREATE UNIQUE INDEX one_waits ON event_actions (state) WHERE state = 'waiting'";
    house.write(move |c| c.batch(index)).await;
    let machine = call(
        "/System/Event/StateMachines/Refresh/default?refresh_target=src_vm&policy_event=p&policy_target=src_vm",
    );
    let mut other = event("b", "x");
    other.event.vm_ems_ref = Some("vm-2".to_owned());
    house.commit(vec![asking(event("a", "x"), vec![machine.clone()]), asking(other, vec![machine])]).await;
    assert_eq!(house.work().await, 1);
    let args = house.rows("SELECT args FROM miq_queue WHERE queue_name = 'ems_1'").await.remove(0);
    assert!(args.contains("vm-1") && !args.contains("vm-2"), "{args}");
    assert_eq!(house.rows("SELECT count(*) FROM event_streams WHERE work_id IS NOT NULL").await, ["1"]);
    assert_eq!(house.rows("SELECT state FROM event_actions ORDER BY state").await, ["failed", "waiting"]);
}
