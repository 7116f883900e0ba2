//! What `docs/delivery.md` promises: for each way in which ManageIQ or one of its providers loses or doubles an event, a test
//! that fails if Catchall has it too. Those that other test binaries have already are named there and not repeated here.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "../support/automate_files.rs"]
#[allow(dead_code, reason = "shared with the tests of the switchboard")]
mod automate_files;
#[path = "../support/cloud.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod cloud;
#[path = "../street/http.rs"]
mod http;
#[path = "../support/judge.rs"]
mod judge;
#[path = "../support/moto.rs"]
#[allow(dead_code, reason = "shared with the tests of Amazon")]
mod moto;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/postgres_outage.rs"]
mod postgres_outage;
#[path = "../support/process.rs"]
mod process;
#[path = "../vmdb/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the VMDB")]
mod support;
#[path = "../support/vmdb_rows.rs"]
mod vmdb_rows;

mod acknowledging;
mod queue_between;
mod rereading;
mod restarts;
mod stopping;
mod twice;
mod writers;

use cloud::Cloud;
use process::{Catchall, catchall, eventually};
use std::path::Path;
use vmdb_rows::Place;

/// Settings for one EMS, the cloud, in `folder`. `ems` is added to its entry, `more` to the whole, line by line.
fn write_settings(place: &Place, folder: &Path, cloud: &Cloud, (ems, more): (&[&str], &[&str])) {
    let lines = |lines: &[&str], indent: &str| -> String {
        lines.iter().map(|line| format!("{indent}{line}\n")).collect()
    };
    let text = format!(
        "vmdb: {{url: \"{}\", schema: {}}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         ext_management_systems:\n\
         \x20 - name: test cloud\n\
         \x20   type: awesome_cloud\n\
         \x20   endpoints: {{default: {{url: \"{}\"}}}}\n\
         \x20   authentications: {{default: {{userid: demo, password: demo}}}}\n{}\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.05}}}}}}}}\n{}",
        place.url,
        place.schema,
        cloud.url(),
        lines(ems, "    "),
        lines(more, "")
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
}

/// The same on SQLite, with nothing added.
fn plain_settings(folder: &Path, cloud: &Cloud) -> Place {
    let place = Place::sqlite(folder);
    write_settings(&place, folder, cloud, (&[], &[]));
    place
}

/// A setting of one EMS's event catcher, as a line of its entry.
fn catcher_setting(setting: &str) -> String {
    format!(
        "settings: {{workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{{setting}}}}}}}}}}}"
    )
}

/// A process that kills itself at this place, see `src/fail_points.rs`.
fn doomed(folder: &Path, arguments: &[&str], kill_at: &str) -> Catchall {
    let mut command = catchall(folder);
    command.args(arguments).env("CATCHALL_KILL_AT", kill_at);
    Catchall::spawn(folder, arguments[0], command)
}

/// How many rows `from` has, which may have a condition.
fn count(place: &Place, from: &str) -> Result<i64, String> {
    vmdb_rows::open(place)?.number(&format!("SELECT CAST(count(*) AS TEXT) AS value FROM {from}"))
}

/// Waits until `from` has so many rows.
fn rows_are(place: &Place, from: &str, rows: usize) {
    eventually(&format!("{from} has {rows} rows"), || match count(place, from)? {
        found if usize::try_from(found) == Ok(rows) => Ok(()),
        found => Err(found.to_string()),
    });
}

/// The first full refresh is done, and the cursor is stored: what follows is no longer the beginning.
fn has_begun(place: &Place) {
    rows_are(place, "ems_refreshes WHERE kind = 'full' AND error IS NULL", 1);
    // The cloud's clock tells whole seconds: events of the running second are dated ahead of it and move no cursor yet.
    rows_are(place, "ems_cursors", 1);
}

/// A schema of the test binary's PostgreSQL; `None` when it is to be skipped.
fn postgres_schema(schema: &str) -> Option<Place> {
    let url = postgres::server()?.url.clone();
    Some(Place { url, schema: schema.to_owned() })
}

/// Gives each of some VMs a new name, all in one instant, each with its event.
fn rename_at_once(cloud: &Cloud, count: usize, name: &str) {
    cloud.simulator().with(|cloud| {
        let now = cloud.now();
        let ids: Vec<String> = cloud.world.vms.values().take(count).map(|vm| vm.id.clone()).collect();
        assert_eq!(ids.len(), count, "the cloud has too few VMs");
        for id in ids {
            let change = cloud.world.rename(&id, format!("{name}-{id}"), now).expect("the VM is there");
            cloud.enter(&change);
        }
    });
}
