//! A full refresh of an EMS in which nothing changed: the real `catchall run` against the simulator, 50,000 VMs. How long it
//! takes, how much memory the process takes for it, and that it writes no inventory. `cargo test` does it with 5,000 VMs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "../tests/support/postgres.rs"]
mod postgres;

use catchall::provider::{EmsId, Secret};
use catchall::settings::VmdbSettings;
use catchall::simulator::{Simulator, SimulatorOptions};
use catchall::vmdb::{Access, Fields, Vmdb, refresh_work};
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The limits of 50,000 VMs.
const LONGEST: Duration = Duration::from_secs(10);
const MOST_MEMORY: u64 = 300;

fn main() {
    let in_earnest = std::env::args().any(|argument| argument == "--bench");
    let vms = if in_earnest { 50_000 } else { 5_000 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for place in [Some(Place::sqlite()), Place::postgres()].into_iter().flatten() {
        let options = SimulatorOptions { vms, ..SimulatorOptions::default() };
        let (first, second) = runtime.block_on(async {
            let cloud = catchall::simulator::start(options).await.unwrap();
            measure(&place, &cloud, vms).await
        });
        println!("\nfull refresh of {vms} VMs on {}", place.name);
        for (what, figures) in [("all of them new", &first), ("nothing changed", &second)] {
            let Figures { took, memory } = figures;
            println!("  {what:<16} {:>7.2} s, the process takes at most {memory} MiB", took.as_secs_f64());
        }
        // Optimized it is the limit itself; else only what is far off is wrong, on a machine that does much besides.
        let slack = if cfg!(debug_assertions) { 6 } else { 1 };
        assert!(second.took <= LONGEST * slack, "longer than {:?}", LONGEST * slack);
        assert!(second.memory <= MOST_MEMORY, "more than {MOST_MEMORY} MiB");
    }
}

struct Figures {
    took: Duration,
    /// MiB at the peak.
    memory: u64,
}

/// A refresh that brings everything, then, by a fresh process, one that finds everything as it is.
async fn measure(place: &Place, cloud: &Simulator, vms: usize) -> (Figures, Figures) {
    place.write_settings(&cloud.url());
    let first = Run::start(place).until_refreshed(1).await;
    let before = place.inventory().await;
    assert_eq!(before[0].id(0).unwrap(), i64::try_from(vms).unwrap());
    let vmdb = Vmdb::open(&place.settings, Access::Worker).await.unwrap();
    let id = before[0].id(1).unwrap();
    let queued = vmdb.write(move |connection| refresh_work::queue_full_refresh(connection, EmsId(id))).await;
    assert!(queued.unwrap());
    vmdb.close().await;
    let second = Run::start(place).until_refreshed(2).await;
    assert_eq!(place.inventory().await, before, "inventory was written");
    assert!(place.log().contains(" 0 rows written"), "{}", place.log());
    (first, second)
}

/// A VMDB and the settings of a Catchall that has it.
struct Place {
    name: &'static str,
    settings: VmdbSettings,
    folder: TempDir,
    /// Of the tables, what tells of any write.
    witness: &'static str,
}

impl Place {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let url = Secret::new(format!("sqlite://{}/catchall.db", folder.path().display()));
        let settings = VmdbSettings { url, schema: "catchall".to_owned() };
        Self { name: "SQLite", settings, folder, witness: "max(updated_on)" }
    }

    fn postgres() -> Option<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let url = Secret::new(format!("{}?sslmode=disable", postgres::server()?.url));
        let settings = VmdbSettings { url, schema: "refresh".to_owned() };
        Some(Self { name: "PostgreSQL", settings, folder, witness: "max(xmin::text::bigint)" })
    }

    fn write_settings(&self, cloud: &str) {
        let (url, schema) = (self.settings.url.expose(), &self.settings.schema);
        let text = format!(
            "vmdb: {{url: \"{url}\", schema: {schema}}}\nhttp: {{listen: \"127.0.0.1:0\"}}\n\
             ext_management_systems:\n  - {{name: cloud, type: awesome_cloud, endpoints: {{default: {{url: \"{cloud}\"}}}}, \
             authentications: {{default: {{password: bench}}}}}}\n"
        );
        std::fs::write(self.folder.path().join("settings.yml"), text).unwrap();
    }

    async fn read(&self, sql: String) -> Vec<Fields> {
        let vmdb = Vmdb::open(&self.settings, Access::Read).await.unwrap();
        let rows = vmdb.read(move |connection| connection.rows(&sql, &[])).await;
        vmdb.close().await;
        rows.unwrap()
    }

    /// How many VMs, of which EMS, and when they or hosts were last written.
    async fn inventory(&self) -> Vec<Fields> {
        let witness = self.witness;
        self.read(format!(
            "SELECT count(*), max(ems_id), {witness}, (SELECT {witness} FROM hosts) FROM vms WHERE NOT template"
        ))
        .await
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("run.log")).unwrap_or_default()
    }
}

/// A `catchall run`; killed when it is dropped.
struct Run<'a>(Child, &'a Place);

impl<'a> Run<'a> {
    fn start(place: &'a Place) -> Self {
        let log = File::create(place.folder.path().join("run.log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_catchall"));
        command.arg("run").current_dir(place.folder.path()).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self(command.spawn().unwrap(), place)
    }

    /// Until there are `count` full refreshes; how the last one was.
    async fn until_refreshed(self, count: usize) -> Figures {
        let deadline = Instant::now() + Duration::from_secs(300);
        let mut finished = Vec::new();
        while finished.len() < count {
            assert!(Instant::now() < deadline, "no refresh; {}", self.1.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
            // The first process has to make the tables first.
            let Ok(vmdb) = Vmdb::open(&self.1.settings, Access::Read).await else { continue };
            let sql = "SELECT started_on, finished_on FROM ems_refreshes WHERE kind = 'full' ORDER BY id";
            finished = vmdb.read(move |connection| connection.rows(sql, &[])).await.unwrap_or_default();
            vmdb.close().await;
        }
        let last = &finished[count - 1];
        let took = last.time(1).unwrap() - last.time(0).unwrap();
        Figures { took: took.to_std().unwrap(), memory: self.peak() }
    }

    /// MiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
