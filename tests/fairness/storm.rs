//! A storm of one EMS beside quiet ones.

use crate::cloud::Cloud;
use crate::process::{Catchall, eventually};
use crate::vmdb_rows::{self, Place};
use catchall::simulator::Faults;
use std::fmt::Write;
use std::time::{Duration, Instant};

const QUIET: usize = 20;
/// Of the event itself to its commit, the wait for a poll (0.2 s) and everything that a debug build and a loaded machine add
/// included. A quiet EMS that had to wait for the storm's end would take some ten seconds.
const LIMIT: f64 = 3.0;

#[test]
fn a_storm_of_one_ems_does_not_keep_the_quiet_ones_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let (storm, quiet) = (Cloud::start(1, 50, Faults::default()), Cloud::start(2, 10, Faults::default()));
    let place = Place::sqlite(folder.path());
    std::fs::write(folder.path().join("settings.yml"), settings(&place, &storm, &quiet)).unwrap();
    let catchall = Catchall::start(folder.path(), &["run"]);
    eventually("all event catchers are running", || {
        let running = catchall.log().matches("the event catcher is running").count();
        if running > QUIET { Ok(()) } else { Err(format!("{running} are running")) }
    });
    // More than is caught within the time: the storm has something waiting all the while.
    storm.happen(10_000);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        quiet.happen(1);
        storm.happen(300);
        std::thread::sleep(Duration::from_millis(200));
    }
    let told = quiet.events().len() * QUIET;
    let took = eventually("the quiet ones' events are rows", || {
        let took = took(&place)?;
        if took.len() == told { Ok(took) } else { Err(format!("{} of {told}", took.len())) }
    });
    let p99 = took[(took.len() * 99).div_ceil(100) - 1];
    assert!(p99 <= LIMIT, "p99 {p99:.3} s of {} events, the last took {:.3} s", told, took[took.len() - 1]);
}

/// Seconds from each quiet event to its commit, the shortest first.
fn took(place: &Place) -> Result<Vec<f64>, String> {
    let sql = "SELECT CAST((julianday(created_on) - julianday(timestamp)) * 86400 AS TEXT) AS value \
               FROM event_streams WHERE ems_id IN \
               (SELECT id FROM ext_management_systems WHERE name LIKE 'quiet%')";
    let texts = vmdb_rows::open(place)?.texts(sql)?;
    let mut took: Vec<f64> = texts.iter().map(|text| text.parse().unwrap()).collect();
    took.sort_by(f64::total_cmp);
    Ok(took)
}

fn settings(place: &Place, storm: &Cloud, quiet: &Cloud) -> String {
    let mut text = format!(
        "vmdb: {{url: \"{}\"}}\nhttp: {{listen: \"127.0.0.1:0\"}}\n\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: \
         {{poll: 0.2, ems_event_page_size: 500}}}}}}}}\next_management_systems:\n",
        place.url
    );
    let names = std::iter::once(("storm".to_owned(), storm.url()));
    for (name, url) in names.chain((1..=QUIET).map(|number| (format!("quiet {number}"), quiet.url()))) {
        writeln!(
            text,
            "  - {{name: {name}, type: awesome_cloud, endpoints: {{default: {{url: \"{url}\"}}}}, \
             authentications: {{default: {{password: demo}}}}}}"
        )
        .unwrap();
    }
    text
}
