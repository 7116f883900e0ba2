//! Refreshing as an operator meets it: the real binary against simulated clouds that are slow, fail, or fail for one thing
//! alone; and the commands that queue refreshes and steer the queue.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "../support/cloud.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod cloud;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod process;
#[path = "../support/vmdb_rows.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod vmdb_rows;

mod commands;
mod failures;
mod places;
mod restarts;

use cloud::Cloud;
use process::{catchall, eventually};
use std::path::Path;
use std::process::Output;
use vmdb_rows::Place;

/// Settings for these EMSs in `folder`, on SQLite; `refresh` are lines of `ems_refresh`.
fn write_settings(folder: &Path, clouds: &[(&str, &Cloud)], refresh: &[&str]) -> Place {
    let place = Place::sqlite(folder);
    let ems = clouds.iter().map(|(name, cloud)| {
        format!(
            "  - name: {name}\n    type: awesome_cloud\n    endpoints: {{default: {{url: \"{}\"}}}}\n    \
             authentications: {{default: {{userid: demo, password: demo}}}}\n",
            cloud.url()
        )
    });
    let text = format!(
        "vmdb: {{url: \"{}\"}}\nhttp: {{listen: \"127.0.0.1:0\"}}\next_management_systems:\n{}\
         ems_refresh:\n  refresh_interval: 24.hours\n{}\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.05}}}}}}}}\n",
        place.url,
        ems.collect::<String>(),
        refresh.iter().map(|line| format!("  {line}\n")).collect::<String>()
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
    place
}

/// Runs a command beside the running process.
fn command(folder: &Path, arguments: &[&str]) -> Output {
    catchall(folder).args(arguments).output().unwrap()
}

/// What a command that succeeds prints.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = command(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit status and what a command says of its failure.
fn refused(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(folder, arguments);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Waits until `sql` selects these texts.
fn selects(place: &Place, sql: &str, expected: &[&str]) {
    eventually(&format!("{sql} is {expected:?}"), || {
        let found = vmdb_rows::open(place)?.texts(sql)?;
        if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
    });
}

/// Waits until so many EMSs were refreshed in full and nothing waits.
fn refreshed_in_full(place: &Place, count: usize) {
    let sql = "SELECT CAST(count(DISTINCT ems_id) AS TEXT) FROM ems_refreshes WHERE kind = 'full' AND error IS NULL";
    selects(place, sql, &[&count.to_string()]);
    selects(place, "SELECT CAST(count(*) AS TEXT) FROM miq_queue WHERE class_name = 'EmsRefresh'", &["0"]);
}

/// The ids of the cloud's VMs.
fn vms(cloud: &Cloud) -> Vec<String> {
    cloud.simulator().with(|cloud| cloud.world.vms.values().map(|vm| vm.id.clone()).collect())
}

/// Renames a VM, with an event.
fn rename(cloud: &Cloud, id: &str, name: &str) {
    cloud.simulator().with(|cloud| {
        let change = cloud.world.rename(id, name.to_owned(), cloud.now()).expect("the VM exists");
        cloud.enter(&change);
    });
}

/// Renames a VM behind the catcher's back, without an event.
fn rename_silently(cloud: &Cloud, id: &str, name: &str) {
    let renamed = cloud.simulator().with(|cloud| cloud.world.rename(id, name.to_owned(), cloud.now()));
    assert!(renamed.is_some(), "the VM exists");
}

/// The VMDB's name of a VM of the EMS called `ems`.
fn name_of(ems: &str, id: &str) -> String {
    format!(
        "SELECT v.name FROM vms v JOIN ext_management_systems e ON e.id = v.ems_id \
         WHERE e.name = '{ems}' AND v.ems_ref = '{id}' AND NOT v.template"
    )
}
