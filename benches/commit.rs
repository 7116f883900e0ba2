//! Committed events a second through the real EventHandler, beside what the database takes at most: in the same run, in
//! interleaved rounds, into fresh copies of the same table. `docs/benchmarks.md` tells how to read it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/limit_postgres.rs"]
mod limit_postgres;
#[path = "support/limit_sqlite.rs"]
mod limit_sqlite;
#[path = "support/natives.rs"]
mod natives;
#[path = "support/parser_settings.rs"]
mod parser_settings;
#[path = "support/places.rs"]
mod places;
#[path = "support/rates.rs"]
mod rates;
#[path = "support/relating.rs"]
mod relating;
#[path = "support/row.rs"]
mod row;
#[path = "support/seeds.rs"]
mod seeds;
#[path = "support/street.rs"]
mod street;

use catchall::vmdb::ReadyEvent;
use places::{Database, Place};
use rates::Rates;
use row::Row;
use seeds::EMSS;
use std::time::Duration;

/// Rows of a transaction of the first limit, as many as the event handler commits at most.
const PER_COMMIT: usize = 5_000;
/// Lanes of the event handler on PostgreSQL.
const LANES: usize = 4;

type Way = (&'static str, fn(&Place, &[Vec<ReadyEvent>]) -> Duration);

const STREET: [Way; 2] = [
    ("Catchall, 8 EMSs, batches of 500", |place, events| street::commit(place, events, 500)),
    ("Catchall, 8 EMSs, batches of 100", |place, events| street::commit(place, events, 100)),
];

const SQLITE: [Way; 2] = [
    ("(a) loop of a prepared INSERT, 5,000 a transaction", |place, events| {
        limit_sqlite::raw_loop(&place.folder.path().join("catchall.db"), &one_list(events), PER_COMMIT)
    }),
    ("(b) bare multi-row INSERT of 500 ON CONFLICT", |place, events| {
        limit_sqlite::multi_row(&place.folder.path().join("catchall.db"), &one_list(events))
    }),
];

const POSTGRES: [Way; 4] = [
    ("(a) COPY, 5,000 a transaction, one connection", |place, events| {
        limit_postgres::copy(&place.settings, all_rows(events), 1, PER_COMMIT)
    }),
    ("(b) bare multi-row INSERT of 500 ON CONFLICT, one connection", |place, events| {
        limit_postgres::multi_row(&place.settings, all_rows(events), 1)
    }),
    ("(a4) as (a) on four connections, as many as lanes", |place, events| {
        limit_postgres::copy(&place.settings, all_rows(events), LANES, PER_COMMIT)
    }),
    ("(b4) as (b) on four connections", |place, events| {
        limit_postgres::multi_row(&place.settings, all_rows(events), LANES)
    }),
];

fn main() {
    let (per_ems, rounds) = if circumstances::in_earnest() { (5_000, 5) } else { (500, 1) };
    let events = street::ready_events(per_ems);
    let bytes = events[0].iter().map(|ready| ready.event.event.full_data.text().len()).sum::<usize>()
        / events[0].len();
    for database in Database::all() {
        let ways: Vec<Way> = match database {
            Database::Sqlite => STREET.into_iter().chain(SQLITE).collect(),
            Database::Postgres => STREET.into_iter().chain(POSTGRES).collect(),
        };
        circumstances::print_circumstances(&format!(
            "commit on {}, {rounds} rounds of {} events, full_data {bytes} bytes",
            database.name(),
            per_ems * EMSS
        ));
        report(&ways, &measure(database, &ways, &events, rounds));
        let place = wait(database.fresh());
        wait(relating::report(
            &place,
            &street::ready_events(if circumstances::in_earnest() { 6_000 } else { 500 }),
        ));
        wait(place.remove());
    }
}

/// Each round begins with another way, so that none profits from its place.
fn measure(database: Database, ways: &[Way], events: &[Vec<ReadyEvent>], rounds: usize) -> Vec<Rates> {
    let total = events.iter().map(Vec::len).sum();
    let mut rates: Vec<_> = ways.iter().map(|(name, _)| Rates::of(*name)).collect();
    for round in 0..rounds {
        for index in 0..ways.len() {
            let index = (index + round) % ways.len();
            let place = wait(database.fresh());
            rates[index].add(total, ways[index].1(&place, events));
            assert_eq!(wait(seeds::events(&place)), i64::try_from(total).unwrap(), "{}", ways[index].0);
            wait(place.remove());
        }
    }
    rates
}

fn report(ways: &[Way], rates: &[Rates]) {
    let limits: Vec<&Rates> = rates[STREET.len()..].iter().collect();
    let labels: Vec<_> = ways[STREET.len()..].iter().filter_map(|(name, _)| name.split(' ').next()).collect();
    println!("  events/s: median (least-most), then its ratio to {}", labels.join(" "));
    rates.iter().for_each(|way| way.print(&limits));
    for pair in limits.chunks(2).zip(labels.chunks(2)) {
        let (&[first, second], &[a, b]) = (pair.0, pair.1) else { continue };
        let (to_a, to_b) = (rates[0].median() / first.median(), rates[0].median() / second.median());
        let reached = if to_a >= 0.5 { "is reached" } else { "is MISSED" };
        let missing = if to_b >= 0.9 { "is reached".to_owned() } else { format!("misses {:.2}", 0.9 - to_b) };
        println!("  0.5 of {a} {reached}: {to_a:.2}; 0.9 of {b} {missing}: {to_b:.2}");
    }
}

fn all_rows(events: &[Vec<ReadyEvent>]) -> Vec<Vec<Row>> {
    (1..).zip(events).map(|(ems, events)| row::rows(ems, events)).collect()
}

fn one_list(events: &[Vec<ReadyEvent>]) -> Vec<Row> {
    all_rows(events).into_iter().flatten().collect()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
