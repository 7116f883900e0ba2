//! A flood that is folded, through `kill -9`: nothing is lost, nothing is stored twice, and the inventory is true.

use super::cloud::Cloud;
use super::process::{Catchall, eventually};
use super::vmdb_rows::{self, Place};
use super::{judge, postgres_schema, write_settings_at};
use catchall::simulator::Faults;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const SEED: u64 = 20_261_125;

/// One VM is started and stopped in turn, so many times.
fn storm(cloud: &Cloud, times: usize) {
    cloud.simulator().with(|cloud| {
        for number in 0..times {
            let state = ["running", "stopped"][number % 2];
            let now = cloud.now();
            let change = cloud.world.power("vm-1", state, now).expect("there is such a VM");
            cloud.enter(&change);
        }
    });
}

fn switch_on(folder: &Path) {
    let file = folder.join("settings.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    let on = "poll: 0.05, flooding_monitor_enabled: true, flooding_events_per_minute: 5";
    let changed = text.replace("poll: 0.05", on);
    assert_ne!(changed, text);
    std::fs::write(file, changed).unwrap();
}

/// Every event is a row or was folded, once. Returns (rows, folded).
fn all_are_stored_once(cloud: &Cloud, place: &Place) -> (usize, usize) {
    let read = || -> Result<(Vec<String>, Vec<String>), String> {
        let reader = vmdb_rows::open(place)?;
        Ok((
            reader.texts("SELECT event_uid AS value FROM event_streams")?,
            reader.texts("SELECT event_uid AS value FROM folded_events")?,
        ))
    };
    let sent: BTreeSet<String> = cloud.events().into_iter().collect();
    let (rows, folded) = eventually("every event is a row or was folded", || {
        let (rows, folded) = read()?;
        let stored: BTreeSet<&String> = rows.iter().chain(&folded).collect();
        let missing = sent.iter().filter(|id| !stored.contains(id)).count();
        if missing == 0 {
            Ok((rows, folded))
        } else {
            Err(format!("{missing} of {} are missing", sent.len()))
        }
    });
    assert_eq!(rows.len() + folded.len(), sent.len(), "an event is stored twice");
    let counted = "SELECT CAST(COALESCE(sum(folded_count), 0) AS TEXT) AS value FROM event_streams";
    let counted = vmdb_rows::open(place).unwrap().number(counted).unwrap();
    assert_eq!(usize::try_from(counted).unwrap(), folded.len(), "the counts are not those of the rows");
    (rows.len(), folded.len())
}

fn kill_amid_a_flood(kills: u32, lives: std::ops::Range<u64>, place: impl FnOnce(&Path) -> Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path());
    let cloud = Cloud::start(SEED, 10, Faults::default());
    write_settings_at(&place, folder.path(), &cloud, &[]);
    switch_on(folder.path());
    let mut rng = StdRng::seed_from_u64(SEED);
    for _ in 0..kills {
        let mut catchall = Catchall::start(folder.path(), &["run"]);
        for _ in 0..rng.random_range(lives.clone()) / 20 {
            storm(&cloud, rng.random_range(0..10));
            std::thread::sleep(Duration::from_millis(20));
        }
        catchall.kill();
    }
    let mut last = Catchall::start(folder.path(), &["run"]);
    storm(&cloud, 25);
    let (rows, folded) = all_are_stored_once(&cloud, &place);
    println!("seed {SEED}: {kills} kills, {rows} rows, {folded} folded");
    assert!(folded > rows, "{rows} rows, {folded} folded: this was no test of folding");
    judge::inventory_is_true(&cloud, &place);
    assert!(last.terminate().success(), "{}", last.log());
    assert!(last.log().contains("repeats are folded"), "{}", last.log());
}

#[test]
fn a_flood_amid_kills_is_folded_and_nothing_is_lost_or_doubled() {
    kill_amid_a_flood(12, 200..900, Place::sqlite);
}

#[test]
fn a_flood_amid_kills_is_folded_and_nothing_is_lost_or_doubled_on_postgresql() {
    let Some(place) = postgres_schema("floods") else { return };
    kill_amid_a_flood(6, 300..1200, |_| place);
}

#[test]
fn in_two_processes_a_flood_is_folded_by_the_handling_half() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let cloud = Cloud::start(SEED, 10, Faults::default());
    write_settings_at(&place, folder.path(), &cloud, &["id: 2"]);
    switch_on(folder.path());
    let mut catcher = Catchall::start(folder.path(), &["run-single-worker", "--role=event", "--ems-id=2"]);
    let mut handler = Catchall::start(folder.path(), &["simulate-queue-worker"]);
    for round in 0..4 {
        for _ in 0..10 {
            storm(&cloud, 6);
            std::thread::sleep(Duration::from_millis(30));
        }
        if round % 2 == 0 {
            handler.kill();
            handler = Catchall::start(folder.path(), &["simulate-queue-worker"]);
        }
    }
    let (rows, folded) = all_are_stored_once(&cloud, &place);
    assert!(folded > rows, "{rows} rows, {folded} folded");
    judge::inventory_is_true(&cloud, &place);
    assert!(catcher.terminate().success(), "{}", catcher.log());
    assert!(handler.terminate().success(), "{}", handler.log());
}

#[test]
fn without_the_setting_nothing_is_folded() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let cloud = Cloud::start(SEED, 10, Faults::default());
    write_settings_at(&place, folder.path(), &cloud, &[]);
    storm(&cloud, 200);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    assert_eq!(all_are_stored_once(&cloud, &place), (200, 0));
    assert!(catchall.terminate().success(), "{}", catchall.log());
}
