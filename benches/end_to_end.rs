//! Events a second from the provider to the VMDB: the real `catchall run` against a server whose pages are made before,
//! until all events are rows, beside what the EventHandler commits in the same run; and the memory that it took.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/cloud.rs"]
mod cloud;
#[path = "support/natives.rs"]
mod natives;
#[path = "support/parser_settings.rs"]
mod parser_settings;
#[path = "support/places.rs"]
mod places;
#[path = "support/rates.rs"]
mod rates;
#[path = "support/run.rs"]
mod run;
#[path = "support/seeds.rs"]
mod seeds;
#[path = "support/street.rs"]
mod street;

use catchall::vmdb::{Access, ReadyEvent, Vmdb};
use cloud::Cloud;
use places::{Database, Place};
use rates::Rates;
use run::Run;
use seeds::EMSS;
use std::time::{Duration, Instant};

fn main() {
    let (total, rounds) = if circumstances::in_earnest() { (100_000, 3) } else { (8_000, 1) };
    let emss = usize::try_from(EMSS).unwrap();
    let clouds = [(1, Cloud::start(total)), (emss, Cloud::start(total / emss))];
    let events = street::ready_events((total / emss) as u64);
    for database in Database::all() {
        circumstances::print_circumstances(&format!(
            "end to end on {}, {rounds} rounds of {total} events, pages of {} events",
            database.name(),
            cloud::PAGE
        ));
        measure(database, &clouds, &events, rounds);
    }
}

fn measure(database: Database, clouds: &[(usize, Cloud)], events: &[Vec<ReadyEvent>], rounds: usize) {
    let total = events.iter().map(Vec::len).sum();
    let mut commit = Rates::of("EventHandler alone, 8 EMSs, batches of 1,000");
    let mut runs: Vec<_> =
        clouds.iter().map(|(emss, _)| Rates::of(format!("catchall run, {emss} EMSs"))).collect();
    let mut memory = vec![(0, 0); clouds.len()];
    for _ in 0..rounds {
        let place = wait(database.fresh());
        commit.add(total, street::commit(&place, events, cloud::PAGE));
        wait(place.remove());
        for (index, (emss, cloud)) in clouds.iter().enumerate() {
            let place = wait(database.fresh());
            cloud.take_first_asked(); // of the run before
            let run = Run::start(&place, &settings(&place, *emss, cloud.address));
            let took = wait(until_rows(&run, &place, total, cloud));
            runs[index].add(total, took);
            memory[index] = run.memory().max(memory[index]);
            drop(run);
            assert_eq!(wait(seeds::events(&place)), i64::try_from(total).unwrap());
            wait(place.remove());
        }
    }
    println!("  events/s: median (least-most), then its ratio to the EventHandler alone");
    commit.print(&[&commit]);
    for (rates, (peak, at_end)) in runs.iter().zip(memory) {
        rates.print(&[&commit]);
        println!("    memory: {} MiB at the end, at most {} MiB", at_end / 1024, peak / 1024);
    }
}

/// From the first page that was asked for until everything is there.
async fn until_rows(run: &Run, place: &Place, total: usize, cloud: &Cloud) -> Duration {
    let deadline = Instant::now() + Duration::from_secs(300);
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    let total = i64::try_from(total).unwrap();
    // The largest id costs nothing to ask for; duplicates use up ids on PostgreSQL, so the count decides.
    for sql in ["SELECT coalesce(max(id), 0) FROM event_streams", "SELECT count(*) FROM event_streams"] {
        while vmdb.read(move |connection| connection.rows(sql, &[])?[0].id(0)).await.unwrap() < total {
            assert!(Instant::now() < deadline, "not all events arrived; see {}", run.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let end = Instant::now();
    vmdb.close().await;
    end - cloud.take_first_asked().unwrap()
}

fn settings(place: &Place, emss: usize, cloud: std::net::SocketAddr) -> String {
    let url = place.settings.url.expose();
    let mut text = format!("vmdb: {{url: \"{url}\", schema: {}}}\n", place.settings.schema);
    text.push_str("http: {listen: \"127.0.0.1:0\"}\n");
    text.push_str(&format!(
        "workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{ems_event_page_size: {}}}}}}}}}\n",
        cloud::PAGE
    ));
    text.push_str("ext_management_systems:\n");
    for number in 1..=emss {
        text.push_str(&format!(
            "  - {{name: cloud {number}, type: awesome_cloud, endpoints: {{default: {{url: \"http://{cloud}\"}}}}, \
             authentications: {{default: {{password: bench}}}}}}\n"
        ));
    }
    text
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
