//! Refresh work of an EMS in which a storm rages: read as far as it matters, claimed in slices.

use crate::support::{Fresh, on_both};
use catchall::provider::{EmsId, Target, TargetRequest};
use catchall::vmdb::refresh_claim::{claim_slice, counted, slices_of_all, waiting_until};
use catchall::vmdb::refresh_outcome::{GivenUp, give_up};
use catchall::vmdb::refresh_work::{ask, claim_rows, queue_full_refresh};

on_both! {
    what_waits_is_read_until_it_is_enough
    whoever_asks_for_everything_is_seen_behind_what_is_enough
    a_full_refresh_claims_in_slices_what_waits_and_what_was_given_up
}

fn request(ems_ref: &str, size: usize) -> TargetRequest {
    TargetRequest {
        target: Target::by_ems_ref("vms", format!("{ems_ref}{}", "x".repeat(size))),
        event_type: "X".to_owned(),
        timestamp: chrono::DateTime::UNIX_EPOCH,
    }
}

async fn ask_for(fresh: &Fresh, rows: usize, size: usize) {
    for number in 0..rows {
        let targets = vec![request(&format!("a{number}-"), size), request(&format!("b{number}-"), size)];
        fresh.write(move |c| ask(c, EmsId(1), targets)).await;
    }
}

async fn what_waits_is_read_until_it_is_enough(fresh: Fresh) {
    ask_for(&fresh, 20, 1).await;
    let all = fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 100, |_| false)).await.unwrap();
    for (limit, enough, read) in [(100, 3, 3), (100, 12, 12), (100, 99, 20), (10, 99, 10), (8, 99, 8)] {
        let seen = fresh
            .vmdb
            .read(move |c| {
                let mut left = enough;
                let count = move |_: &_| {
                    left -= 1;
                    left == 0
                };
                waiting_until(c, EmsId(1), 1, limit, count)
            })
            .await
            .unwrap();
        assert_eq!(seen, all[..read], "limit {limit}, enough {enough}");
    }
    assert_eq!(fresh.vmdb.read(|c| waiting_until(c, EmsId(2), 1, 9, |_| true)).await.unwrap(), []);
}

async fn whoever_asks_for_everything_is_seen_behind_what_is_enough(fresh: Fresh) {
    ask_for(&fresh, 12, 1).await;
    fresh.write(|c| queue_full_refresh(c, EmsId(1))).await;
    let seen = fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 100, |_| true)).await.unwrap();
    assert_eq!(seen.iter().map(|work| work.full).collect::<Vec<_>>(), [false, true]);
    let seen = fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 5, |_| false)).await.unwrap();
    assert_eq!((seen.len(), seen[5].full), (6, true), "also behind the limit");
    let sql = "UPDATE miq_queue SET args = 'no JSON' WHERE queue_name = ? AND id = ?";
    let full = seen[5].id;
    fresh.write(move |c| c.execute(sql, &["ems_1".into(), full.into()])).await;
    let seen = fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 100, |_| true)).await.unwrap();
    assert!(seen[1].full, "args that cannot be read ask for everything");
}

async fn a_full_refresh_claims_in_slices_what_waits_and_what_was_given_up(fresh: Fresh) {
    ask_for(&fresh, 3, 700_000).await;
    fresh.write(|c| queue_full_refresh(c, EmsId(1))).await;
    let all = fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 1, 9, |_| false)).await.unwrap();
    let bad = vec![all[0].id];
    let work = fresh.write(move |c| claim_rows(c, EmsId(1), 1, bad)).await.remove(0);
    let requests = work.requests[..1].to_vec();
    let given_up = GivenUp { work, requests, error: "bad".to_owned() };
    fresh.write(move |c| give_up(c, EmsId(1), &[given_up], chrono::DateTime::UNIX_EPOCH)).await;
    let slices = fresh.vmdb.read(|c| slices_of_all(c, EmsId(1), 1, 9)).await.unwrap();
    let ids: Vec<_> = all.iter().map(|work| work.id).collect();
    assert_eq!(slices.concat(), ids);
    assert_eq!(slices.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 2], "two large rows are too many");
    let mut claimed = Vec::new();
    for slice in slices {
        let work = fresh.write(move |c| claim_slice(c, EmsId(1), 1, slice)).await;
        claimed.extend(fresh.vmdb.read(|c| counted(c, work)).await.unwrap());
    }
    let told = |work: &catchall::vmdb::refresh_work::RefreshWork| {
        (work.id, work.work_id, work.requested_on, work.full, work.targets)
    };
    let mut expected: Vec<_> = all.iter().map(told).collect();
    expected[0].4 = 1;
    assert_eq!(
        claimed.iter().map(told).collect::<Vec<_>>(),
        expected,
        "of the one given up a target is left"
    );
    assert!(claimed.iter().all(|work| work.requests.is_empty()));
    assert_eq!(
        fresh.vmdb.read(|c| waiting_until(c, EmsId(1), 2, 9, |_| false)).await.unwrap(),
        [],
        "another sees nothing"
    );
    let stolen = fresh.write(move |c| claim_slice(c, EmsId(1), 2, ids)).await;
    assert_eq!(stolen, [], "what another has is not claimed");
}
