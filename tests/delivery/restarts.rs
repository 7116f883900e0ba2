//! Down, killed, not there yet: what happened meanwhile is caught, and what was under way is done.

use super::cloud::Cloud;
use super::process::Catchall;
use super::vmdb_rows::{self, Place};
use super::{
    catcher_setting, count, doomed, has_begun, judge, plain_settings, postgres_schema, rename_at_once,
    rows_are, write_settings,
};
use catchall::simulator::Faults;
use std::path::Path;
use std::time::Duration;

/// Without initial history, so that a cursor that was only in memory would begin anew after what was missed.
#[test]
fn what_happened_while_catchall_was_down_is_caught_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(101, 10, Faults::default());
    let place = Place::sqlite(folder.path());
    let none = catcher_setting("initial_history: none");
    write_settings(&place, folder.path(), &cloud, (&[&none], &[]));
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    has_begun(&place);
    cloud.happen(10);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    for _ in 0..2 {
        catchall.kill();
        cloud.happen(30);
        // By the cloud's clock, which tells whole seconds, these are past when Catchall comes back.
        std::thread::sleep(Duration::from_millis(1_100));
        catchall = Catchall::start(folder.path(), &["run"]);
        cloud.happen(5);
        judge::nothing_lost_nothing_doubled(&cloud, &place);
    }
    judge::inventory_is_true(&cloud, &place);
    assert_eq!(cloud.events().len(), 80);
}

#[test]
fn a_burst_before_there_is_any_cursor_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(102, 10, Faults { page_limit: 20, ..Faults::default() });
    let place = plain_settings(folder.path(), &cloud);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("the event catcher is running");
    assert_eq!(count(&place, "ems_cursors"), Ok(0), "nothing has happened yet");
    cloud.happen(200);
    catchall.kill();
    cloud.happen(200);
    let _again = Catchall::start(folder.path(), &["run"]);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
}

/// Every row that asks for a refresh has its work: it waits, is being done, or is done.
fn events_have_their_work(place: &Place) {
    let of_vms = "event_streams e WHERE e.event_type LIKE 'com.awesome-cloud.vm.%'";
    let without = format!("{of_vms} AND e.work_id IS NULL");
    assert_eq!(count(place, &without), Ok(0), "an event without its work");
    let known = "SELECT 1 FROM miq_queue q WHERE q.work_id = e.work_id UNION ALL SELECT 1 FROM ems_refreshes r WHERE r.work_id = e.work_id";
    let gone = format!("{of_vms} AND NOT EXISTS ({known})");
    assert_eq!(count(place, &gone), Ok(0), "an event whose work is nowhere");
}

fn killed_at_each(places: &[&str], seed: u64, folder: &Path, place: &Place) {
    let cloud = Cloud::start(seed, 10, Faults::default());
    write_settings(place, folder, &cloud, (&[], &[]));
    let mut catchall = Catchall::start(folder, &["run"]);
    cloud.happen(5);
    has_begun(place);
    judge::inventory_is_true(&cloud, place);
    catchall.kill();
    for kill_at in places {
        let mut catchall = doomed(folder, &["run"], kill_at);
        rename_at_once(&cloud, 5, kill_at);
        let status = catchall.wait(Duration::from_secs(30));
        assert_eq!(status.code(), None, "{kill_at}: it was to be killed; {}", catchall.log());
        events_have_their_work(place);
        let mut again = Catchall::start(folder, &["run"]);
        judge::nothing_lost_nothing_doubled(&cloud, place);
        judge::inventory_is_true(&cloud, place);
        again.kill();
    }
}

const COMMIT: [&str; 7] = [
    "stream.read",
    "parser.end",
    "commit.begin",
    "commit.events",
    "commit.work",
    "commit.end",
    "handler.committed",
];

#[test]
fn whenever_it_is_killed_an_event_and_its_work_are_there_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    killed_at_each(&COMMIT, 103, folder.path(), &Place::sqlite(folder.path()));
}

#[test]
fn whenever_it_is_killed_an_event_and_its_work_are_there_together_or_not_at_all_on_postgresql() {
    let Some(place) = postgres_schema("killed_in_commit") else { return };
    let folder = tempfile::tempdir().unwrap();
    killed_at_each(&["commit.events", "commit.work", "commit.end"], 104, folder.path(), &place);
}

/// The first full refresh is long over, and the next one is a day away: it heals nothing.
#[test]
fn a_refresh_that_was_killed_half_way_is_done_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["refresh.claimed", "refresh.collected", "refresh.saved", "refresh.end"];
    killed_at_each(&places, 105, folder.path(), &Place::sqlite(folder.path()));
}

#[test]
fn ten_events_of_one_type_in_one_instant_are_ten_rows_with_the_providers_own_references() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(106, 12, Faults { page_limit: 3, ..Faults::default() });
    let place = plain_settings(folder.path(), &cloud);
    let _catchall = Catchall::start(folder.path(), &["run"]);
    has_begun_or_quiet(&place);
    rename_at_once(&cloud, 10, "same-instant");
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    let reader = vmdb_rows::open(&place).unwrap();
    let alike = "SELECT CAST(count(DISTINCT event_type || timestamp) AS TEXT) AS value FROM event_streams";
    assert_eq!(reader.number(alike), Ok(1), "one type, one time");
    let references = "SELECT ems_ref AS value FROM event_streams WHERE ems_ref IS NOT NULL ORDER BY ems_ref";
    let mut ids = cloud.events();
    ids.sort();
    assert_eq!(reader.texts(references), Ok(ids));
}

/// The first full refresh is done; a cloud in which nothing has happened has given no cursor yet.
fn has_begun_or_quiet(place: &Place) {
    rows_are(place, "ems_refreshes WHERE kind = 'full' AND error IS NULL", 1);
}
