//! World, event log, faults and counts in one place behind one lock: what all requests and the ticker share.

use super::event_log::{Entrance, EventLog};
use super::faults::{Faults, Mishap};
use super::malformed::KINDS;
use super::things::Change;
use super::world::World;
use crate::clock;
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use std::collections::BTreeMap;

/// The running cloud.
#[derive(Debug)]
pub struct Cloud {
    /// Its things.
    pub world: World,
    /// Its events.
    pub log: EventLog,
    /// What goes wrong.
    pub faults: Faults,
    /// How often each kind of request came.
    pub requests: BTreeMap<&'static str, u64>,
    /// How many things the answers to requests for inventory held.
    pub things: u64,
    /// How many pages of events were served.
    pub pages: u64,
    rng: StdRng,
    spoiled: usize,
}

/// Answer of `GET /v1/_simulator/stats`.
#[derive(Debug, Serialize)]
pub struct Stats {
    /// By kind of request.
    pub requests: BTreeMap<&'static str, u64>,
    /// All requests for inventory together.
    pub inventory_requests: u64,
    /// Things in all answers to them.
    pub inventory_things: u64,
    /// VMs that exist now.
    pub vms: usize,
}

impl Cloud {
    /// A cloud of `vms` VMs; its events' ids hold `epoch`.
    pub fn new(seed: u64, vms: usize, epoch: String) -> Self {
        let now = clock::now();
        Self {
            world: World::new(seed, vms, now),
            log: EventLog::new(epoch),
            faults: Faults::default(),
            requests: BTreeMap::new(),
            things: 0,
            pages: 0,
            rng: StdRng::seed_from_u64(seed),
            spoiled: 0,
        }
    }

    /// The cloud's clock.
    pub fn now(&self) -> DateTime<Utc> {
        clock::now() + TimeDelta::seconds(self.faults.clock_offset_seconds)
    }

    /// Lets `count` things happen now.
    pub fn happen(&mut self, count: usize) {
        for _ in 0..count {
            let now = self.now();
            let change = self.world.step(now);
            self.enter(&change);
        }
        let kept = if self.faults.retention_seconds > 0.0 { self.faults.retention_seconds } else { 86_400.0 };
        let now = self.now();
        self.log.expire(now, milliseconds(kept));
    }

    /// Makes the event of `change`.
    pub fn enter(&mut self, change: &Change) {
        let now = self.now();
        let mut entrance = Entrance { time: now, visible_at: now, padding: 0, spoil: None };
        if self.chance(self.faults.late_share) {
            let most = self.faults.late_seconds.clamp(0.0, 120.0);
            entrance.visible_at = now + milliseconds(most * self.rng.random_range(0.2..=1.0));
        }
        if self.chance(self.faults.ahead_share) {
            entrance.time = now + TimeDelta::hours(1);
        }
        if self.chance(self.faults.megabyte_share) {
            entrance.padding = 1 << 20;
        }
        if self.chance(self.faults.malformed_share) {
            entrance.spoil = KINDS.get(self.spoiled % KINDS.len()).copied();
            self.spoiled += 1;
        }
        self.log.enter(change, entrance);
    }

    /// Counts a request and tells what it meets.
    pub fn meet(&mut self, kind: &'static str) -> Mishap {
        *self.requests.entry(kind).or_default() += 1;
        let waiting = match kind {
            "events" => &mut self.faults.events_requests,
            _ => &mut self.faults.inventory_requests,
        };
        if waiting.is_empty() { Mishap::Ok } else { waiting.remove(0) }
    }

    /// What was asked so far.
    pub fn stats(&self) -> Stats {
        let inventory = self.requests.iter().filter(|(kind, _)| **kind != "events");
        Stats {
            requests: self.requests.clone(),
            inventory_requests: inventory.map(|(_, count)| count).sum(),
            inventory_things: self.things,
            vms: self.world.vms.len(),
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.rng.random_bool(share.clamp(0.0, 1.0))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a few thousand seconds in milliseconds")]
fn milliseconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}
