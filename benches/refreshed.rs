//! From an event to the inventory that it changed: the real `catchall run` against the simulator at 200 events a second, and
//! how long each event took to its commit and to the end of its refresh, by the times in the VMDB.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/places.rs"]
mod places;
#[path = "support/quantiles.rs"]
mod quantiles;
#[path = "support/run.rs"]
mod run;

use catchall::simulator::{self, Simulator, SimulatorOptions};
use catchall::vmdb::{Access, Value, Vmdb};
use chrono::{DateTime, Utc};
use places::{Database, Place};
use quantiles::Quantiles;
use run::Run;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Events a second.
const RATE: f64 = 200.0;
/// Virtual machines of the cloud.
const VMS: usize = 2_000;
/// Seconds between two polls that brought nothing new: apart from the limit, but within the first figure.
const POLL: f64 = 0.1;
/// 1 once no refresh waits.
const IDLE: &str =
    "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM miq_queue WHERE class_name = 'EmsRefresh'";
/// From the event to the end of its refresh, in seconds, for 99 events of 100.
const LIMIT: f64 = 1.0;

fn main() {
    let (warm_up, measured) = if circumstances::in_earnest() {
        (Duration::from_secs(5), Duration::from_secs(30))
    } else {
        (SHORT, SHORT)
    };
    for database in Database::all() {
        circumstances::print_circumstances(&format!(
            "event to refresh on {}, {RATE} events/s of {VMS} VMs for {} s, a poll each {POLL} s",
            database.name(),
            measured.as_secs()
        ));
        measure(database, warm_up, measured);
    }
}

const SHORT: Duration = Duration::from_secs(2);

fn measure(database: Database, warm_up: Duration, measured: Duration) {
    let place = wait(database.fresh());
    let cloud = start_cloud();
    let run = Run::start(&place, &settings(&place, &cloud.url()));
    wait(until(&place, "SELECT count(*) FROM ems_refreshes WHERE kind = 'full'", 1, &run));
    happen(&cloud, warm_up);
    let since = catchall::clock::now();
    happen(&cloud, measured);
    let events = i64::try_from(cloud.ledger().events.len()).unwrap();
    wait(until(&place, "SELECT count(*) FROM event_streams", events, &run));
    wait(until(&place, IDLE, 1, &run));
    let spans = wait(spans(&place, since));
    println!("  {:<46} {:>8} {:>8} {:>8}", "seconds", "p50", "p99", "most");
    for (name, quantiles) in SPANS.iter().zip(&spans) {
        let (median, p99, most) = quantiles.three();
        println!("  {name:<46} {median:>8.3} {p99:>8.3} {most:>8.3}");
    }
    let whole = &spans[SPANS.len() - 1];
    let (p99, verdict) = (whole.at(0.99), if whole.at(0.99) <= LIMIT { "within" } else { "beyond" });
    println!("  p99 of {} events: {p99:.3} s, {verdict} the limit of {LIMIT} s", whole.count());
    let (full, targeted) = wait(refreshes(&place, since));
    println!("  by {targeted} targeted refreshes and {full} full ones (from 100 targets on)");
    println!("  memory: {} MiB at the end, at most {} MiB", run.memory().1 / 1024, run.memory().0 / 1024);
    drop(run);
    wait(place.remove());
}

/// A cloud in which nothing happens by itself; it lives as long as this process.
fn start_cloud() -> Arc<Simulator> {
    let (started, start) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let options = SimulatorOptions { seed: 7, vms: VMS, ..SimulatorOptions::default() };
            started.send(Arc::new(simulator::start(options).await.unwrap())).unwrap();
            std::future::pending::<()>().await;
        });
    });
    start.recv().unwrap()
}

/// Lets things happen evenly; what was late is made up for.
fn happen(cloud: &Simulator, span: Duration) {
    let (begin, mut done) = (Instant::now(), 0);
    while begin.elapsed() < span {
        let due = (begin.elapsed().as_secs_f64() * RATE) as usize;
        cloud.happen(due - done);
        done = due;
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn until(place: &Place, sql: &'static str, least: i64, run: &Run) {
    let deadline = Instant::now() + Duration::from_secs(120);
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    while vmdb.read(move |connection| connection.rows(sql, &[])?[0].id(0)).await.unwrap() < least {
        assert!(Instant::now() < deadline, "{sql} stays below {least}; see {}", run.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    vmdb.close().await;
}

const SPANS: [&str; 4] = [
    "event → committed, poll wait included",
    "committed → refresh started",
    "refresh started → refreshed",
    "event → refreshed, poll wait included",
];

/// [`SPANS`] of all events since then that asked for a refresh.
async fn spans(place: &Place, since: DateTime<Utc>) -> [Quantiles; SPANS.len()] {
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    let sql = "SELECT e.timestamp, e.created_on, r.started_on, r.finished_on FROM event_streams e \
               LEFT JOIN ems_refreshes r ON r.work_id = e.work_id AND r.ems_id = e.ems_id AND r.error IS NULL \
               WHERE e.timestamp >= ? AND e.work_id IS NOT NULL";
    let rows = vmdb.read(move |connection| connection.rows(sql, &[Value::from(since)])).await.unwrap();
    vmdb.close().await;
    let mut all = <[Quantiles; SPANS.len()]>::default();
    for row in &rows {
        let time = |index| row.time(index).expect("every event was committed, and its refresh is over");
        let points = [time(0), time(1), time(2), time(3)];
        let seconds =
            |from: usize, to: usize| (points[to] - points[from]).num_microseconds().unwrap() as f64 / 1e6;
        for (quantiles, (from, to)) in all.iter_mut().zip([(0, 1), (1, 2), (2, 3), (0, 3)]) {
            quantiles.add(seconds(from, to));
        }
    }
    assert!(!rows.is_empty(), "no event asked for a refresh");
    all
}

/// (full, targeted) refreshes that began since then.
async fn refreshes(place: &Place, since: DateTime<Utc>) -> (i64, i64) {
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    let sql = "SELECT count(DISTINCT started_on) FROM ems_refreshes WHERE started_on >= ? AND kind = ?";
    let count = |kind: &'static str| {
        vmdb.read(move |connection| connection.rows(sql, &[Value::from(since), kind.into()])?[0].id(0))
    };
    let counts = (count("full").await.unwrap(), count("targeted").await.unwrap());
    vmdb.close().await;
    counts
}

fn settings(place: &Place, cloud: &str) -> String {
    format!(
        "vmdb: {{url: \"{}\", schema: {}}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: {POLL}}}}}}}}}\n\
         ext_management_systems:\n\
         \x20 - {{name: cloud, type: awesome_cloud, endpoints: {{default: {{url: \"{cloud}\"}}}}, \
         authentications: {{default: {{password: bench}}}}}}\n",
        place.settings.url.expose(),
        place.settings.schema
    )
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
