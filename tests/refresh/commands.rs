//! `catchall refresh` and `catchall queue`, beside a running Catchall and without one.

use super::cloud::Cloud;
use super::process::Catchall;
use super::{name_of, printed, refreshed_in_full, refused, rename_silently, selects, vms, write_settings};
use catchall::simulator::Faults;
use serde_json::Value;

#[test]
fn a_refresh_of_a_target_looks_at_just_that_and_says_when_it_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(77, 10, Faults::default());
    let place = write_settings(folder.path(), &[("demo cloud", &cloud)], &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 1);
    let ids = vms(&cloud);
    rename_silently(&cloud, &ids[2], "seen");
    rename_silently(&cloud, &ids[3], "not asked for");
    let asked = || cloud.simulator().stats().requests;
    let before = asked();
    let target = format!("vms:{}", ids[2]);
    let said = printed(folder.path(), &["refresh", "demo cloud", "--target", &target, "--wait"]);
    assert!(said.contains(": a refresh of 1 target of demo cloud is queued\n"), "{said}");
    assert!(said.ends_with("done: a targeted refresh answered it\n"), "{said}");
    let after = asked();
    let more = |kind: &str| after[kind] - before[kind];
    assert_eq!(["vms", "hosts", "flavors", "images"].map(more), [1, 0, 0, 0]);
    selects(&place, &name_of("demo cloud", &ids[2]), &["seen"]);
    let other = super::vmdb_rows::open(&place).unwrap().texts(&name_of("demo cloud", &ids[3])).unwrap();
    assert_ne!(other, ["not asked for"]);

    let said = printed(folder.path(), &["refresh", "demo cloud", "--wait"]);
    assert!(said.ends_with("done: a full refresh answered it\n"), "{said}");
    selects(&place, &name_of("demo cloud", &ids[3]), &["not asked for"]);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn work_is_listed_shown_and_dropped_and_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cloud = Cloud::start(78, 5, Faults::default());
    let place = write_settings(folder, &[("cloud", &cloud)], &[]);
    let mut catchall = Catchall::start(folder, &["run"]);
    refreshed_in_full(&place, 1);
    assert!(catchall.terminate().success(), "{}", catchall.log());

    assert_eq!(printed(folder, &["queue", "list"]), "No work waits.\n");
    let said = printed(folder, &["refresh", "cloud"]);
    let id = said.split(':').next().unwrap().to_owned();
    let again = printed(folder, &["refresh", "cloud"]);
    assert_eq!(again, format!("{id}: a full refresh of cloud waits already\n"));
    printed(folder, &["refresh", "cloud", "--target", "vms:vm-1", "--target", "hosts:host-1"]);
    let listed = printed(folder, &["queue", "list", "--ems", "cloud"]);
    assert!(listed.contains("EmsRefresh.refresh") && listed.contains("everything"), "{listed}");
    assert!(listed.contains("vms vm-1, hosts host-1"), "{listed}");
    let rows = printed(folder, &["queue", "list", "--json", "--state", "ready"]);
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[1]["args"][0]["targets"][0]["association"]), (2, &Value::from("vms")));
    let shown = printed(folder, &["queue", "show", &id]);
    assert!(shown.contains("what       everything\n") && shown.contains("ems        cloud\n"), "{shown}");

    let (status, says) = refused(folder, &["queue", "drop", &id]);
    assert!(status == Some(2) && says.contains("--yes"), "{status:?} {says}");
    let dropped = printed(folder, &["queue", "drop", &id, "--yes"]);
    assert!(dropped.starts_with(&format!("{id}: EmsRefresh.refresh is dropped; ")), "{dropped}");
    for command in [["queue", "show"], ["queue", "retry"]] {
        let (status, says) = refused(folder, &[command[0], command[1], &id]);
        assert!(status == Some(1) && says.contains("there is no row"), "{command:?} {status:?} {says}");
    }
    for (arguments, wanted, words) in [
        (&["refresh", "clout"][..], 1, "there is no EMS \"clout\" in the settings"),
        (&["refresh", "cloud", "--target", "vm:vm-1"], 2, "no association; there are: "),
        (&["queue", "retry"], 2, "--all-failed"),
        (&["queue", "list", "--state", "red"], 2, "ready, dequeue, error"),
        (&["queue", "list", "--ems", "clout"], 1, "there is no EMS \"clout\""),
    ] {
        let (status, says) = refused(folder, arguments);
        assert!(status == Some(wanted) && says.contains(words), "{arguments:?}: {status:?} {says}");
    }

    // What waits is done by the next process.
    let mut catchall = Catchall::start(folder, &["run"]);
    selects(&place, "SELECT CAST(count(*) AS TEXT) FROM miq_queue", &["0"]);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}
