//! The guide's two terminals: `run-single-worker` catches into `miq_queue`, `simulate-queue-worker` delivers from there.
//! Either is killed and restarted under load; nothing is lost, nothing is doubled.

mod support;

use support::cloud::Cloud;
use support::process::Catchall;
use support::{judge, settings};

const WORKER: [&str; 4] =
    ["run-single-worker", "--role=event", "--ems-id=2", "ManageIQ::Providers::AwesomeCloud::CloudManager::EventCatcher"];

#[test]
fn the_guides_two_terminals_lose_and_double_nothing_though_either_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(200.0, 7);
    settings::write(folder.path(), &cloud, "id: 2");
    let mut catcher = Catchall::start(folder.path(), &WORKER);
    let mut handler = Catchall::start(folder.path(), &["simulate-queue-worker"]);
    for round in 0..6 {
        std::thread::sleep(std::time::Duration::from_millis(700));
        if round % 2 == 0 {
            catcher.kill();
            catcher = Catchall::start(folder.path(), &WORKER);
        } else {
            handler.kill();
            handler = Catchall::start(folder.path(), &["simulate-queue-worker"]);
        }
    }
    cloud.hush();
    judge::nothing_lost_nothing_doubled(&cloud, &settings::sqlite_url(folder.path()));
    judge::inventory_is_true(&cloud, &settings::sqlite_url(folder.path()));
    assert!(catcher.terminate().success(), "{}", catcher.log());
    assert!(handler.terminate().success(), "{}", handler.log());
}
