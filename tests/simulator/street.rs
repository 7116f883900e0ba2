//! One Catchall, an EMS for each kind of fault: whatever goes wrong beside it, each gets all its events, each once.

use super::cloud::Cloud;
use super::process::{Catchall, within};
use super::vmdb_rows::{self, Place};
use catchall::simulator::{FaultKind, Faults};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn a_street_of_one_ems_for_each_kind_of_fault_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let clouds: Vec<_> =
        FaultKind::ALL.into_iter().map(|kind| (kind, Cloud::start(7, 5, Faults::of(&[kind], 7)))).collect();
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
    std::fs::write(folder.path().join("settings.yml"), text).unwrap();
    let catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("the event catcher is running");
    for _ in 0..30 {
        clouds.iter().for_each(|(_, cloud)| cloud.happen(2));
        std::thread::sleep(Duration::from_millis(200));
    }
    clouds.iter().for_each(|(_, cloud)| cloud.simulator().heal());
    for (kind, cloud) in &clouds {
        within(Duration::from_secs(40), &format!("{kind}: every event is a row"), || {
            let ledger = cloud.simulator().ledger();
            let gone: BTreeSet<String> = ledger.gone.into_iter().map(|gone| gone.id).collect();
            let reader = vmdb_rows::open(&place)?;
            let sql = format!(
                "SELECT s.event_uid AS value FROM event_streams s \
                 JOIN ext_management_systems e ON e.id = s.ems_id WHERE e.name = '{kind}'"
            );
            let rows = reader.texts(&sql)?;
            let distinct: BTreeSet<&String> = rows.iter().collect();
            assert_eq!(distinct.len(), rows.len(), "{kind}: an event is stored twice");
            let lost =
                ledger.events.iter().filter(|id| !distinct.contains(id) && !gone.contains(*id)).count();
            match (ledger.hidden, lost) {
                (0, 0) => Ok(()),
                seen => Err(format!("hidden and lost: {seen:?}")),
            }
        });
    }
}
