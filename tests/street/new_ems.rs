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
