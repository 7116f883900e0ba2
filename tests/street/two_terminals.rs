//! The guide's two terminals: `run-single-worker` catches into `miq_queue`, `simulate-queue-worker` delivers from there.
//! Either is killed and restarted under load; nothing is lost, nothing is doubled.

use super::cloud::Cloud;
use super::process::Catchall;
use super::{judge, sqlite_url, write_settings};
use catchall::simulator::Faults;
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
    let cloud = Cloud::start(21, 20, Faults::default());
    write_settings(folder.path(), &cloud, &["id: 2"]);
    let mut catcher = Catchall::start(folder.path(), &CATCHER);
    let mut handler = Catchall::start(folder.path(), &HANDLER);
    for round in 0..8 {
        for _ in 0..20 {
            cloud.happen(5);
            std::thread::sleep(Duration::from_millis(30));
        }
        if round % 2 == 0 {
            catcher.kill();
            catcher = Catchall::start(folder.path(), &CATCHER);
        } else {
            handler.kill();
            handler = Catchall::start(folder.path(), &HANDLER);
        }
    }
    let url = sqlite_url(folder.path());
    judge::nothing_lost_nothing_doubled(&cloud, &url);
    judge::inventory_is_true(&cloud, &url);
    assert!(catcher.terminate().success(), "{}", catcher.log());
    assert!(handler.terminate().success(), "{}", handler.log());
}
