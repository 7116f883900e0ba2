//! The simulated cloud of a simulated day: its clock can be put forward, and it remembers which changes the VMDB has not
//! shown yet.

use catchall::simulator::{self, Faults, Simulator, SimulatorOptions};
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

/// Most things on a page of the inventory, as many clouds have it.
pub const PAGE: usize = 100;

/// The cloud.
pub struct DayCloud {
    simulator: Simulator,
    rng: StdRng,
    /// (collection, id) → when it changed; a thing that changed twice is two changes.
    unseen: Vec<(&'static str, String, DateTime<Utc>)>,
}

/// What was asked so far.
pub struct Calls {
    pub inventory_requests: u64,
    pub inventory_things: u64,
    pub events_requests: u64,
}

/// A thing as the VMDB or the cloud has it, by (collection, id).
pub type Things = BTreeMap<(&'static str, String), String>;

impl DayCloud {
    /// Its clock is so far behind ours that the day ends before now.
    pub async fn start(vms: usize, hours: i64) -> Self {
        let clock_offset_seconds = -(hours + 2) * 3600;
        let faults = Faults { clock_offset_seconds, page_limit: PAGE, ..Faults::default() };
        let options = SimulatorOptions { seed: 3, vms, faults, ..SimulatorOptions::default() };
        let simulator = simulator::start(options).await.unwrap();
        Self { simulator, rng: StdRng::seed_from_u64(3), unseen: Vec::new() }
    }

    pub fn url(&self) -> String {
        self.simulator.url()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.simulator.with(|cloud| cloud.now())
    }

    /// To this time, or up to a second later, unless it is past.
    pub fn put_forward(&self, to: DateTime<Utc>) {
        self.simulator.with(|cloud| {
            let missing = (to - cloud.now()).num_milliseconds();
            if missing > 0 {
                cloud.faults.clock_offset_seconds += (missing + 999) / 1000;
            }
        });
    }

    /// Something happens.
    pub fn change(&mut self) {
        let (change, now) = self.simulator.with(|cloud| {
            let now = cloud.now();
            let change = cloud.world.step(now);
            cloud.enter(&change);
            (change, now)
        });
        let changed = match (change.vm, change.host) {
            (Some(vm), _) => ("vms", vm.id),
            (None, Some(host)) => ("hosts", host.id),
            (None, None) => return, // a login
        };
        self.unseen.push((changed.0, changed.1, now));
    }

    /// Changes come when they like, this far apart on average.
    pub fn until_next_change(&mut self, average: TimeDelta) -> TimeDelta {
        let share: f64 = self.rng.random_range(0.0001..1.0);
        TimeDelta::milliseconds((average.num_milliseconds() as f64 * -share.ln()) as i64)
    }

    /// How many changes the VMDB has not shown yet.
    pub fn unseen(&self) -> usize {
        self.unseen.len()
    }

    /// The ids of what changed.
    pub fn unseen_refs(&self) -> Vec<String> {
        self.unseen.iter().map(|(_, id, _)| id.clone()).collect()
    }

    /// Of the changes that `rows` show, how old they were at `now`.
    pub fn seen(&mut self, rows: &Things, now: DateTime<Utc>) -> Vec<TimeDelta> {
        let simulator = &self.simulator;
        let mut ages = Vec::new();
        self.unseen.retain(|(collection, id, at)| {
            let is_seen = truth(simulator, collection, id).as_ref() == rows.get(&(collection, id.clone()));
            if is_seen {
                ages.push(now - *at);
            }
            !is_seen
        });
        ages
    }

    pub fn stats(&self) -> Calls {
        let stats = self.simulator.stats();
        Calls {
            inventory_requests: stats.inventory_requests,
            inventory_things: stats.inventory_things,
            events_requests: stats.requests.get("events").copied().unwrap_or(0),
        }
    }
}

/// A thing as the cloud has it; `None` when it is gone.
fn truth(simulator: &Simulator, collection: &str, id: &str) -> Option<String> {
    simulator.with(|cloud| match collection {
        "vms" => cloud.world.vm(id).map(|vm| format!("{} {} {}", vm.name, vm.state, vm.host_id)),
        _ => cloud.world.hosts.iter().find(|host| host.id == id).map(|host| host.state.to_owned()),
    })
}
