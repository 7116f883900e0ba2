//! Many EMSs in one process: the real `catchall run` with 1,000 EMSs of one simulated cloud, each at an address of its own, so
//! that nothing is shared that would not be among 1,000 clouds. How soon all are catching, what memory they take, and
//! what they cost while nothing happens.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/limits.rs"]
mod limits;
#[path = "support/places.rs"]
mod places;
#[path = "support/run.rs"]
mod run;

use catchall::simulator::{self, Simulator, SimulatorOptions};
use catchall::vmdb::{Access, Vmdb};
use limits::Limited;
use places::{Database, Place};
use run::Run;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Virtual machines of the cloud.
const VMS: usize = 5;
/// Of `catchall run`, from its start until every event catcher is running.
const START_LIMIT: f64 = 3.0;
/// MiB.
const MEMORY_LIMIT: f64 = 200.0;
/// Of one core, at the default poll of 15 s.
const IDLE_LIMIT: f64 = 0.05;
/// What an event catcher logs once its provider has answered.
const RUNNING: &str = "the event catcher is running";

fn main() {
    let (emss, idle) = if circumstances::in_earnest() { (1_000, 30) } else { (100, 2) };
    let cloud = start_cloud();
    for database in Database::all() {
        circumstances::print_circumstances(&format!(
            "{emss} EMSs of {VMS} VMs on {}, a poll each 15 s",
            database.name()
        ));
        measure(database, emss, Duration::from_secs(idle), &cloud);
    }
}

fn measure(database: Database, emss: usize, idle: Duration, cloud: &Simulator) {
    let place = wait(database.fresh());
    let settings = settings(&place, emss, cloud.addr.port());
    let began = Instant::now();
    let run = Run::start(&place, &settings);
    let first = until_catching(&run, emss, began);
    wait(until_refreshed(&place, emss, &run));
    let refreshed = began.elapsed().as_secs_f64();
    std::thread::sleep(SETTLE);
    let asked = events_requests(cloud);
    let (before, since) = (run.processor_seconds(), Instant::now());
    std::thread::sleep(idle);
    let (seconds, polls) = (since.elapsed().as_secs_f64(), events_requests(cloud) - asked);
    let core = (run.processor_seconds() - before) / seconds;
    let (peak, at_end) = run.memory();
    drop(run);
    let began = Instant::now();
    let run = Run::start(&place, &settings);
    let again = until_catching(&run, emss, began);
    std::thread::sleep(SETTLE);
    let (peak_again, _) = run.memory();
    drop(run);
    wait(place.remove());
    limits::print(&[
        Limited::new("new EMSs: start → all are catching, s", first, START_LIMIT),
        Limited::new("known EMSs: start → all are catching, s", again, START_LIMIT),
        Limited::new("memory at its peak, MiB", mebibytes(peak.max(peak_again)), MEMORY_LIMIT),
        Limited::new("memory, idle, MiB", mebibytes(at_end), MEMORY_LIMIT),
        Limited::new("processor, idle, cores", core, IDLE_LIMIT),
    ]);
    println!(
        "  {:.0} polls/s while idle; all {emss} EMSs were refreshed in full {refreshed:.1} s after the start",
        polls as f64 / seconds
    );
}

/// From a state to the next.
const SETTLE: Duration = Duration::from_secs(3);

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

/// Seconds until every event catcher is running.
fn until_catching(run: &Run, emss: usize, began: Instant) -> f64 {
    loop {
        let log = run.log();
        let running = log.matches(RUNNING).count();
        if running >= emss {
            return began.elapsed().as_secs_f64();
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{running} of {emss} are running; {log}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Until every EMS was refreshed once and nothing waits.
async fn until_refreshed(place: &Place, emss: usize, run: &Run) {
    let deadline = Instant::now() + Duration::from_secs(180);
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    let emss = i64::try_from(emss).unwrap();
    let sql = "SELECT count(*), (SELECT count(*) FROM miq_queue) FROM ext_management_systems \
               WHERE last_refresh_success_date IS NOT NULL";
    loop {
        let read = vmdb.read(move |connection| {
            let rows = connection.rows(sql, &[])?;
            Ok((rows[0].id(0)?, rows[0].id(1)?))
        });
        let (refreshed, waiting) = read.await.unwrap();
        if refreshed == emss && waiting == 0 {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{refreshed} of {emss} are refreshed, {waiting} wait; {}",
            run.log()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    vmdb.close().await;
}

fn events_requests(cloud: &Simulator) -> u64 {
    cloud.stats().requests.get("events").copied().unwrap_or_default()
}

/// A cloud in which nothing happens, at every address of this machine; it lives as long as this process.
fn start_cloud() -> Arc<Simulator> {
    let (started, start) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let listen = SocketAddr::from(([0, 0, 0, 0], 0));
            let options = SimulatorOptions { seed: 5, vms: VMS, listen, ..SimulatorOptions::default() };
            let simulator = Arc::new(simulator::start(options).await.unwrap());
            simulator.happen(3);
            started.send(simulator).unwrap();
            std::future::pending::<()>().await;
        });
    });
    start.recv().unwrap()
}

/// All of 127.0.0.0/8 is this machine, so each EMS has a host of its own.
fn settings(place: &Place, emss: usize, port: u16) -> String {
    let mut text = format!(
        "vmdb: {{url: \"{}\", schema: {}}}\nhttp: {{listen: \"127.0.0.1:0\"}}\next_management_systems:\n",
        place.settings.url.expose(),
        place.settings.schema
    );
    for number in 0..emss {
        text.push_str(&format!(
            "  - {{name: cloud {number}, type: awesome_cloud, \
             endpoints: {{default: {{url: \"http://127.1.{}.{}:{port}\"}}}}, \
             authentications: {{default: {{password: bench}}}}}}\n",
            number / 250,
            1 + number % 250
        ));
    }
    text
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
