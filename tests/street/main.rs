//! The whole street: the real binary against a simulated cloud, judged by its rows.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may say so by panicking")]

#[path = "../support/cloud.rs"]
mod cloud;
#[path = "../support/judge.rs"]
mod judge;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/vmdb_rows.rs"]
mod vmdb_rows;

mod kills;
mod reload;
mod two_terminals;
mod whole;

use cloud::Cloud;
use std::path::Path;

/// Settings for one EMS, the cloud, in `folder`, on SQLite; `more` is added to the EMS's entry.
pub fn write_settings(folder: &Path, cloud: &Cloud, more: &[&str]) {
    let more: String = more.iter().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "vmdb: {{url: \"{}\"}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         ext_management_systems:\n\
         \x20 - name: test cloud\n\
         \x20   type: awesome_cloud\n\
         \x20   endpoints: {{default: {{url: \"{}\"}}}}\n\
         \x20   authentications: {{default: {{userid: demo, password: demo}}}}\n{more}\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.05}}}}}}}}\n",
        sqlite_url(folder),
        cloud.url()
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
}

/// The VMDB of [`write_settings`].
pub fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("catchall.db").display())
}
