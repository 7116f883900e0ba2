//! Flood control in the VMDB: repeats are folded into one row; each identity is stored once, whatever the order in which
//! events are read again and however they are judged then.

use crate::support::{Fresh, batch, event, on_both};
use catchall::event_catcher::flood::FloodMonitor;
use catchall::provider::{EmsId, ParsedEvent, Target, flood_key};
use catchall::vmdb::purge::{Purgeable, purge};
use catchall::vmdb::refresh_work::claim_refresh;
use catchall::vmdb::{BatchOutcome, ReadyBatch, Work, event_commit, folded_events, trace};
use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

on_both! {
    more_than_thirty_repeats_in_a_minute_are_thirty_rows_and_the_rest_is_folded_into_the_last
    a_folded_event_is_known_whether_flood_control_is_on_or_off
    what_is_a_row_is_never_folded_too
    without_the_row_that_should_take_it_a_repeat_is_a_row
    a_folded_event_asks_for_its_refresh_and_the_last_one_counts
    folded_events_are_purged_with_their_row_a_slice_at_a_time
    in_any_order_split_and_judgement_every_event_is_stored_exactly_once
}

async fn commit(fresh: &Fresh, batch: ReadyBatch) -> BatchOutcome {
    let batches = vec![batch];
    fresh
        .vmdb
        .commit(0, move |c| event_commit::commit(c, &batches))
        .await
        .expect("the commit succeeds")
        .remove(0)
}

/// One of these happens each second; `kinds` of them take turns.
fn storm(count: i64, kinds: i64) -> Vec<ParsedEvent> {
    let one = |number: i64| {
        let mut said = event(&format!("e{number}"), &format!("Alarm{}", number % kinds));
        said.event.timestamp += TimeDelta::seconds(number);
        said.event.chain_id = Some(number);
        said
    };
    (0..count).map(one).collect()
}

fn judged(monitor: &mut FloodMonitor, events: Vec<ParsedEvent>) -> ReadyBatch {
    let mut batch = batch(events);
    for ready in &mut batch.events {
        ready.folded_into = monitor.judge(&flood_key(&ready.event.event), &ready.event);
    }
    batch
}

async fn folded(fresh: &Fresh) -> Vec<String> {
    fresh.vmdb.read(|c| folded_events::uids(c, EmsId(1))).await.unwrap()
}

async fn rows(fresh: &Fresh) -> Vec<String> {
    let sql = "SELECT event_uid FROM event_streams ORDER BY id";
    let rows = fresh.vmdb.read(move |c| c.rows(sql, &[])).await.unwrap();
    rows.iter().filter_map(|row| row.string(0)).collect()
}

async fn more_than_thirty_repeats_in_a_minute_are_thirty_rows_and_the_rest_is_folded_into_the_last(
    fresh: Fresh,
) {
    let (mut monitor, events) = (FloodMonitor::new(30), storm(45, 1));
    let outcome = commit(&fresh, judged(&mut monitor, events.clone())).await;
    assert_eq!((outcome.new_events, outcome.folded_events, outcome.duplicates), (30, 15, 0));
    assert_eq!(outcome.timestamps.len(), 45);
    assert_eq!((rows(&fresh).await.len(), folded(&fresh).await.len()), (30, 15));
    let sql = "SELECT id FROM event_streams WHERE event_uid = 'e29'";
    let id = fresh.count(sql).await;
    let story = fresh.vmdb.read(move |c| trace::story(c, id)).await.unwrap().unwrap();
    let told = story.folded.unwrap();
    assert_eq!((told.count, told.latest.len()), (15, 15));
    assert_eq!(told.first_timestamp, Some(events[29].event.timestamp));
    assert_eq!(told.last_timestamp, Some(events[44].event.timestamp));
    let native =
        "SELECT count(*) FROM folded_events WHERE event_uid = 'e44' AND full_data = '{\"id\": \"e44\"}'";
    assert_eq!(fresh.count(native).await, 1);
    // Another batch goes on with the same row, and what came before is known.
    let outcome = commit(&fresh, judged(&mut monitor, storm(50, 1))).await;
    assert_eq!((outcome.new_events, outcome.folded_events, outcome.duplicates), (0, 5, 45));
    assert_eq!(fresh.count("SELECT CAST(sum(folded_count) AS bigint) FROM event_streams").await, 20);
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams WHERE folded_count IS NOT NULL").await, 1);
}

async fn a_folded_event_is_known_whether_flood_control_is_on_or_off(fresh: Fresh) {
    commit(&fresh, judged(&mut FloodMonitor::new(1), storm(5, 1))).await;
    let outcome = commit(&fresh, batch(storm(5, 1))).await;
    assert_eq!((outcome.new_events, outcome.folded_events, outcome.duplicates), (0, 0, 5));
    assert_eq!((rows(&fresh).await, folded(&fresh).await.len()), (vec!["e0".to_owned()], 4));
}

async fn what_is_a_row_is_never_folded_too(fresh: Fresh) {
    commit(&fresh, batch(storm(5, 1))).await;
    let outcome = commit(&fresh, judged(&mut FloodMonitor::new(1), storm(6, 1))).await;
    assert_eq!((outcome.new_events, outcome.folded_events, outcome.duplicates), (0, 1, 5));
    assert_eq!(folded(&fresh).await, ["e5"]);
}

async fn without_the_row_that_should_take_it_a_repeat_is_a_row(fresh: Fresh) {
    let mut storm = storm(3, 1);
    let mut lonely = batch(vec![storm.remove(2)]);
    lonely.events[0].folded_into = Some("gone".to_owned());
    assert_eq!(commit(&fresh, lonely).await.new_events, 1);
    // One that was folded itself hands its repeats on to the row that took it.
    let mut pair = batch(storm);
    pair.events[0].folded_into = Some("e2".to_owned());
    assert_eq!(commit(&fresh, pair.clone()).await.folded_events, 1);
    let mut next = batch(vec![event("next", "Alarm0")]);
    next.events[0].folded_into = Some("e0".to_owned());
    assert_eq!(commit(&fresh, next).await.folded_events, 1);
    assert_eq!(fresh.count("SELECT folded_count FROM event_streams WHERE event_uid = 'e2'").await, 2);
    assert_eq!(rows(&fresh).await, ["e2", "e1"]);
}

async fn a_folded_event_asks_for_its_refresh_and_the_last_one_counts(fresh: Fresh) {
    let mut monitor = FloodMonitor::new(2);
    let asking = |monitor: &mut FloodMonitor, events: Vec<ParsedEvent>| {
        let mut batch = judged(monitor, events);
        for ready in &mut batch.events {
            ready.work = Work::Refresh(vec![Target::by_ems_ref("vms", "vm-1")]);
            ready.automate.rules = vec!["tell".to_owned()];
        }
        batch
    };
    commit(&fresh, asking(&mut monitor, storm(2, 1))).await;
    fresh.write(|c| claim_refresh(c, EmsId(1), 9, 10)).await;
    let last = storm(4, 1).split_off(2);
    let at = last[1].event.timestamp;
    let outcome = commit(&fresh, asking(&mut monitor, last)).await;
    assert_eq!((outcome.folded_events, outcome.work, outcome.automate), (2, true, false));
    let work = fresh.write(|c| claim_refresh(c, EmsId(1), 9, 10)).await;
    let request = work.last().unwrap().requests.last().unwrap();
    assert_eq!((request.target.ems_ref(), request.timestamp), (Some("vm-1"), at));
    let joined = "SELECT count(*) FROM folded_events f JOIN miq_queue q ON q.work_id = f.work_id";
    assert_eq!(fresh.count(joined).await, 2);
}

async fn folded_events_are_purged_with_their_row_a_slice_at_a_time(fresh: Fresh) {
    commit(&fresh, judged(&mut FloodMonitor::new(1), storm(8, 1))).await;
    let after = event("", "").event.timestamp + TimeDelta::days(1);
    let mut gone = Vec::new();
    loop {
        let purged = fresh.write(move |c| purge(c, Purgeable::Events, after, 3)).await;
        if purged.is_empty() {
            break;
        }
        gone.extend(
            purged.into_iter().filter(|(table, _)| table.ends_with("events") || *table == "event_streams"),
        );
    }
    assert_eq!(
        gone,
        [("folded_events", 3), ("folded_events", 3), ("folded_events", 1), ("event_streams", 1)]
    );
    assert_eq!(folded(&fresh).await, Vec::<String>::new());
}

/// Deliveries with restarts, repeats and other thresholds, drawn by seed: shuffled, split anywhere, some of them twice.
async fn in_any_order_split_and_judgement_every_event_is_stored_exactly_once(fresh: Fresh) {
    for seed in 0..25 {
        fresh.write(|c| c.batch("DELETE FROM folded_events; DELETE FROM event_streams")).await;
        let mut rng = StdRng::seed_from_u64(seed);
        let (count, kinds) = (rng.random_range(10..60), rng.random_range(1..4));
        let sent = storm(count, kinds);
        let mut deliveries = Vec::new();
        for _ in 0..3 {
            let mut all = sent.clone();
            if rng.random_bool(0.5) {
                all.shuffle(&mut rng);
            }
            while !all.is_empty() {
                let rest = all.split_off(rng.random_range(1..=all.len()));
                deliveries.push(std::mem::replace(&mut all, rest));
            }
        }
        let mut monitor = Some(FloodMonitor::new(rng.random_range(1..8)));
        let (mut new, mut folds) = (0, 0);
        for events in deliveries {
            if rng.random_bool(0.3) {
                monitor = rng.random_bool(0.7).then(|| FloodMonitor::new(rng.random_range(1..8)));
            }
            let delivered = match &mut monitor {
                Some(monitor) => judged(monitor, events),
                None => batch(events),
            };
            let outcome = commit(&fresh, delivered).await;
            (new, folds) = (new + outcome.new_events, folds + outcome.folded_events);
        }
        let (rows, folded) = (rows(&fresh).await, folded(&fresh).await);
        assert_eq!((rows.len() as u64, folded.len() as u64), (new, folds), "seed {seed}");
        let mut stored: Vec<_> = rows.into_iter().chain(folded).collect();
        stored.sort_unstable();
        let mut ids: Vec<_> = sent.iter().map(|event| event.event_uid.clone()).collect();
        ids.sort_unstable();
        assert_eq!(stored, ids, "seed {seed}: lost, or stored twice");
        let counted = "SELECT COALESCE(CAST(sum(folded_count) AS bigint), 0) FROM event_streams";
        assert_eq!(fresh.count(counted).await as u64, folds, "seed {seed}");
        let wrong = "SELECT count(*) FROM event_streams e WHERE folded_count <> \
                     (SELECT count(*) FROM folded_events f WHERE f.event_id = e.id) OR last_timestamp < timestamp OR \
                     first_timestamp > timestamp OR EXISTS (SELECT 1 FROM folded_events f WHERE f.event_id = e.id AND \
                     (f.timestamp < e.first_timestamp OR f.timestamp > e.last_timestamp))";
        assert_eq!(fresh.count(wrong).await, 0, "seed {seed}");
    }
}
