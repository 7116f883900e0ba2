//! `kill -9` at any instant loses nothing, stores nothing twice, and every new event's work still happens.

use super::cloud::Cloud;
use super::process::Catchall;
use super::vmdb_rows::Place;
use super::{judge, postgres_schema, write_settings_at};
use catchall::simulator::Faults;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::ops::Range;
use std::time::Duration;

const SEED: u64 = 20_261_124;

/// Kills so many times, each after a time drawn from `lives` (milliseconds), and judges what the last one made of it.
fn kill(kills: u32, lives: Range<u64>, place: impl FnOnce(&std::path::Path) -> Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path());
    let faults = Faults { late_share: 0.1, late_seconds: 1.0, page_limit: 50, ..Faults::default() };
    let cloud = Cloud::start(SEED, 25, faults);
    write_settings_at(&place, folder.path(), &cloud, &[]);
    let mut rng = StdRng::seed_from_u64(SEED);
    println!("seed {SEED}");
    for _ in 0..kills {
        let mut catchall = Catchall::start(folder.path(), &["run"]);
        for _ in 0..rng.random_range(lives.clone()) / 20 {
            cloud.happen(rng.random_range(0..12));
            std::thread::sleep(Duration::from_millis(20));
        }
        catchall.kill();
    }
    let mut last = Catchall::start(folder.path(), &["run"]);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    assert!(last.terminate().success(), "{}", last.log());
    println!("{kills} kills, {} events, 0 lost, 0 doubled", cloud.events().len());
}

// The lives are long enough to come to the commits, and short enough to die before, in and after them.

#[test]
fn fifty_kills_under_load_lose_nothing_and_double_nothing() {
    kill(50, 100..700, Place::sqlite);
}

#[test]
fn fifteen_kills_under_load_lose_nothing_and_double_nothing_on_postgresql() {
    let Some(place) = postgres_schema("kills") else { return };
    kill(15, 200..1200, |_| place);
}
