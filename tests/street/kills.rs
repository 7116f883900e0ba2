//! `kill -9` at any instant loses nothing, stores nothing twice, and every new event's work still happens.

use super::cloud::Cloud;
use super::process::Catchall;
use super::{judge, sqlite_url, write_settings};
use catchall::simulator::Faults;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

const KILLS: u32 = 50;
const SEED: u64 = 20_261_124;

#[test]
fn fifty_kills_under_load_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults { late_share: 0.1, late_seconds: 1.0, page_limit: 50, ..Faults::default() };
    let cloud = Cloud::start(SEED, 25, faults);
    write_settings(folder.path(), &cloud, &[]);
    let mut rng = StdRng::seed_from_u64(SEED);
    println!("seed {SEED}");
    for _ in 0..KILLS {
        let mut catchall = Catchall::start(folder.path(), &["run"]);
        // Long enough to come to the commits, short enough to die before, in and after them.
        let until = rng.random_range(100..700);
        for _ in 0..until / 20 {
            cloud.happen(rng.random_range(0..12));
            std::thread::sleep(Duration::from_millis(20));
        }
        catchall.kill();
    }
    let mut last = Catchall::start(folder.path(), &["run"]);
    let url = sqlite_url(folder.path());
    judge::nothing_lost_nothing_doubled(&cloud, &url);
    judge::inventory_is_true(&cloud, &url);
    assert!(last.terminate().success(), "{}", last.log());
    println!("{KILLS} kills, {} events, 0 lost, 0 doubled", cloud.events().len());
}
