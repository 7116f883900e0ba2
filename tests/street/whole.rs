//! From the provider to the inventory.

use super::cloud::Cloud;
use super::process::{Catchall, eventually};
use super::vmdb_rows::{self, Place};
use super::{http, judge, postgres_schema, write_settings, write_settings_at};
use catchall::simulator::Faults;
use std::path::Path;

#[test]
fn every_event_becomes_one_row_and_the_inventory_follows() {
    let folder = tempfile::tempdir().unwrap();
    from_provider_to_inventory(folder.path(), &Place::sqlite(folder.path()));
}

#[test]
fn every_event_becomes_one_row_and_the_inventory_follows_on_postgresql() {
    let Some(place) = postgres_schema("whole") else { return };
    let folder = tempfile::tempdir().unwrap();
    from_provider_to_inventory(folder.path(), &place);
}

fn from_provider_to_inventory(folder: &Path, place: &Place) {
    let cloud = Cloud::start(11, 30, Faults::default());
    cloud.happen(100);
    write_settings_at(place, folder, &cloud, &[]);
    let mut catchall = Catchall::start(folder, &["run"]);
    for _ in 0..10 {
        cloud.happen(30);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    judge::nothing_lost_nothing_doubled(&cloud, place);
    judge::inventory_is_true(&cloud, place);
    let reader = vmdb_rows::open(place).unwrap();
    let related = reader
        .number(
            "SELECT CAST(count(*) AS TEXT) AS value FROM event_streams WHERE vm_or_template_id IS NOT NULL",
        )
        .unwrap();
    assert!(related > 0, "no event was related to a VM");
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn late_malformed_repeated_and_broken_pages_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults {
        late_share: 0.2,
        late_seconds: 2.0,
        malformed_share: 0.15,
        ahead_share: 0.02,
        clock_offset_seconds: -7200,
        page_limit: 7,
        repeat_every: 3,
        ..Faults::default()
    };
    let cloud = Cloud::start(12, 20, faults);
    let place = write_settings(folder.path(), &cloud, &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    for _ in 0..20 {
        cloud.happen(15);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    assert!(!cloud.malformed().is_empty(), "the faults made no malformed event");
    // Nobody can read what the malformed ones told; a full refresh finds it all the same.
    judge::inventory_is_true(&cloud, &place);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn two_runs_on_one_file_exclude_each_other_and_a_start_after_kill_9_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(13, 5, Faults::default());
    let place = write_settings(folder.path(), &cloud, &[]);
    let mut first = Catchall::start(folder.path(), &["run"]);
    first.logs("the event catcher is running");
    let mut second = Catchall::start(folder.path(), &["run", "--log-level", "info"]);
    let status = second.wait(std::time::Duration::from_secs(20));
    assert_eq!(status.code(), Some(1));
    assert!(second.log().contains("catchall.db"), "{}", second.log());
    first.kill();
    let third = Catchall::start(folder.path(), &["run"]);
    cloud.happen(3);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    drop(third);
}

#[test]
fn a_refused_password_is_a_state_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let mishaps = vec![catchall::simulator::Mishap::Unauthorized; 2];
    let cloud = Cloud::start(14, 5, Faults { events_requests: mishaps, ..Faults::default() });
    cloud.happen(10);
    let place = write_settings(folder.path(), &cloud, &[]);
    let catchall = Catchall::start(folder.path(), &["run"]);
    let address = catchall.address();
    eventually("readyz says what is not ready", || {
        let (status, body) = http::get(&format!("http://{address}/readyz"));
        if status == 503 && body.contains("refused") { Ok(()) } else { Err(format!("{status} {body}")) }
    });
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    eventually("readyz is well again", || {
        let (status, body) = http::get(&format!("http://{address}/readyz"));
        if status == 200 { Ok(()) } else { Err(body) }
    });
}
