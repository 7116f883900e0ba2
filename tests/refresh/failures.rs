//! Refreshes that fail: visible, tried again, and without holding up what would succeed.

use super::cloud::Cloud;
use super::process::{Catchall, eventually};
use super::{name_of, printed, refreshed_in_full, rename, selects, vmdb_rows, vms, write_settings};
use catchall::simulator::{Faults, Mishap};
use serde_json::Value;

const ERROR: &str = "SELECT COALESCE(last_refresh_error, 'none') FROM ext_management_systems";

#[test]
fn a_cloud_that_fails_shows_its_error_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(74, 5, Faults::default());
    let place = write_settings(folder.path(), &[("cloud", &cloud)], &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 1);
    let before = vmdb_rows::open(&place).unwrap();
    let success = "SELECT CAST(last_refresh_success_date AS TEXT) FROM ext_management_systems";
    let succeeded = before.texts(success).unwrap();

    cloud.simulator().with(|cloud| cloud.faults.inventory_requests = vec![Mishap::ServerError; 1_000]);
    let id = vms(&cloud)[0].clone();
    rename(&cloud, &id, "after all");
    eventually("status shows why", || {
        let status: Value = serde_json::from_str(&printed(folder.path(), &["status", "--json"])).unwrap();
        match status["ems"][0]["last_refresh_error"].as_str() {
            Some(error) if error.contains("500") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let row = eventually("the row that waits shows it too, with how often it failed", || {
        let row: Value = serde_json::from_str(&printed(folder.path(), &["queue", "list", "--json"]))
            .map_err(|error| error.to_string())?;
        if row["failures"].as_i64() >= Some(2) { Ok(row) } else { Err(row.to_string()) }
    });
    assert_eq!(row["ems"], "cloud");
    assert!(row["error"].as_str().unwrap().contains("500"), "{row}");
    assert_eq!(
        vmdb_rows::open(&place).unwrap().texts(success).unwrap(),
        succeeded,
        "nothing succeeded since"
    );

    cloud.simulator().with(|cloud| cloud.faults.inventory_requests.clear());
    selects(&place, &name_of("cloud", &id), &["after all"]);
    selects(&place, ERROR, &["none"]);
    assert_ne!(vmdb_rows::open(&place).unwrap().texts(success).unwrap(), succeeded);
    // However often it failed, it is one row that failed and one that succeeded.
    let work = row["work_id"].as_i64().unwrap();
    let ends = format!(
        "SELECT CASE WHEN error IS NULL THEN 'done' ELSE 'failed' END FROM ems_refreshes WHERE work_id = {work} ORDER BY id"
    );
    selects(&place, &ends, &["failed", "done"]);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn a_target_that_always_fails_is_given_up_and_the_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(75, 8, Faults::default());
    let place = write_settings(folder.path(), &[("cloud", &cloud)], &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 1);
    let ids = vms(&cloud);
    cloud.simulator().with(|cloud| cloud.faults.poison = vec![ids[3].clone()]);
    for id in &ids[..8] {
        rename(&cloud, id, &format!("new {id}"));
    }
    for id in ids[..8].iter().filter(|id| **id != ids[3]) {
        selects(&place, &name_of("cloud", id), &[&format!("new {id}")]);
    }
    selects(&place, "SELECT state FROM miq_queue", &["error"]);
    let listed = printed(folder.path(), &["queue", "list", "--state", "error", "--ems", "cloud"]);
    assert!(listed.contains(&format!("vms {}", ids[3])) && listed.contains("500"), "{listed}");
    let line = listed.lines().nth(1).unwrap();
    assert!(!line.contains(&format!("vms {}, vms", ids[3])), "the others are not in the row: {line}");

    // What comes later is answered at once, and what was given up is tried again when somebody says so.
    rename(&cloud, &ids[0], "later");
    selects(&place, &name_of("cloud", &ids[0]), &["later"]);
    cloud.simulator().with(|cloud| cloud.faults.poison.clear());
    assert_eq!(
        printed(folder.path(), &["queue", "retry", "--all-failed"]),
        "1 rows that were given up are due now\n"
    );
    selects(&place, &name_of("cloud", &ids[3]), &[&format!("new {}", ids[3])]);
    selects(&place, "SELECT CAST(count(*) AS TEXT) FROM miq_queue", &["0"]);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn a_full_refresh_that_fails_keeps_no_target_waiting_and_one_that_succeeds_answers_what_was_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(76, 6, Faults::default());
    let place = write_settings(folder.path(), &[("cloud", &cloud)], &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 1);
    let ids = vms(&cloud);
    // The first listing of a full refresh fails, again and again; the VMs are asked for all the same.
    cloud.simulator().with(|cloud| cloud.faults.broken_kinds = vec!["flavors".to_owned()]);
    printed(folder.path(), &["refresh", "cloud"]);
    eventually("the full refresh has failed", || {
        let found = vmdb_rows::open(&place)?.texts(ERROR)?;
        if found == ["none"] { Err("not yet".to_owned()) } else { Ok(()) }
    });
    for name in ["one", "two", "three"] {
        rename(&cloud, &ids[0], name);
        selects(&place, &name_of("cloud", &ids[0]), &[name]);
    }
    let waits = "SELECT state FROM miq_queue WHERE args LIKE '%\"full\":true%'";
    assert_eq!(
        vmdb_rows::open(&place).unwrap().texts(waits).unwrap().len(),
        1,
        "the full one is still to do"
    );
    cloud.simulator().with(|cloud| cloud.faults.broken_kinds.clear());
    selects(&place, "SELECT CAST(count(*) AS TEXT) FROM miq_queue", &["0"]);
    selects(&place, ERROR, &["none"]);

    cloud.simulator().with(|cloud| cloud.faults.poison = vec![ids[1].clone()]);
    for id in &ids[..4] {
        rename(&cloud, id, &format!("new {id}"));
    }
    selects(&place, "SELECT state FROM miq_queue", &["error"]);
    let said = printed(folder.path(), &["refresh", "cloud", "--wait"]);
    assert!(said.ends_with("done: a full refresh answered it\n"), "{said}");
    selects(&place, &name_of("cloud", &ids[1]), &[&format!("new {}", ids[1])]);
    selects(&place, "SELECT CAST(count(*) AS TEXT) FROM miq_queue", &["0"]);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}
