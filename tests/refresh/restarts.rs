//! Refreshing across SIGHUP and SIGUSR1: intervals that change, and claims of workers that were replaced.

use super::cloud::Cloud;
use super::process::{Catchall, eventually};
use super::{printed, refreshed_in_full, selects, vmdb_rows, write_settings};
use catchall::simulator::Faults;
use std::time::Duration;

const FULL: &str = "SELECT CAST(count(*) AS TEXT) FROM ems_refreshes WHERE kind = 'full' AND error IS NULL";

#[test]
fn a_changed_interval_is_in_force_after_sighup_and_zero_is_never() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(79, 5, Faults::default());
    let clouds = [("cloud", &cloud)];
    let never = ["awesome_cloud: {refresh_interval: 0}"];
    let place = write_settings(folder.path(), &clouds, &never);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 1);
    write_settings(folder.path(), &clouds, &["awesome_cloud: {refresh_interval: 1.seconds}"]);
    catchall.signal("HUP");
    eventually("full refreshes come by themselves", || {
        let count = vmdb_rows::open(&place)?.number(FULL)?;
        if count >= 3 { Ok(()) } else { Err(count.to_string()) }
    });
    write_settings(folder.path(), &clouds, &never);
    catchall.signal("HUP");
    eventually("the old settings are in force again", || {
        let log = catchall.log();
        if log.matches("the new settings are in force").count() == 2 { Ok(()) } else { Err(log) }
    });
    selects(&place, "SELECT CAST(count(*) AS TEXT) FROM miq_queue", &["0"]);
    let before = vmdb_rows::open(&place).unwrap().texts(FULL).unwrap();
    // Thrice the interval that was.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(vmdb_rows::open(&place).unwrap().texts(FULL).unwrap(), before);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn work_that_a_replaced_worker_had_claimed_is_done_by_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(80, 5, Faults::default());
    let place = write_settings(folder.path(), &[("cloud", &cloud)], &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 1);
    cloud.simulator().with(|cloud| cloud.faults.inventory_seconds = 30.0);
    let before = cloud.simulator().stats().inventory_requests;
    printed(folder.path(), &["refresh", "cloud"]);
    eventually("the collector waits for its first listing", || {
        let now = cloud.simulator().stats().inventory_requests;
        if now > before { Ok(()) } else { Err(now.to_string()) }
    });
    selects(&place, "SELECT state FROM miq_queue", &["dequeue"]);
    cloud.simulator().with(|cloud| cloud.faults.inventory_seconds = 0.0);
    catchall.signal("USR1");
    // The first listing would still take its half a minute.
    super::process::within(Duration::from_secs(20), "its successor has done it", || {
        let waiting = vmdb_rows::open(&place)?.texts("SELECT state FROM miq_queue")?;
        if waiting.is_empty() { Ok(()) } else { Err(format!("{waiting:?}")) }
    });
    selects(&place, FULL, &["2"]);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}
