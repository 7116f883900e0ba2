//! Many EMSs in one process.

use crate::cloud::Cloud;
use crate::process::{Catchall, within};
use crate::vmdb_rows::Place;
use catchall::simulator::Faults;
use std::fmt::Write;
use std::time::Duration;

const EMSS: usize = 200;

#[test]
fn two_hundred_emss_are_soon_caught_from_and_none_waits_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, place) = (Cloud::start(3, 5, Faults::default()), Place::sqlite(folder.path()));
    cloud.happen(2);
    let mut text = format!(
        "vmdb: {{url: \"{}\"}}\nhttp: {{listen: \"127.0.0.1:0\"}}\next_management_systems:\n",
        place.url
    );
    for number in 1..=EMSS {
        let url = cloud.url();
        writeln!(
            text,
            "  - {{name: cloud {number}, type: awesome_cloud, endpoints: {{default: {{url: \"{url}\"}}}}, \
             authentications: {{default: {{password: demo}}}}}}"
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("settings.yml"), text).unwrap();
    let catchall = Catchall::start(folder.path(), &["run"]);
    within(Duration::from_secs(20), "all event catchers are running", || {
        let running = catchall.log().matches("the event catcher is running").count();
        if running >= EMSS { Ok(()) } else { Err(format!("{running} of {EMSS}")) }
    });
    within(Duration::from_secs(20), "every EMS has its events", || {
        let reader = crate::vmdb_rows::open(&place)?;
        let rows = reader.number("SELECT CAST(count(*) AS TEXT) AS value FROM event_streams")?;
        if rows == 2 * EMSS as i64 { Ok(()) } else { Err(format!("{rows} rows")) }
    });
}
