//! Another queue, the same queue made again, a queue that nobody read for too long, a cursor that nobody can read: one
//! row, one warning, whenever Catchall is killed around it.

use super::house::{House, database};

const REASONS: &str = "SELECT reason AS value FROM event_gaps ORDER BY id";

/// Reads its queue once, so that there is a cursor, and is killed.
fn read_once(house: &mut House) {
    house.send_events(1);
    house.start();
    house.judge();
    house.kill();
}

/// How often the log warned of a gap.
fn warnings(house: &House) -> usize {
    house.log().lines().filter(|line| line.contains("events are missing from")).count()
}

/// Dies around the gap's commit, and again, and at last lives: one row, and one full refresh was asked for by it.
fn die_and_judge(house: &mut House, reason: &str) {
    for place in ["stream.read", "commit.begin", "commit.end", "handler.committed"] {
        house.start_to_die_at(place);
        if place == "stream.read" {
            house.send_events(1); // the rest is met by the gap itself
        }
        house.dies();
        let kept = house.texts(REASONS);
        let expected = if place == "handler.committed" { 1 } else { 0 };
        assert_eq!(kept.len(), expected, "{place}: {kept:?}");
    }
    house.start();
    house.send_events(1);
    house.rows_are("event_streams", 3);
    assert_eq!(house.texts(REASONS), [reason]);
    assert!(warnings(house) <= 1, "told once at most: {}", house.log());
    house.kill();
}

/// Without kills: exactly one warning, also after restarts, and the status tells of it.
fn live_and_judge(house: &mut House, reason: &str) {
    house.start();
    house.send_events(1);
    house.rows_are("event_streams", 2);
    assert_eq!(house.metric("catchall_gaps_total{ems=\"aws\"}"), 1);
    house.kill();
    house.start();
    house.send_events(1);
    house.rows_are("event_streams", 3);
    assert_eq!((house.texts(REASONS), warnings(house)), (vec![reason.to_owned()], 1), "{}", house.log());
    let status = house.command(&["status"]);
    assert!(status.contains(reason) && status.contains("events are missing from"), "{status}");
    house.kill();
}

/// Has Catchall read another queue behind the same EMS.
fn another_queue(house: &mut House, name: &str) {
    house.queue = house.runtime.block_on(house.moto.queue(name, 2));
    house.settings(&house.queue);
}

fn another_queue_is_a_gap_whenever_it_is_killed(kind: &str) {
    let Some(mut house) = House::new(&format!("gap-killed-{kind}"), kind, &[], 0.0, 1) else { return };
    read_once(&mut house);
    another_queue(&mut house, &format!("gap-killed-other-{kind}"));
    die_and_judge(&mut house, "source_changed");
}

database!(another_queue_is_a_gap_whenever_it_is_killed);

#[test]
fn another_queue_is_one_gap_and_one_warning() {
    let Some(mut house) = House::new("gap-source", "sqlite", &[], 0.0, 1) else { return };
    read_once(&mut house);
    another_queue(&mut house, "gap-source-other");
    live_and_judge(&mut house, "source_changed");
}

#[test]
fn the_same_queue_made_again_is_one_gap() {
    let Some(mut house) = House::new("gap-again", "sqlite", &[], 0.0, 1) else { return };
    read_once(&mut house);
    house.runtime.block_on(house.moto.delete_queue(&house.queue));
    std::thread::sleep(std::time::Duration::from_millis(1100)); // its creation is told in seconds
    another_queue(&mut house, "gap-again");
    live_and_judge(&mut house, "source_changed");
}

#[test]
fn a_queue_that_nobody_read_for_longer_than_it_keeps_messages_is_one_gap() {
    let Some(mut house) = House::new("gap-retention", "sqlite", &[], 0.0, 1) else { return };
    read_once(&mut house);
    let cursor = house.texts("SELECT cursor AS value FROM ems_cursors").pop().unwrap();
    let mut cursor: serde_json::Value = serde_json::from_str(&cursor).unwrap();
    assert_eq!(cursor["source"], "arn:aws:sqs:us-east-1:123456789012:gap-retention");
    assert!(cursor["position"]["created"].is_number(), "{cursor}");
    cursor["position"]["read"] = "2026-11-01T00:00:00Z".into(); // it keeps messages for four days
    house.write(format!("UPDATE ems_cursors SET cursor = '{cursor}'"));
    live_and_judge(&mut house, "history_lost");
    let from =
        house.texts("SELECT CAST(started_on AS TEXT) AS value FROM event_gaps WHERE ended_on IS NOT NULL");
    assert!(from[0].starts_with("2026-11-01"), "{from:?}");
}

#[test]
fn a_cursor_that_nobody_can_read_is_one_gap_and_it_goes_on() {
    for (number, text) in
        [r#"{"source": "arn:aws:sqs:us-east-1:123456789012:gap-cursor-0", "position": 7}"#, "none of ours"]
            .into_iter()
            .enumerate()
    {
        let name = format!("gap-cursor-{number}");
        let Some(mut house) = House::new(&name, "sqlite", &[], 0.0, 1) else { return };
        read_once(&mut house);
        house.write(format!("UPDATE ems_cursors SET cursor = '{text}'"));
        live_and_judge(&mut house, "cursor_refused");
    }
}

#[test]
fn a_quiet_queue_that_is_read_again_makes_no_gap_and_writes_nothing() {
    let Some(mut house) = House::new("gap-none", "sqlite", &[], 0.0, 1) else { return };
    read_once(&mut house);
    let cursor = || house.texts("SELECT CAST(updated_on AS TEXT) AS value FROM ems_cursors");
    let before = cursor();
    let mut process = crate::process::Catchall::start(house.folder.path(), &["run"]);
    process.logs("reading http");
    std::thread::sleep(std::time::Duration::from_millis(500));
    process.kill();
    assert_eq!((cursor(), house.texts(REASONS)), (before, vec![]));
}
