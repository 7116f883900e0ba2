//! Outages of event catchers: one row each, whatever is repeated, killed or said twice.

use crate::support::{Fresh, on_both};
use catchall::provider::EmsId;
use catchall::vmdb::heartbeats::{self, Heartbeat};
use catchall::vmdb::outages::{self, Outage};
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

on_both! {
    an_outage_is_one_row_however_often_it_is_said
    what_begins_shortly_after_the_last_one_is_the_last_one_going_on
    rows_never_overlap_and_at_most_one_is_open_whatever_happens
    a_process_that_was_killed_leaves_an_outage_of_each_ems_that_nobody_catches_for
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

async fn keep(fresh: &Fresh, from: i64, to: Option<i64>, reason: &str) {
    let (ems_id, reason) = (EmsId(1), reason.to_owned());
    let outage = Outage { ems_id, started_on: at(from), ended_on: to.map(at), reason };
    fresh.write(move |c| outages::keep(c, &outage)).await;
}

/// (EMS, from, to, reason) of all rows.
async fn rows(fresh: &Fresh) -> Vec<(i64, i64, Option<i64>, String)> {
    let sql =
        "SELECT ems_id, started_on, ended_on, reason FROM event_catcher_outages ORDER BY ems_id, started_on";
    let rows = fresh.vmdb.read(move |c| c.rows(sql, &[])).await.unwrap();
    let second = |time: DateTime<Utc>| (time - at(0)).num_seconds();
    let row = |row: &catchall::vmdb::Fields| {
        let (ems_id, from) = (row.integer(0).unwrap(), second(row.time(1).unwrap()));
        (ems_id, from, row.time(2).map(second), row.string(3).unwrap())
    };
    rows.iter().map(row).collect()
}

async fn an_outage_is_one_row_however_often_it_is_said(fresh: Fresh) {
    for _ in 0..2 {
        keep(&fresh, 0, None, "stopped").await;
    }
    keep(&fresh, 50, None, "process down").await;
    assert_eq!(rows(&fresh).await, [(1, 0, None, "stopped".to_owned())]);
    for _ in 0..2 {
        keep(&fresh, 0, Some(90), "stopped").await;
    }
    assert_eq!(rows(&fresh).await, [(1, 0, Some(90), "stopped".to_owned())]);
    keep(&fresh, 200, None, "stopped").await;
    keep(&fresh, 200, Some(209), "stopped").await;
    assert_eq!(rows(&fresh).await.len(), 1, "a blip leaves no row");
}

async fn what_begins_shortly_after_the_last_one_is_the_last_one_going_on(fresh: Fresh) {
    keep(&fresh, 0, Some(100), "refused").await;
    keep(&fresh, 129, None, "throttled").await;
    assert_eq!(rows(&fresh).await, [(1, 0, None, "refused".to_owned())]);
    keep(&fresh, 129, Some(150), "throttled").await;
    keep(&fresh, 181, None, "throttled").await;
    let told = [(1, 0, Some(150), "refused".to_owned()), (1, 181, None, "throttled".to_owned())];
    assert_eq!(rows(&fresh).await, told);
}

/// A catcher goes up and down at random, the process is killed at random (so that an end is told late, or a beginning twice),
/// and each answer of the VMDB may be lost (so that all is said again).
async fn rows_never_overlap_and_at_most_one_is_open_whatever_happens(fresh: Fresh) {
    let mut random = StdRng::seed_from_u64(7);
    let (mut now, mut down) = (0, None);
    for _ in 0..300 {
        now += random.random_range(1..60);
        match down {
            None => {
                down = Some(now);
                keep(&fresh, now, None, "backing_off").await;
            }
            Some(since) if random.random_bool(0.5) => {
                keep(&fresh, since, Some(now), "backing_off").await;
                if random.random_bool(0.3) {
                    keep(&fresh, since, Some(now), "backing_off").await;
                }
                down = None;
            }
            // Killed: the next process finds it open, or says that it begins now.
            Some(_) => keep(&fresh, now, None, "process down").await,
        }
        let rows = rows(&fresh).await;
        let open = rows.iter().filter(|(_, _, to, _)| to.is_none()).count();
        assert_eq!(open, usize::from(down.is_some()), "{rows:?}");
        for pair in rows.windows(2) {
            let [(_, _, Some(to), _), (_, from, ..)] = pair else {
                panic!("an open one is not the last: {rows:?}")
            };
            assert!(from - to > 30, "{pair:?} are one");
        }
        assert!(rows.iter().all(|(_, from, to, _)| to.is_none_or(|to| to - from >= 10)), "{rows:?}");
    }
}

fn heartbeat(process: &str, ems_ids: &[i64], beat_on: i64) -> Heartbeat {
    let ems_ids = ems_ids.iter().map(|id| EmsId(*id)).collect();
    Heartbeat { process: process.to_owned(), ems_ids, started_on: at(0), beat_on: at(beat_on) }
}

async fn a_process_that_was_killed_leaves_an_outage_of_each_ems_that_nobody_catches_for(fresh: Fresh) {
    let taken_over = fresh
        .write(|c| {
            heartbeats::beat(c, &heartbeat("killed", &[1, 2, 3], 0))?;
            heartbeats::beat(c, &heartbeat("killed", &[1, 2, 3], 60))?;
            heartbeats::beat(c, &heartbeat("alive", &[2], 500))?;
            heartbeats::beat(c, &heartbeat("of others", &[3, 9], 60))?;
            let cursor = "INSERT INTO ems_cursors (ems_id, cursor, updated_on) VALUES (3, '{}', ?)";
            c.execute(cursor, &[at(75).into()])?;
            let mine = heartbeat("mine", &[1, 2, 3, 4], 520);
            let taken_over = heartbeats::take_over(c, &mine)?;
            heartbeats::beat(c, &mine)?;
            Ok(taken_over)
        })
        .await;
    let told: Vec<_> =
        taken_over.iter().map(|o| (o.ems_id.0, o.started_on - at(0), o.reason.as_str())).collect();
    let second = TimeDelta::seconds;
    assert_eq!(told, [(1, second(60), "process down"), (3, second(75), "process down")]);
    let left = fresh.vmdb.read(|c| c.rows("SELECT process FROM process_heartbeats ORDER BY id", &[]));
    let left: Vec<_> = left.await.unwrap().iter().filter_map(|row| row.string(0)).collect();
    assert_eq!(left, ["alive", "of others", "mine"]);
    let others = fresh.vmdb.read(|c| heartbeats::caught_by_others(c, "mine", at(520))).await.unwrap();
    assert_eq!(others, [EmsId(2)]);
    let again = fresh.write(|c| heartbeats::take_over(c, &heartbeat("next", &[1], 560))).await;
    assert_eq!(again, [], "a start right after: what was killed was seen a moment ago");
}
