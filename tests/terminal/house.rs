//! A folder with settings, a simulated cloud, and a Catchall whose address is known to commands beside it.

use crate::cloud::Cloud;
use crate::process::{Catchall, catchall};
use crate::{postgres, process};
use catchall::simulator::Faults;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

pub struct House {
    pub folder: TempDir,
    pub cloud: Cloud,
}

impl House {
    pub fn on_sqlite() -> Self {
        Self::at("sqlite://catchall.db", "catchall")
    }

    /// In a schema of the test binary's server; `None` when it is to be skipped.
    pub fn on_postgres(schema: &str) -> Option<Self> {
        Some(Self::at(&postgres::server()?.url, schema))
    }

    pub fn at(url: &str, schema: &str) -> Self {
        let (folder, cloud) = (tempfile::tempdir().unwrap(), Cloud::start(7, 4, Faults::default()));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "vmdb: {{url: \"{url}\", schema: {schema}}}\n\
             http: {{listen: \"127.0.0.1:{port}\", token: only-for-us}}\n\
             ext_management_systems:\n\
             \x20 - name: demo cloud\n\
             \x20   type: awesome_cloud\n\
             \x20   endpoints: {{default: {{url: \"{}\"}}}}\n\
             \x20   authentications: {{default: {{userid: demo, password: demo}}}}\n\
             workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.05}}}}}}}}\n",
            cloud.url()
        );
        std::fs::write(folder.path().join("settings.yml"), settings).unwrap();
        Self { folder, cloud }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs Catchall until so many events are stored.
    pub fn run_until_stored(&self, events: usize) -> Catchall {
        let running = Catchall::start(self.path(), &["run"]);
        self.cloud.happen(events);
        process::eventually("events are stored", || {
            let asked = self.output(&["events", "--json", "--limit", "1000"]);
            let stored = asked.stdout.iter().filter(|byte| **byte == b'\n').count();
            if stored >= events { Ok(()) } else { Err(format!("{stored} {asked:?}")) }
        });
        running
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        catchall(self.path()).args(arguments).output().unwrap()
    }

    /// What a command that succeeds prints.
    pub fn printed(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
