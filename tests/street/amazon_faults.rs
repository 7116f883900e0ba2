//! SQS through a proxy that misbehaves: whatever it does, and whenever Catchall is killed, every message is one row or one
//! dead letter, and leaves the queue.
//!
//! `CATCHALL_PROVE_RUNS` is the number of seeded runs with everything at once; without it there is one for each database.

mod gaps;
mod house;

use crate::faulty_proxy::Fault;
use house::{House, database};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// Events and what is none, with one fault on nearly every second request until it was met twice.
fn alone(fault: Fault) {
    let name = format!("faults-{fault:?}").to_lowercase();
    // What never answers takes long enough to be met once, by the first request.
    let (share, times) = if fault == Fault::HalfOpen { (1.0, 1) } else { (0.45, 2) };
    let Some(mut house) = House::new(&name, "sqlite", &[fault], share, 7) else { return };
    house.send_events(6);
    house.send_malformed(1);
    house.start();
    house.send_events(6);
    house.send_alarms(2);
    house.send_malformed(1);
    house.until_met(fault, times);
    house.judge();
}

#[test]
fn each_fault_alone_loses_and_doubles_nothing() {
    // They wait more than they work, so they do it side by side.
    let running: Vec<_> =
        Fault::ALL.into_iter().map(|fault| (fault, std::thread::spawn(move || alone(fault)))).collect();
    let ended = running.into_iter().map(|(fault, thread)| (fault, thread.join().is_ok()));
    let failed: Vec<_> = ended.filter(|(_, well)| !well).map(|(fault, _)| fault).collect();
    assert!(failed.is_empty(), "see above: {failed:?}");
}

/// Everything at once, and kills in between; then it heals.
fn everything_at_once(kind: &str, seed: u64, kills: u32) {
    // A connection that never answers takes 10 s, and 30 s in a long poll: it is met alone.
    let menu: Vec<_> = Fault::ALL.into_iter().filter(|fault| *fault != Fault::HalfOpen).collect();
    let Some(mut house) = House::new(&format!("faults-all-{kind}-{seed}"), kind, &menu, 0.3, seed) else {
        return;
    };
    let mut random = StdRng::seed_from_u64(seed);
    println!("seed {seed}");
    for _ in 0..kills {
        house.start();
        house.send_events(random.random_range(1..12));
        house.send_alarms(random.random_range(0..3));
        house.send_malformed(random.random_range(0..2));
        std::thread::sleep(Duration::from_millis(random.random_range(100..900)));
        house.kill();
    }
    house.heal();
    house.start();
    house.judge();
    println!("seed {seed} on {kind}: {kills} kills, {}", house.figures());
}

#[test]
fn all_faults_and_kills_lose_and_double_nothing() {
    for run in 0..house::runs() {
        everything_at_once("sqlite", 20_261_124 + run, 6);
    }
}

#[test]
fn all_faults_and_kills_lose_and_double_nothing_on_postgresql() {
    for run in 0..house::runs() {
        everything_at_once("postgres", 30_261_124 + run, 4);
    }
}

/// Dies with its messages committed and not yet deleted: they come, every one, a second time.
fn killed_between_commit_and_acknowledgement(kind: &str) {
    let Some(mut house) = House::new(&format!("faults-before-ack-{kind}"), kind, &[], 0.0, 1) else { return };
    house.send_events(5);
    house.send_alarms(2);
    house.send_malformed(1);
    house.start_to_die_at("stream.before-ack");
    house.dies();
    let stored = house.stored();
    assert!(stored > 0, "it was committed");
    let (waiting, hidden) = house.counts();
    assert_eq!(waiting + hidden, 8, "and nothing was deleted");
    house.start();
    house.judge();
    let duplicates = house.metric("catchall_duplicates_total");
    assert!(duplicates >= u64::try_from(stored).unwrap().min(7), "{duplicates} came again, of {stored}");
}

database!(killed_between_commit_and_acknowledgement);

/// An alarm has no identity but its message's: a letter that can be read at last is the event that it would have been.
#[test]
fn dead_letters_that_are_tried_again_have_the_identity_of_their_messages() {
    let Some(mut house) = House::new("faults-letters", "sqlite", &[], 0.0, 1) else { return };
    let without_time = r#"{"AlarmName": "hosts", "StateChangeTime": "?"}"#;
    let mut sent = [house.send(without_time), house.send(without_time)];
    house.start();
    house.rows_are("dead_letters", 2);
    house.kill();
    let with_time = r#"{"AlarmName": "hosts", "StateChangeTime": "2026-11-24T10:00:07.916+0000"}"#;
    house.write(format!("UPDATE dead_letters SET native = '{with_time}'"));
    house.command(&["events", "--dead", "--retry"]);
    sent.sort();
    assert_eq!(house.texts("SELECT event_uid AS value FROM event_streams ORDER BY event_uid"), sent);
    house.rows_are("dead_letters", 0);
}
