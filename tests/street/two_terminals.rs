//! The guide's two terminals: `run-single-worker` catches into `miq_queue`, `simulate-queue-worker` delivers from there.
//! Either is killed and restarted under load; nothing is lost, nothing is doubled.

use super::cloud::Cloud;
use super::process::Catchall;
use super::vmdb_rows::Place;
use super::{judge, postgres_schema, write_settings_at};
use catchall::simulator::Faults;
use std::path::Path;
use std::time::Duration;

const CATCHER: [&str; 4] = [
    "run-single-worker",
    "--role=event",
    "--ems-id=2",
    "ManageIQ::Providers::AwesomeCloud::CloudManager::EventCatcher",
];
const HANDLER: [&str; 1] = ["simulate-queue-worker"];

#[test]
fn the_guides_two_terminals_lose_and_double_nothing_though_either_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    two_terminals(folder.path(), &Place::sqlite(folder.path()), 8);
}

#[test]
fn the_guides_two_terminals_lose_and_double_nothing_on_postgresql() {
    let Some(place) = postgres_schema("two_terminals") else { return };
    let folder = tempfile::tempdir().unwrap();
    two_terminals(folder.path(), &place, 4);
}

fn two_terminals(folder: &Path, place: &Place, rounds: u32) {
    let cloud = Cloud::start(21, 20, Faults::default());
    write_settings_at(place, folder, &cloud, &["id: 2"]);
    let mut catcher = Catchall::start(folder, &CATCHER);
    let mut handler = Catchall::start(folder, &HANDLER);
    for round in 0..rounds {
        for _ in 0..20 {
            cloud.happen(5);
            std::thread::sleep(Duration::from_millis(30));
        }
        if round % 2 == 0 {
            catcher.kill();
            catcher = Catchall::start(folder, &CATCHER);
        } else {
            handler.kill();
            handler = Catchall::start(folder, &HANDLER);
        }
    }
    judge::nothing_lost_nothing_doubled(&cloud, place);
    judge::inventory_is_true(&cloud, place);
    assert!(catcher.terminate().success(), "{}", catcher.log());
    assert!(handler.terminate().success(), "{}", handler.log());
}
