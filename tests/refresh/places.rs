//! Full refreshes have few places, and keep no target waiting.

use super::cloud::Cloud;
use super::process::{Catchall, within};
use super::{name_of, printed, refreshed_in_full, rename, selects, vmdb_rows, vms, write_settings};
use catchall::simulator::Faults;
use std::time::Duration;

/// How many refresh rows of the EMS with this id are claimed.
fn claimed(ems_id: i64) -> String {
    format!(
        "SELECT CAST(count(*) AS TEXT) FROM miq_queue WHERE queue_name = 'ems_{ems_id}' AND state = 'dequeue'"
    )
}

#[test]
fn a_long_full_refresh_keeps_no_target_waiting_and_swallows_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let (slow, quick) = (Cloud::start(71, 5, Faults::default()), Cloud::start(72, 5, Faults::default()));
    let place = write_settings(folder.path(), &[("slow", &slow), ("quick", &quick)], &["max_concurrent: 1"]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 2);

    let last = "SELECT name FROM ext_management_systems ORDER BY id";
    selects(&place, last, &["slow", "quick"]);
    // Four listings, each of them slow: the one place for full refreshes is taken for long.
    slow.simulator().with(|cloud| cloud.faults.inventory_seconds = 3.0);
    printed(folder.path(), &["refresh", "slow"]);
    selects(&place, &claimed(1), &["1"]);

    // The other EMS wants a full refresh too, which must wait; its targets do not.
    printed(folder.path(), &["refresh", "quick"]);
    let (own, other) = (vms(&slow)[4].clone(), vms(&quick)[0].clone());
    rename(&quick, &other, "meanwhile");
    within(Duration::from_secs(6), "the other EMS's target is refreshed", || {
        let found = vmdb_rows::open(&place)?.texts(&name_of("quick", &other))?;
        if found == ["meanwhile"] { Ok(()) } else { Err(format!("{found:?}")) }
    });
    let reader = vmdb_rows::open(&place).unwrap();
    assert_eq!(reader.texts(&claimed(1)).unwrap(), ["1"], "the full refresh is still under way");
    let full_waits = "SELECT state FROM miq_queue WHERE queue_name = 'ems_2' AND args LIKE '%\"full\":true%'";
    assert_eq!(reader.texts(full_waits).unwrap(), ["ready"], "and the other full one waits for its place");

    // An event of the slow EMS itself, after the full refresh has read its VMs or before: it is answered after it.
    rename(&slow, &own, "later");
    selects(&place, &name_of("slow", &own), &["later"]);
    let order = "SELECT kind FROM ems_refreshes WHERE ems_id = 1 ORDER BY id DESC LIMIT 2";
    selects(&place, order, &["targeted", "full"]);
    slow.simulator().with(|cloud| cloud.faults.inventory_seconds = 0.0);
    selects(&place, "SELECT CAST(count(*) AS TEXT) FROM miq_queue", &["0"]);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn as_many_targets_as_the_threshold_are_one_full_refresh_and_it_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(73, 20, Faults::default());
    let place = write_settings(folder.path(), &[("cloud", &cloud)], &["full_refresh_threshold: 6"]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refreshed_in_full(&place, 1);
    let ids = vms(&cloud);
    cloud.simulator().with(|cloud| {
        for id in &ids[..12] {
            let change = cloud.world.rename(id, format!("new {id}"), cloud.now()).unwrap();
            cloud.enter(&change);
        }
    });
    selects(&place, &name_of("cloud", &ids[11]), &[&format!("new {}", ids[11])]);
    selects(&place, "SELECT kind FROM ems_refreshes ORDER BY id DESC LIMIT 1", &["full"]);
    let (_, metrics) = get(&format!("http://{}/metrics", catchall.address()));
    let counted = "catchall_refresh_escalations_total{ems=\"cloud\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

/// Status and body.
fn get(url: &str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    })
}
