//! How long the timeline takes to read, at ten million events on each database: the opening histogram, zooms, a page of each
//! filter, deep pages, and what the pipeline page and the live tail ask. `docs/benchmarks.md` tells how to read it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/first_paint.rs"]
mod first_paint;
#[path = "support/limits.rs"]
mod limits;
#[path = "support/month.rs"]
mod month;
#[allow(dead_code, reason = "it asks for no more than a VMDB")]
#[path = "support/places.rs"]
mod places;
#[allow(dead_code, reason = "it prints quantiles of its own")]
#[path = "support/quantiles.rs"]
mod quantiles;
#[allow(dead_code, reason = "it asks neither for memory nor for processor time")]
#[path = "support/run.rs"]
mod run;

use catchall::vmdb::resource::ResourceKind;
use catchall::vmdb::timeline::counts::{self, CountQuery};
use catchall::vmdb::timeline::tail::Tail;
use catchall::vmdb::timeline::{Position, TimelineQuery, page};
use catchall::vmdb::{Connection, VmdbError, overview};
use chrono::TimeDelta;
use limits::Limited;
use places::Database;
use quantiles::Quantiles;
use std::cell::RefCell;
use std::time::Instant;

/// Something that is read, differently each time.
type Reading = (&'static str, Box<dyn Fn(&mut Connection, i64) -> Result<(), VmdbError> + Send>);

/// Bars of the timeline's histogram.
const BARS: usize = 120;

fn main() {
    let asked = std::env::var("EVENTS").ok().and_then(|events| events.parse().ok());
    let (events, rounds) =
        if circumstances::in_earnest() { (asked.unwrap_or(10_000_000), 40) } else { (20_000, 2) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for database in Database::all() {
        runtime.block_on(measure(database, events, rounds));
    }
}

async fn measure(database: Database, events: i64, rounds: i64) {
    let place = database.fresh().await;
    let vmdb = place.open().await;
    let began = Instant::now();
    vmdb.write(move |c| c.batch("INSERT INTO ext_management_systems (name) VALUES ('one'), ('two')"))
        .await
        .unwrap();
    vmdb.write(move |c| month::fill(c, database, events)).await.unwrap();
    circumstances::print_circumstances(&format!("timeline on {}, {events} events", database.name()));
    println!("  made in {:.0} s; each is read {rounds} times", began.elapsed().as_secs_f64());
    let limit = if database == Database::Sqlite { 400.0 } else { 200.0 };
    let mut within = Vec::new();
    println!("  {:<46} {:>10}", "milliseconds", "median");
    for (name, read) in readings() {
        let times = vmdb.read(move |c| timed(c, &read, rounds)).await.unwrap();
        println!("  {name:<46} {:>10.3}", times.at(0.5));
        within.push(Limited::new(name, times.at(0.95), limit));
    }
    println!("  milliseconds, 95th percentile");
    limits::print(&within);
    vmdb.close().await;
    let paints = if circumstances::in_earnest() { 10 } else { 1 };
    if let Some(times) = first_paint::of_timeline(&place, paints).await {
        println!("  milliseconds to the first paint in Chromium, the slowest of {paints}");
        limits::print(&[Limited::new("the opening, nothing in the browser's cache", times.at(1.0), 1_000.0)]);
    }
    place.remove().await;
}

fn timed(
    c: &mut Connection,
    read: &(dyn Fn(&mut Connection, i64) -> Result<(), VmdbError> + Send),
    rounds: i64,
) -> Result<Quantiles, VmdbError> {
    let mut times = Quantiles::default();
    for round in 0..rounds {
        let began = Instant::now();
        read(c, round)?;
        times.add(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}

fn readings() -> Vec<Reading> {
    let histogram = |length: TimeDelta, narrowed: TimelineQuery| {
        move |c: &mut Connection, round| {
            let until = month::end() - TimeDelta::minutes(round * 7);
            let query = CountQuery {
                resource: narrowed.resource,
                ems_id: narrowed.ems_id,
                event_types: narrowed.event_types.clone(),
                since: until - length,
                until,
                bars: BARS,
            };
            counts::by_type(c, &query).map(drop)
        }
    };
    let all = TimelineQuery::default;
    let mut readings: Vec<Reading> = vec![
        ("histogram of the last 24 hours", Box::new(histogram(TimeDelta::hours(24), all()))),
        (
            "the same of one EMS",
            Box::new(histogram(TimeDelta::hours(24), TimelineQuery { ems_id: Some(7), ..all() })),
        ),
        (
            "the same of rare types",
            Box::new(histogram(TimeDelta::hours(24), of_types(&["rare.1", "rare.2"]))),
        ),
        ("the same of a VM with 100 events", Box::new(histogram(TimeDelta::hours(24), of_vm(2)))),
        ("15 zooms, from 30 days to 30 seconds", Box::new(zoom)),
    ];
    for (name, query) in pages() {
        readings.push((
            name,
            Box::new(move |c, round| {
                let until = Some(month::end() - TimeDelta::seconds(round * 61));
                page(c, &TimelineQuery { until, ..query.clone() }).map(drop)
            }),
        ));
    }
    readings.push(("all EMSs at a glance", Box::new(|c, _| overview::read(c, month::end()).map(drop))));
    readings
        .push(("live tail, opened", Box::new(|c, _| Tail::from_now(c, TimelineQuery::default()).map(drop))));
    let tail = RefCell::new(None);
    let nothing_new = move |c: &mut Connection, _| {
        let mut tail = tail.borrow_mut();
        if tail.is_none() {
            *tail = Some(Tail::from_now(c, TimelineQuery::default())?);
        }
        tail.iter_mut().try_for_each(|tail: &mut Tail| tail.next(c).map(drop))
    };
    readings.push(("live tail when there is nothing new", Box::new(nothing_new)));
    readings
}

fn zoom(c: &mut Connection, round: i64) -> Result<(), VmdbError> {
    let seconds = (2_592_000.0 / 2.25_f64.powi((round % 15) as i32)) as i64;
    let until = month::end() - TimeDelta::seconds((2_592_000 - seconds) * (round / 15) / 4);
    let (since, bars) = (until - TimeDelta::seconds(seconds), BARS);
    let query = CountQuery { resource: None, ems_id: None, event_types: None, since, until, bars };
    counts::by_type(c, &query).map(drop)
}

fn pages() -> Vec<(&'static str, TimelineQuery)> {
    let all = || TimelineQuery { limit: 100, ..TimelineQuery::default() };
    let days_ago = |days| Some(Position { timestamp: month::end() - TimeDelta::days(days), id: i64::MAX });
    let level: Vec<String> = (20..38).map(|number| format!("type.{number}")).collect();
    let group: Vec<String> = (0..9).map(|number| format!("type.{number}")).collect();
    let text = |text: &str| TimelineQuery { text: Some(text.to_owned()), ..all() };
    vec![
        ("page of everything", all()),
        ("page, 15 days deep", TimelineQuery { before: days_ago(15), ..all() }),
        ("page of one EMS", TimelineQuery { ems_id: Some(7), ..all() }),
        ("page of one EMS, 29 days deep", TimelineQuery { ems_id: Some(7), before: days_ago(29), ..all() }),
        ("page of a common type", of_types(&["type.0"])),
        ("page of a type that one in 500,000 has", of_types(&["rare.1"])),
        ("page of rare types", of_types(&["rare.1", "rare.2"])),
        (
            "page of rare types of one EMS",
            TimelineQuery { ems_id: Some(7), ..of_types(&["rare.1", "rare.2"]) },
        ),
        ("page of a group (9 types)", TimelineQuery { event_types: Some(group.clone()), ..all() }),
        ("page of a level (18 types)", TimelineQuery { event_types: Some(level.clone()), ..all() }),
        (
            "the same of one EMS, 15 days deep",
            TimelineQuery {
                event_types: Some(level.clone()),
                ems_id: Some(7),
                before: days_ago(15),
                ..all()
            },
        ),
        ("page of a VM with 100 events", of_vm(2)),
        ("page of a VM with a tenth of all", of_vm(1)),
        ("the same, rare types", TimelineQuery { event_types: Some(vec!["rare.1".to_owned()]), ..of_vm(1) }),
        ("page with a text that all have", text("STATE OF THE")),
        ("page with a text that none has", text("nowhere at all")),
        (
            "the same of a level of one EMS",
            TimelineQuery { event_types: Some(level), ems_id: Some(7), ..text("nowhere at all") },
        ),
    ]
}

fn of_types(types: &[&str]) -> TimelineQuery {
    let event_types = Some(types.iter().map(|name| (*name).to_owned()).collect());
    TimelineQuery { event_types, limit: 100, ..TimelineQuery::default() }
}

fn of_vm(id: i64) -> TimelineQuery {
    TimelineQuery { resource: Some((ResourceKind::Vm, id)), limit: 100, ..TimelineQuery::default() }
}
