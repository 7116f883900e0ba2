//! What the switchboard costs per event on one core, over the whole built-in domain: the calls of every shipped event type
//! and of as many unknown ones, and what a blacklist and event groups of regular expressions cost 1,000 event types.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

use catchall::providers::PROVIDERS;
use catchall::settings::{EventGroups, EventNameFilter};
use catchall::switchboard::{Switchboard, builtin_domain};
use serde::Deserialize;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Evaluations a second that one core must reach.
const LIMIT: f64 = 1_000_000.0;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(400);

/// A shipped instance of provider events.
#[derive(Deserialize)]
struct Shipped {
    class: String,
    instance: String,
}

fn shipped() -> Vec<Shipped> {
    let text = include_str!("../tests/data/automate/manageiq_instances.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs `pass` (of `size` things) again and again; prints things a second: median (least-most) of the rounds.
fn measure(name: &str, size: usize, limit: Option<f64>, mut pass: impl FnMut()) {
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (begin, mut passes) = (Instant::now(), 0_u32);
            while begin.elapsed() < ROUND {
                pass();
                passes += 1;
            }
            f64::from(passes) * size as f64 / begin.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[ROUNDS / 2], rates[ROUNDS - 1]);
    let beside = limit.map_or_else(String::new, |limit| {
        let verdict = if median >= limit { "reached" } else { "MISSED" };
        format!("; limit {limit:.0}: {verdict}, {:.1} times", median / limit)
    });
    println!("{name}: {median:.0} ({least:.0}-{most:.0}) a second{beside}");
}

fn evaluations() {
    let begin = Instant::now();
    let (switchboard, _) = Switchboard::load(builtin_domain(PROVIDERS), &[]).unwrap();
    println!("the built-in domain is loaded in {:?}", begin.elapsed());
    let shipped = shipped();
    let mut events: Vec<(String, String)> = Vec::new();
    for Shipped { class, instance } in shipped {
        events.push((class.to_uppercase(), format!("{instance}.unknown")));
        events.push((class.to_uppercase(), instance));
    }
    println!("{} event types, half of them unknown", events.len());
    measure("calls", events.len(), Some(LIMIT), || {
        for (source, event_type) in &events {
            black_box(switchboard.calls("EmsEvent", black_box(source), black_box(event_type)));
        }
    });
    measure("evaluate, which copies the calls", events.len(), Some(LIMIT), || {
        for (source, event_type) in &events {
            black_box(switchboard.evaluate(black_box(source), black_box(event_type)));
        }
    });
    measure("explain, for people", events.len(), None, || {
        for (source, event_type) in &events {
            black_box(switchboard.explain(black_box(source), black_box(event_type)));
        }
    });
}

/// 200 regular expressions, as a blacklist and as groups.
fn regular_expressions() {
    let made_up = (0..).map(|number| format!("com.example.thing{}.{number}.changed", number % 300));
    let types: Vec<String> =
        shipped().into_iter().map(|shipped| shipped.instance).chain(made_up).take(1_000).collect();
    let patterns: Vec<String> =
        (0..200).map(|number| format!("/^com\\.example\\.thing{number}\\..*changed$/")).collect();
    let filter = EventNameFilter::new(patterns.clone()).unwrap();
    let mut groups = EventGroups::default();
    let group = groups.add_group("things", "Things");
    for pattern in &patterns {
        groups.list(group, "detail", pattern).unwrap();
    }
    measure("blacklist of 200 regular expressions", types.len(), Some(LIMIT), || {
        for event_type in &types {
            black_box(filter.matches(black_box(event_type)));
        }
    });
    measure("event groups of 200 regular expressions", types.len(), Some(LIMIT), || {
        for event_type in &types {
            black_box(groups.group_and_level(black_box(event_type)));
        }
    });
}

fn main() {
    evaluations();
    regular_expressions();
}
