//! The whole street: the real binary against a simulated cloud, judged by its rows.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may say so by panicking")]

#[path = "../support/cloud.rs"]
mod cloud;
#[path = "../support/faulty_proxy.rs"]
mod faulty_proxy;
#[path = "../support/judge.rs"]
mod judge;
#[path = "../support/moto.rs"]
mod moto;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/postgres_outage.rs"]
mod postgres_outage;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/vmdb_rows.rs"]
mod vmdb_rows;

mod amazon;
mod amazon_faults;
mod bad_days;
mod checked;
mod floods;
mod http;
mod kills;
mod named_kills;
mod new_ems;
mod outages;
mod pause;
mod reload;
mod story;
mod two_terminals;
mod whole;

use cloud::Cloud;
use std::path::Path;
use vmdb_rows::Place;

/// Settings for one EMS, the cloud, in `folder`, on SQLite; `more` is added to the EMS's entry.
pub fn write_settings(folder: &Path, cloud: &Cloud, more: &[&str]) -> Place {
    let place = Place::sqlite(folder);
    write_settings_at(&place, folder, cloud, more);
    place
}

/// The same with the VMDB at `place`.
pub fn write_settings_at(place: &Place, folder: &Path, cloud: &Cloud, more: &[&str]) {
    let more: String = more.iter().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "vmdb: {{url: \"{}\", schema: {}}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         ext_management_systems:\n\
         \x20 - name: test cloud\n\
         \x20   type: awesome_cloud\n\
         \x20   endpoints: {{default: {{url: \"{}\"}}}}\n\
         \x20   authentications: {{default: {{userid: demo, password: demo}}}}\n{more}\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.05}}}}}}}}\n",
        place.url,
        place.schema,
        cloud.url()
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
}

/// A schema of the test binary's PostgreSQL; `None` when it is to be skipped.
pub fn postgres_schema(schema: &str) -> Option<Place> {
    let url = postgres::server()?.url.clone();
    Some(Place { url, schema: schema.to_owned() })
}
