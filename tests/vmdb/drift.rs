//! What counts as a correction of a full refresh: rows that nobody had asked for.

use crate::support::{Fresh, batch, event, on_both};
use catchall::clock;
use catchall::provider::{EmsId, Target};
use catchall::vmdb::drift::corrected;
use catchall::vmdb::inventory::SaveCounts;
use catchall::vmdb::refresh_work::{RefreshWork, claim_refresh, queue_full_refresh};
use catchall::vmdb::{ReadyEvent, Work, event_commit};
use std::collections::BTreeMap;

on_both! {
    a_full_refresh_that_was_merely_due_counts_what_it_had_to_correct
    what_an_event_asked_for_is_no_drift
    what_waits_to_be_refreshed_is_taken_off
}

/// Two VMs and a flavor were not as they should have been.
async fn counted(fresh: &Fresh, work: Vec<RefreshWork>) -> BTreeMap<&'static str, u64> {
    let vms = SaveCounts { added: 1, removed: 1, unchanged: 7, ..SaveCounts::default() };
    let flavors = SaveCounts { changed: 1, ..SaveCounts::default() };
    let hosts = SaveCounts { unchanged: 3, ..SaveCounts::default() };
    let written = BTreeMap::from([("vms", vms), ("flavors", flavors), ("hosts", hosts)]);
    fresh.vmdb.read(move |c| corrected(c, EmsId(1), &work, &written)).await.unwrap()
}

async fn commit(fresh: &Fresh, uid: &str, work: Work) {
    let mut parsed = event(uid, "X");
    parsed.event.timestamp = clock::now();
    let mut batch = batch(vec![]);
    batch.events.push(ReadyEvent::new(parsed, work));
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[batch])).await.unwrap();
}

async fn claim(fresh: &Fresh) -> Vec<RefreshWork> {
    fresh.write(|c| claim_refresh(c, EmsId(1), 1, 100)).await
}

async fn a_full_refresh_that_was_merely_due_counts_what_it_had_to_correct(fresh: Fresh) {
    commit(&fresh, "a", Work::None).await;
    fresh.write(|c| queue_full_refresh(c, EmsId(1))).await;
    let work = claim(&fresh).await;
    assert_eq!(counted(&fresh, work).await, BTreeMap::from([("vms", 2), ("flavors", 1)]));
}

async fn what_an_event_asked_for_is_no_drift(fresh: Fresh) {
    commit(&fresh, "a", Work::FullRefresh).await;
    let work = claim(&fresh).await;
    assert!(work[0].full);
    assert_eq!(counted(&fresh, work).await, BTreeMap::new());
    // So many that all of the EMS was refreshed.
    commit(&fresh, "b", Work::Refresh(vec![Target::by_ems_ref("vms", "vm-1")])).await;
    let work = claim(&fresh).await;
    assert_eq!(counted(&fresh, work).await, BTreeMap::new());
}

async fn what_waits_to_be_refreshed_is_taken_off(fresh: Fresh) {
    fresh.write(|c| queue_full_refresh(c, EmsId(1))).await;
    let work = claim(&fresh).await;
    for uid in ["a", "b"] {
        commit(&fresh, uid, Work::Refresh(vec![Target::by_ems_ref("vms", "vm-1")])).await;
    }
    assert_eq!(counted(&fresh, work.clone()).await, BTreeMap::from([("vms", 1), ("flavors", 1)]));
    commit(&fresh, "c", Work::Refresh(vec![Target::by_ems_ref("vms", "vm-2")])).await;
    assert_eq!(counted(&fresh, work).await, BTreeMap::from([("flavors", 1)]));
}
