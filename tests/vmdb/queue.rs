//! `miq_queue`: events between processes, refresh work, claims.

use crate::support::{Fresh, batch, cursor, ems_settings, event, on_both};
use catchall::provider::{EmsId, Gap, ParsedEvent, Target, TargetRequest};
use catchall::vmdb::miq_queue::{self, QueuedBatch, QueuedOutcome, claim_events, put_events};
use catchall::vmdb::refresh_claim::waiting_until;
use catchall::vmdb::refresh_outcome::{
    GivenUp, RefreshOutcome, complete_refresh, give_up, last_full_refresh, refresh_failed, refresh_succeeded,
};
use catchall::vmdb::refresh_work::{
    ask, claim_refresh, claim_rows, ems_with_waiting_refresh, queue_full_refresh,
};
use catchall::vmdb::{Access, DeadLetter, ReadyBatch, Vmdb, Work, cursors, ems, event_commit};

on_both! {
    events_go_through_the_queue_once_and_in_order
    an_event_that_waits_or_is_stored_is_not_queued_again
    args_that_are_no_event_become_a_dead_letter
    claims_of_the_dead_are_given_back
    work_is_claimed_once_and_its_answer_is_kept
    work_that_fails_waits_again_with_one_row_that_says_so
    work_is_given_up_for_the_requests_that_fail_and_a_full_refresh_claims_it_too
    what_waits_is_seen_before_it_is_claimed_and_claimed_by_choice
    one_full_refresh_waits_at_most
    the_last_full_refresh_that_succeeded_is_known
    work_carries_the_zone_of_its_ems
}

fn queued(events: Vec<ParsedEvent>) -> QueuedBatch {
    QueuedBatch {
        ems_id: EmsId(1),
        events,
        dead_letters: vec![],
        cursor: Some(cursor(5)),
        gap: None,
        is_refreshed: true,
    }
}

async fn put(fresh: &Fresh, batch: QueuedBatch) -> QueuedOutcome {
    fresh.write(move |c| put_events(c, &[batch])).await.remove(0)
}

async fn events_go_through_the_queue_once_and_in_order(fresh: Fresh) {
    let letter = DeadLetter {
        transport_id: None,
        event_uid: "x".to_owned(),
        native: "?".to_owned(),
        reason: "no JSON".to_owned(),
    };
    let gap = Gap { from: None, to: None, reason: "history_lost".to_owned() };
    let sent = QueuedBatch {
        dead_letters: vec![letter],
        gap: Some(gap),
        ..queued(vec![event("b", "X"), event("a", "X"), event("c", "X")])
    };
    assert_eq!(put(&fresh, sent).await, QueuedOutcome { queued: 3, duplicates: 0, dead_letters: 1, gaps: 1 });
    assert_eq!(fresh.vmdb.read(|c| cursors::load(c, EmsId(1))).await.unwrap(), Some(cursor(5)));
    let first = fresh.write(|c| claim_events(c, 1, 2)).await;
    let rest = fresh.write(|c| claim_events(c, 1, 9)).await;
    let uids: Vec<_> = first.iter().chain(&rest).map(|claimed| claimed.event.event_uid.as_str()).collect();
    assert_eq!(uids, ["b", "a", "c"]);
    assert_eq!(first[0].event.event.full_data.text(), "{\"id\": \"b\"}");
    let ids = first.iter().chain(&rest).map(|claimed| claimed.id).collect();
    let events = first.into_iter().chain(rest).map(|claimed| claimed.event).collect();
    let delivered = ReadyBatch { delivered: ids, ..batch(events) };
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[delivered])).await.unwrap();
    assert_eq!(fresh.count("SELECT count(*) FROM miq_queue WHERE queue_name = 'ems'").await, 0);
    assert_eq!(fresh.count("SELECT count(*) FROM miq_queue WHERE queue_name = 'ems_1'").await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 3);
}

async fn an_event_that_waits_or_is_stored_is_not_queued_again(fresh: Fresh) {
    let stored = batch(vec![event("stored", "X")]);
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[stored])).await.unwrap();
    put(&fresh, queued(vec![event("waits", "X")])).await;
    fresh.write(|c| claim_events(c, 1, 9)).await;
    let again = queued(vec![event("stored", "X"), event("waits", "X"), event("new", "X"), event("new", "X")]);
    assert_eq!(
        put(&fresh, again).await,
        QueuedOutcome { queued: 1, duplicates: 3, dead_letters: 0, gaps: 0 }
    );
}

async fn args_that_are_no_event_become_a_dead_letter(fresh: Fresh) {
    let sql = "INSERT INTO miq_queue (queue_name, class_name, state, target_id, args) \
               VALUES ('ems', 'EmsEvent', 'ready', 1, '---\n- :event_type: X\n')";
    fresh.write(move |c| c.execute(sql, &[])).await;
    assert_eq!(fresh.write(|c| claim_events(c, 1, 9)).await.len(), 0);
    assert_eq!(fresh.count("SELECT count(*) FROM dead_letters WHERE native LIKE '---%'").await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM miq_queue").await, 0);
}

async fn claims_of_the_dead_are_given_back(fresh: Fresh) {
    put(&fresh, queued(vec![event("a", "X"), event("b", "X")])).await;
    let claimed = fresh.write(|c| claim_events(c, 1, 9)).await;
    let id = claimed[1].id;
    fresh.write(move |c| miq_queue::release(c, vec![id])).await;
    let counts = fresh.vmdb.read(miq_queue::counts).await.unwrap();
    let of = |state: &str| counts[&("ems".to_owned(), state.to_owned())];
    assert_eq!((of("dequeue"), of("ready")), (1, 1));
    assert_eq!(fresh.write(miq_queue::release_dead).await, 1);
    let before = catchall::clock::now();
    fresh.write(|c| claim_events(c, 1, 1)).await;
    assert!(!fresh.vmdb.read(move |c| miq_queue::claimed_before(c, before)).await.unwrap());
    assert_eq!(fresh.write(move |c| miq_queue::release_claimed_before(c, before)).await, 0);
    let after = catchall::clock::now();
    assert!(fresh.vmdb.read(move |c| miq_queue::claimed_before(c, after)).await.unwrap());
    assert_eq!(fresh.write(move |c| miq_queue::release_claimed_before(c, after)).await, 1);
    assert_eq!(fresh.write(|c| claim_events(c, 1, 9)).await.len(), 2);
}

async fn work_is_claimed_once_and_its_answer_is_kept(fresh: Fresh) {
    for uid in ["a", "b"] {
        let mut asking = batch(vec![event(uid, "X")]);
        asking.events[0].work = Work::Refresh(vec![Target::by_ems_ref("vms", uid)]);
        fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[asking])).await.unwrap();
    }
    assert_eq!(fresh.vmdb.read(ems_with_waiting_refresh).await.unwrap(), [EmsId(1)]);
    let work = fresh.write(|c| claim_refresh(c, EmsId(1), 1, 9)).await;
    assert_eq!(work.len(), 2);
    assert!(work[0].work_id < work[1].work_id);
    assert_eq!(fresh.vmdb.read(ems_with_waiting_refresh).await.unwrap(), []);
    assert_eq!(fresh.write(|c| claim_refresh(c, EmsId(1), 2, 9)).await, [], "another process finds nothing");
    let left_over = fresh.write(|c| claim_refresh(c, EmsId(1), 1, 9)).await;
    assert_eq!(left_over, work, "what its own worker left when it was stopped is claimed again");
    let outcome = RefreshOutcome { full: false, started_on: work[0].requested_on, error: None };
    fresh.write(move |c| complete_refresh(c, &work, &outcome)).await;
    assert_eq!(fresh.count("SELECT count(*) FROM miq_queue").await, 0);
    let joined = "SELECT count(*) FROM event_streams e JOIN ems_refreshes r ON r.work_id = e.work_id \
                  WHERE r.kind = 'targeted' AND r.targets = 1 AND r.finished_on IS NOT NULL AND r.error IS NULL";
    assert_eq!(fresh.count(joined).await, 2);
}

fn request(ems_ref: &str) -> TargetRequest {
    TargetRequest {
        target: Target::by_ems_ref("vms", ems_ref),
        event_type: "X".to_owned(),
        timestamp: chrono::DateTime::UNIX_EPOCH,
    }
}

fn failed(error: &str) -> RefreshOutcome {
    RefreshOutcome { full: false, started_on: chrono::DateTime::UNIX_EPOCH, error: Some(error.to_owned()) }
}

async fn work_that_fails_waits_again_with_one_row_that_says_so(fresh: Fresh) {
    let id = fresh.write(|c| ems::enter(c, &[ems_settings("a")])).await[0].id;
    fresh.write(move |c| ask(c, id, vec![request("a")])).await;
    for error in ["away", "still away"] {
        let work = fresh.write(move |c| claim_refresh(c, id, 1, 9)).await;
        fresh.write(move |c| refresh_failed(c, id, &work, &failed(error))).await;
    }
    let told = "SELECT count(*) FROM ems_refreshes WHERE error = 'still away' AND attempts = 2";
    assert_eq!(fresh.count(told).await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM ems_refreshes").await, 1);
    let ems = fresh.vmdb.read(ems::list).await.unwrap();
    assert_eq!(ems[0].last_refresh_error.as_deref(), Some("still away"));
    assert!(ems[0].last_refresh_date.is_some() && ems[0].last_refresh_success_date.is_none());
    assert_eq!(fresh.count("SELECT count(*) FROM miq_queue WHERE state = 'ready'").await, 1);
}

async fn work_is_given_up_for_the_requests_that_fail_and_a_full_refresh_claims_it_too(fresh: Fresh) {
    fresh.write(|c| ask(c, EmsId(1), vec![request("good"), request("bad")])).await;
    let work = fresh.write(|c| claim_refresh(c, EmsId(1), 1, 9)).await.remove(0);
    let given_up = GivenUp { work, requests: vec![request("bad")], error: "500".to_owned() };
    let nothing_else = RefreshOutcome { error: None, ..failed("") };
    fresh.write(move |c| refresh_succeeded(c, EmsId(1), &[], &nothing_else)).await;
    fresh.write(move |c| give_up(c, EmsId(1), &[given_up], chrono::DateTime::UNIX_EPOCH)).await;
    assert_eq!(
        fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 9, |_| false)).await.unwrap(),
        [],
        "it waits no longer"
    );
    let work = fresh.write(|c| claim_refresh(c, EmsId(1), 1, 9)).await;
    assert_eq!(work[0].requests, [request("bad")]);
}

async fn what_waits_is_seen_before_it_is_claimed_and_claimed_by_choice(fresh: Fresh) {
    for name in ["a", "b"] {
        fresh.write(move |c| ask(c, EmsId(1), vec![request(name)])).await;
    }
    let seen = fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 9, |_| false)).await.unwrap();
    assert_eq!(seen.iter().map(|work| work.requests[0].clone()).collect::<Vec<_>>(), ["a", "b"].map(request));
    let chosen = vec![seen[1].id, 1_000];
    let claimed = fresh.write(move |c| claim_rows(c, EmsId(1), 1, chosen)).await;
    assert_eq!(claimed, seen[1..]);
    assert_eq!(
        fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 2, 9, |_| false)).await.unwrap(),
        seen[..1],
        "another sees the rest"
    );
    assert_eq!(
        fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 9, |_| false)).await.unwrap(),
        seen,
        "what it holds was left"
    );
}

async fn one_full_refresh_waits_at_most(fresh: Fresh) {
    assert!(fresh.write(|c| queue_full_refresh(c, EmsId(1))).await);
    assert!(!fresh.write(|c| queue_full_refresh(c, EmsId(1))).await);
    assert!(fresh.write(|c| claim_refresh(c, EmsId(1), 1, 9)).await[0].full);
    assert!(fresh.write(|c| queue_full_refresh(c, EmsId(1))).await, "a claimed one looks at what was before");
}

async fn the_last_full_refresh_that_succeeded_is_known(fresh: Fresh) {
    let known = |c: &mut catchall::vmdb::Connection| last_full_refresh(c, EmsId(1));
    for (full, error, succeeded) in [(true, Some("away"), false), (false, None, false), (true, None, true)] {
        fresh.write(|c| queue_full_refresh(c, EmsId(1))).await;
        let work = fresh.write(|c| claim_refresh(c, EmsId(1), 1, 9)).await;
        let started_on = work[0].requested_on;
        let outcome = RefreshOutcome { full, started_on, error: error.map(str::to_owned) };
        fresh.write(move |c| complete_refresh(c, &work, &outcome)).await;
        assert_eq!(fresh.vmdb.read(known).await.unwrap(), succeeded.then_some(started_on));
    }
}

async fn work_carries_the_zone_of_its_ems(fresh: Fresh) {
    let id = fresh.write(|c| ems::enter(c, &[ems_settings("a")])).await[0].id;
    fresh.write(move |c| queue_full_refresh(c, id)).await;
    assert_eq!(
        fresh.count("SELECT count(*) FROM miq_queue WHERE zone = 'default' AND role = 'ems_inventory'").await,
        1
    );
}

#[tokio::test]
async fn two_processes_never_claim_the_same_event() {
    for fresh in [Fresh::sqlite().await, Fresh::postgres().await].into_iter().flatten() {
        put(&fresh, queued((0..200).map(|n| event(&format!("e{n}"), "X")).collect())).await;
        let other = Vmdb::open(&fresh.settings, Access::Worker).await.unwrap();
        let claim = |vmdb: &Vmdb| {
            let vmdb = vmdb.clone();
            async move {
                let mut ids = Vec::new();
                loop {
                    let claimed = vmdb.write(|c| claim_events(c, 1, 7)).await.unwrap();
                    if claimed.is_empty() {
                        return ids;
                    }
                    ids.extend(claimed.iter().map(|event| event.id));
                }
            }
        };
        let (mut ids, others) = tokio::join!(claim(&fresh.vmdb), claim(&other));
        ids.extend(others);
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!((all, ids.len()), (200, 200));
    }
}
