//! A storm beside quiet ones: the real `catchall run` with one EMS in which 5,000 events happen each second, and 50 with 2 each.
//! How long the quiet ones' events take from the answer that tells them to their commit, how many of the storm's are
//! caught, and the memory that it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/disk.rs"]
mod disk;
#[path = "support/limits.rs"]
mod limits;
#[path = "support/live_cloud.rs"]
mod live_cloud;
#[path = "support/natives.rs"]
mod natives;
#[path = "support/places.rs"]
mod places;
#[path = "support/quantiles.rs"]
mod quantiles;
#[path = "support/run.rs"]
mod run;

use catchall::vmdb::{Access, Vmdb};
use disk::DiskProbe;
use limits::Limited;
use live_cloud::{Committed, LiveCloud};
use places::{Database, Place};
use quantiles::Quantiles;
use run::Run;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Quiet EMSs.
const QUIET: usize = 50;
/// Events a second of each of them.
const QUIET_RATE: f64 = 2.0;
/// Events a second of the storm.
const STORM_RATE: f64 = 5_000.0;
/// Between two polls that brought nothing more.
const POLL: Duration = Duration::from_secs(1);
/// From the answer to the commit, for 99 of 100 events of the quiet ones, in seconds.
const LIMIT: f64 = 0.25;
/// The storm's password, by which its cloud knows it.
const STORM: &str = "storm";

fn main() {
    let (warm_up, measured) = if circumstances::in_earnest() { (5, 40) } else { (2, 3) };
    for database in Database::all() {
        circumstances::print_circumstances(&format!(
            "{STORM_RATE} events/s of one EMS beside {QUIET} of {QUIET_RATE} on {}, for {measured} s",
            database.name()
        ));
        measure(database, Duration::from_secs(warm_up), Duration::from_secs(measured));
    }
}

fn measure(database: Database, warm_up: Duration, measured: Duration) {
    let place = wait(database.fresh());
    let (storm, quiet) = (LiveCloud::start(STORM_RATE, POLL), LiveCloud::start(QUIET_RATE, POLL));
    let run = Run::start(&place, &settings(&place, &storm, &quiet));
    std::thread::sleep(warm_up);
    let (since, stored, processor) = (Instant::now(), wait(stored(&place)), run.processor_seconds());
    let listed = (storm.listings(), quiet.listings());
    let disk = DiskProbe::start(place.folder.path());
    std::thread::sleep(measured);
    let seconds = since.elapsed().as_secs_f64();
    let caught = wait(self::stored(&place)) - stored;
    let (behind, processor) = (storm.events() - storm.told(STORM), run.processor_seconds() - processor);
    let mut quantiles = Quantiles::default();
    let told = quiet.committed_since(since);
    for committed in &told {
        (0..committed.events).for_each(|_| quantiles.add(committed.took.as_secs_f64()));
    }
    assert!(!told.is_empty(), "the quiet ones caught nothing; see {}", run.log());
    let writes = disk.finish();
    let (median, p99, most) = quantiles.three();
    limits::print(&[
        Limited::new("quiet events: told → committed, p99, s", p99, LIMIT),
        Limited::new(
            "storm events/s missing of 5,000",
            (STORM_RATE - caught as f64 / seconds).max(0.0),
            250.0,
        ),
    ]);
    println!("  {} quiet events: p50 {median:.3} s, p99 {p99:.3} s, most {most:.3} s", quantiles.count());
    println!(
        "  storm: {:.0} events/s became rows; at the end {behind} ({:.1} s) were not yet asked for",
        caught as f64 / seconds,
        behind as f64 / STORM_RATE
    );
    println!(
        "  all VMs were listed {} times for the storm, {} times for the quiet ones; {:.2} cores",
        storm.listings() - listed.0,
        quiet.listings() - listed.1,
        processor / seconds
    );
    let (peak, at_end) = run.memory();
    println!("  memory: {} MiB at the end, at most {} MiB", at_end / 1024, peak / 1024);
    print_slow_moments(since, &told, &writes);
    drop(run);
    wait(place.remove());
}

/// When quiet events took longer than the limit, and what the disk alone did in these seconds.
fn print_slow_moments(since: Instant, told: &[Committed], writes: &[(Instant, Duration)]) {
    let mut of_disk = Quantiles::default();
    writes.iter().for_each(|(_, took)| of_disk.add(took.as_secs_f64()));
    let (median, p99, most) = of_disk.three();
    println!("  one page written and synced beside it: p50 {median:.3} s, p99 {p99:.3} s, most {most:.3} s");
    let second = |at: Instant| at.saturating_duration_since(since).as_secs();
    let mut slow: BTreeMap<u64, (u64, f64)> = BTreeMap::new();
    for committed in told.iter().filter(|committed| committed.took.as_secs_f64() > LIMIT) {
        let moment = slow.entry(second(committed.told)).or_default();
        moment.0 += committed.events;
        moment.1 = moment.1.max(committed.took.as_secs_f64());
    }
    for (at, (events, most)) in slow {
        let near = writes.iter().filter(|(begun, _)| second(*begun).abs_diff(at) <= 1);
        let write = near.map(|(_, took)| took.as_secs_f64()).fold(0.0, f64::max);
        println!(
            "    second {at}: {events} quiet events took up to {most:.3} s; the disk alone {write:.3} s"
        );
    }
}

/// Events of the storm that are rows.
async fn stored(place: &Place) -> u64 {
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    let sql = "SELECT count(*) FROM event_streams WHERE ems_id = \
               (SELECT id FROM ext_management_systems WHERE name = 'storm')";
    let count = vmdb.read(move |connection| connection.rows(sql, &[])?[0].id(0)).await.unwrap();
    vmdb.close().await;
    u64::try_from(count).unwrap()
}

fn settings(place: &Place, storm: &LiveCloud, quiet: &LiveCloud) -> String {
    let mut text = format!(
        "vmdb: {{url: \"{}\", schema: {}}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: {}}}}}}}}}\n\
         ext_management_systems:\n",
        place.settings.url.expose(),
        place.settings.schema,
        POLL.as_secs_f64()
    );
    // Whoever has such a cloud asks for large pages; for the quiet ones they are the worst case.
    let large = ", settings: {workers: {worker_base: {event_catcher: {event_catcher_awesome_cloud: \
                 {ems_event_page_size: 1000}}}}}";
    text.push_str(&entry("storm", storm, STORM, large));
    for number in 1..=QUIET {
        text.push_str(&entry(&format!("quiet {number}"), quiet, &format!("quiet-{number}"), ""));
    }
    text
}

fn entry(name: &str, cloud: &LiveCloud, password: &str, more: &str) -> String {
    format!(
        "  - {{name: {name}, type: awesome_cloud, endpoints: {{default: {{url: \"http://{}\"}}}}, \
         authentications: {{default: {{password: {password}}}}}{more}}}\n",
        cloud.address
    )
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
