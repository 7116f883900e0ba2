//! What a new EMS begins with.

use super::cloud::Cloud;
use super::process::{Catchall, eventually};
use super::vmdb_rows::{self, Place};
use super::{judge, write_settings};
use catchall::simulator::Faults;

fn number(place: &Place, from: &str) -> Result<i64, String> {
    vmdb_rows::open(place)?.number(&format!("SELECT CAST(count(*) AS TEXT) AS value FROM {from}"))
}

#[test]
fn without_initial_history_nothing_old_is_stored_and_the_first_refresh_is_a_full_one() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(71, 5, Faults::default());
    cloud.happen(50);
    // The cloud's clock tells whole seconds; what is old is to be so by that clock.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let none = "settings: {workers: {worker_base: {event_catcher: {event_catcher_awesome_cloud: {initial_history: none}}}}}";
    let place = write_settings(folder.path(), &cloud, &[none]);
    let catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("the event catcher is running");
    let old = cloud.events();
    cloud.happen(10);
    eventually("the new events are rows", || match number(&place, "event_streams")? {
        10 => Ok(()),
        count => Err(count.to_string()),
    });
    let uids =
        vmdb_rows::open(&place).unwrap().texts("SELECT event_uid AS value FROM event_streams").unwrap();
    assert!(!uids.iter().any(|uid| old.contains(uid)), "an old event was stored");
    judge::inventory_is_true(&cloud, &place);
    let kinds = "SELECT kind AS value FROM ems_refreshes ORDER BY id LIMIT 1";
    assert_eq!(vmdb_rows::open(&place).unwrap().texts(kinds).unwrap(), ["full"]);
}

#[test]
fn history_that_the_provider_lost_is_one_gap_and_a_full_refresh_and_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(72, 5, Faults::default());
    let place = write_settings(folder.path(), &cloud, &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(10);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    let fulls = number(&place, "ems_refreshes WHERE kind = 'full'").unwrap();
    // The cloud's clock tells whole seconds: events of the running second are dated ahead of it and move no cursor yet.
    eventually("the cursor is stored", || match number(&place, "ems_cursors")? {
        1 => Ok(()),
        count => Err(format!("{count} cursors")),
    });
    catchall.kill();
    cloud.simulator().with(|cloud| cloud.faults.retention_seconds = 4.0);
    cloud.happen(10);
    std::thread::sleep(std::time::Duration::from_millis(4_200));
    // These are kept while Catchall starts and asks; those before them are gone.
    cloud.happen(10);
    let _again = Catchall::start(folder.path(), &["run"]);
    eventually("the gap and its full refresh are there", || {
        let (gaps, full) =
            (number(&place, "event_gaps")?, number(&place, "ems_refreshes WHERE kind = 'full'")?);
        if gaps == 1 && full > fulls { Ok(()) } else { Err(format!("{gaps} gaps, {full} full refreshes")) }
    });
    cloud.simulator().with(|cloud| cloud.faults.retention_seconds = 0.0);
    let before = number(&place, "event_streams").unwrap();
    cloud.happen(5);
    eventually("it goes on", || match number(&place, "event_streams")? {
        count if count >= before + 5 => Ok(()),
        count => Err(count.to_string()),
    });
    judge::inventory_is_true(&cloud, &place);
    assert_eq!(number(&place, "event_gaps").unwrap(), 1);
}
