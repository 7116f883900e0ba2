//! A simulated day, before and after: a full refresh every 15 minutes and no events, against events and a full refresh once
//! in 24 hours, as the provider guide has it. What each costs the provider, and how old the inventory is.
//!
//! The parts are the real ones: the provider's stream and collector over HTTP, the event handler, the refresh worker, the
//! VMDB. Only waiting is skipped: the cloud's clock is put forward to the next thing that is due. Work takes the time that
//! it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/day_cloud.rs"]
mod day_cloud;
#[path = "support/day_street.rs"]
mod day_street;
#[path = "support/parser_settings.rs"]
mod parser_settings;
#[path = "support/quantiles.rs"]
mod quantiles;

use chrono::{DateTime, TimeDelta, Utc};
use day_cloud::DayCloud;
use day_street::DayStreet;
use quantiles::Quantiles;
use std::time::Instant;

/// How the inventory is kept.
struct Plan {
    name: &'static str,
    /// Between two polls for events; `None` asks for none.
    poll: Option<TimeDelta>,
    /// Between two full refreshes.
    refresh_interval: TimeDelta,
}

const BEFORE: Plan = Plan {
    name: "before: full refresh every 15 minutes",
    poll: None,
    refresh_interval: TimeDelta::minutes(15),
};
const AFTER: Plan = Plan {
    name: "after: events, full refresh every 24 hours",
    poll: Some(TimeDelta::seconds(15)),
    refresh_interval: TimeDelta::hours(24),
};

/// What is simulated.
#[derive(Clone, Copy)]
struct Size {
    vms: usize,
    hours: i64,
    /// Between two changes, on average.
    change: TimeDelta,
}

fn main() {
    let size = match circumstances::in_earnest() {
        true => Size { vms: 2_000, hours: 24, change: TimeDelta::seconds(30) },
        false => Size { vms: 100, hours: 1, change: TimeDelta::seconds(30) },
    };
    // PostgreSQL would ask for the same, and waits for a poll as long.
    circumstances::print_circumstances(&format!(
        "{} simulated hours of {} VMs on SQLite, a change each {} s, pages of {}",
        size.hours,
        size.vms,
        size.change.num_seconds(),
        day_cloud::PAGE
    ));
    let (before, after) = (simulate(&BEFORE, size), simulate(&AFTER, size));
    println!("  {:<38} {:>10} {:>10} {:>9}", "", "before", "after", "ratio");
    for ((what, before), (_, after)) in before.lines().into_iter().zip(after.lines()) {
        let ratio = if before == 0.0 { String::new() } else { format!("{:.3}", after / before) };
        println!("  {what:<38} {before:>10.1} {after:>10.1} {ratio:>9}");
    }
}

/// What a day came to.
struct Outcome {
    inventory_calls: u64,
    events_calls: u64,
    things: u64,
    staleness: Quantiles,
    refresh_count: u64,
    rows_told: f64,
}

impl Outcome {
    fn lines(&self) -> Vec<(&'static str, f64)> {
        let (median, p99, most) = self.staleness.three();
        vec![
            ("provider calls for inventory", self.inventory_calls as f64),
            ("provider calls for events", self.events_calls as f64),
            ("provider calls", (self.inventory_calls + self.events_calls) as f64),
            ("things in the answers", self.things as f64),
            ("things in the answers, for a change", self.rows_told),
            ("refreshes", self.refresh_count as f64),
            ("changes", self.staleness.count() as f64),
            ("staleness p50, simulated seconds", median),
            ("staleness p99, simulated seconds", p99),
            ("staleness at most, simulated seconds", most),
        ]
    }
}

fn simulate(plan: &Plan, size: Size) -> Outcome {
    actix_rt::System::new().block_on(day(plan, size))
}

/// What is due next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Change,
    Poll,
    FullRefresh,
}

async fn day(plan: &Plan, size: Size) -> Outcome {
    let mut cloud = DayCloud::start(size.vms, size.hours).await;
    let mut street = DayStreet::start(&cloud).await;
    let (calls, refreshes) = (cloud.stats(), street.refreshes());
    let (begin, real) = (cloud.now(), Instant::now());
    let end = begin + TimeDelta::hours(size.hours);
    let mut staleness = Quantiles::default();
    let mut next_change = begin + size.change;
    let mut next_poll = plan.poll.map(|poll| begin + poll);
    let mut next_full = begin + plan.refresh_interval.min(TimeDelta::hours(size.hours));
    loop {
        let due =
            [(Some(next_change), Due::Change), (next_poll, Due::Poll), (Some(next_full), Due::FullRefresh)];
        let (at, due) = due.into_iter().filter_map(|(at, due)| Some((at?, due))).min().unwrap();
        if at > end {
            break;
        }
        cloud.put_forward(at);
        match due {
            Due::Change => {
                cloud.change();
                next_change = at + cloud.until_next_change(size.change);
            }
            Due::Poll => {
                street.poll().await;
                next_poll = plan.poll.map(|poll| cloud.now() + poll);
            }
            Due::FullRefresh => {
                street.refresh_in_full().await;
                next_full = at + plan.refresh_interval;
            }
        }
        if due != Due::Change {
            settle(&mut cloud, &street, &mut staleness).await;
        }
    }
    assert_eq!(cloud.unseen(), 0, "{}: the VMDB shows every change in the end", plan.name);
    let now = cloud.stats();
    let things = now.inventory_things - calls.inventory_things;
    let refreshes = street.refreshes().since(&refreshes);
    println!("  {}: {refreshes}, in {:.0} s", plan.name, real.elapsed().as_secs_f64());
    street.stop().await;
    Outcome {
        inventory_calls: now.inventory_requests - calls.inventory_requests,
        events_calls: now.events_requests - calls.events_requests,
        things,
        rows_told: things as f64 / staleness.count() as f64,
        staleness,
        refresh_count: refreshes.full + refreshes.targeted,
    }
}

/// Changes that the VMDB shows by now are no longer unseen; their age is the staleness that they caused.
async fn settle(cloud: &mut DayCloud, street: &DayStreet, staleness: &mut Quantiles) {
    if cloud.unseen() == 0 {
        return;
    }
    let now: DateTime<Utc> = cloud.now();
    let rows = street.rows(cloud.unseen_refs()).await;
    for age in cloud.seen(&rows, now) {
        staleness.add(age.num_milliseconds() as f64 / 1e3);
    }
}
