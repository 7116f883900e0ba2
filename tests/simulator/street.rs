//! One Catchall, an EMS for each kind of fault: whatever goes wrong beside it, each gets all its events, each once, and
//! ends with the inventory as it is.

use super::cloud::Cloud;
use super::judge::Judge;
use super::process::{Catchall, within};
use super::vmdb_rows::Place;
use catchall::simulator::{FaultKind, Faults};
use std::path::Path;
use std::time::{Duration, Instant};

/// The faults of `kind` alone. Inventory is listed seldom, so that listings are short there and always shift.
fn faults(kind: FaultKind) -> Faults {
    let faults = Faults { hang_seconds: 2.0, drip_seconds: 1.0, ..Faults::of(&[kind], 7) };
    match kind {
        FaultKind::ShiftingInventory => Faults { page_limit: 2, shift_share: 1.0, ..faults },
        _ => faults,
    }
}

fn write_settings(folder: &Path, place: &Place, clouds: &[(FaultKind, Cloud)]) {
    let ems = |(kind, cloud): &(FaultKind, Cloud)| {
        format!(
            "  - name: {kind}\n    type: awesome_cloud\n    endpoints: {{default: {{url: \"{}\"}}}}\n    \
             authentications: {{default: {{userid: demo, password: demo}}}}\n",
            cloud.url()
        )
    };
    let text = format!(
        "vmdb: {{url: \"{}\"}}\nhttp: {{listen: \"127.0.0.1:0\"}}\next_management_systems:\n{}\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.2}}}}}}}}\n",
        place.url,
        clouds.iter().map(ems).collect::<String>()
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
}

fn is_met((kind, cloud): &&(FaultKind, Cloud)) -> bool {
    cloud.simulator().stats().faults_met.get(kind.name()).is_some_and(|times| *times > 0)
}

#[test]
fn a_street_of_one_ems_for_each_kind_of_fault_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let clouds: Vec<_> =
        FaultKind::ALL.into_iter().map(|kind| (kind, Cloud::start(7, 5, faults(kind)))).collect();
    write_settings(folder.path(), &place, &clouds);
    let catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("the event catcher is running");
    for _ in 0..20 {
        clouds.iter().for_each(|(_, cloud)| cloud.happen(2));
        std::thread::sleep(Duration::from_millis(200));
    }
    // Rare ones take more happenings.
    let begun = Instant::now();
    while let Some((kind, _)) = clouds.iter().find(|cloud| !is_met(cloud)) {
        assert!(begun.elapsed() < Duration::from_secs(15), "{kind} is never met");
        clouds.iter().filter(|cloud| !is_met(cloud)).for_each(|(_, cloud)| cloud.happen(2));
        std::thread::sleep(Duration::from_millis(50));
    }
    clouds.iter().for_each(|(_, cloud)| cloud.simulator().heal());
    for (kind, cloud) in &clouds {
        within(Duration::from_secs(40), &format!("{kind}: all is as it should be"), || {
            Judge::open(&place, kind.name())?.judge(cloud.simulator())
        });
    }
}
