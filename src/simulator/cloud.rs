//! World, event log, faults and counts in one place behind one lock: what all requests and the ticker share.

use super::draws::Draws;
use super::event_log::{Entrance, EventLog};
use super::faults::Faults;
use super::malformed::{KINDS, invalid_utf8};
use super::menu::FaultKind;
use super::mishap::{Met, Mishap};
use super::things::Change;
use super::world::World;
use crate::clock;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// An event shares the time of the one before it if that is younger.
const LONGEST_EQUAL: TimeDelta = TimeDelta::seconds(1);

/// The running cloud.
#[derive(Debug)]
pub struct Cloud {
    /// Its things.
    pub world: World,
    /// Its events.
    pub log: EventLog,
    /// What goes wrong. Where a seed matters it is set by [`Cloud::set_faults`].
    pub faults: Faults,
    /// Things that happen by themselves each second.
    pub rate: f64,
    /// How often each kind of request came.
    pub requests: BTreeMap<&'static str, u64>,
    /// How many things the answers to requests for inventory held.
    pub things: u64,
    /// How many pages of events were served.
    pub pages: u64,
    draws: Draws,
    /// Seconds that the clock is away for good, once they are drawn.
    drawn_clock: Option<f64>,
    /// The time of the last event that was not dated ahead.
    last_time: Option<DateTime<Utc>>,
    spoiled: usize,
    met: BTreeMap<&'static str, u64>,
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
    /// How often each kind of fault took effect.
    pub faults_met: BTreeMap<&'static str, u64>,
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
            rate: 0.0,
            draws: Draws::new(0),
            drawn_clock: None,
            last_time: None,
            spoiled: 0,
            met: BTreeMap::new(),
        }
    }

    /// From now on these things go wrong, drawn anew from their seed.
    pub fn set_faults(&mut self, faults: Faults) {
        self.draws = Draws::new(faults.seed);
        if faults.clock_hours > 0.0 && self.drawn_clock.is_none() {
            let away = self.draws.clock.between(-faults.clock_hours, faults.clock_hours) * 3600.0;
            // A cloud that was asked already must not go back behind what it said.
            let is_new = self.log.is_new() && self.requests.is_empty();
            self.drawn_clock = Some(if is_new { away } else { away.abs() });
            self.count(FaultKind::Clock);
        }
        self.faults = faults;
    }

    /// The cloud's clock.
    pub fn now(&self) -> DateTime<Utc> {
        clock::now()
            + TimeDelta::seconds(self.faults.clock_offset_seconds)
            + milliseconds(self.drawn_clock.unwrap_or(0.0))
    }

    /// Lets `count` things happen now.
    pub fn happen(&mut self, count: usize) {
        for _ in 0..count {
            if self.draws.moments.falls(self.faults.history_lost_share) && self.may_lose_history() {
                self.lose_history();
            }
            self.step();
            if self.draws.moments.falls(self.faults.storm_share) {
                self.count(FaultKind::Storms);
                let most = self.faults.storm_events;
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count of events"
                )]
                let strength = self.draws.moments.between(most as f64 / 3.0, most as f64) as usize;
                (0..strength).for_each(|_| self.step());
            }
        }
        let kept = if self.faults.retention_seconds > 0.0 { self.faults.retention_seconds } else { 86_400.0 };
        let now = self.now();
        self.log.expire(now, milliseconds(kept));
    }

    fn step(&mut self) {
        let now = self.now();
        let change = self.world.step(now);
        self.enter(&change);
    }

    fn may_lose_history(&self) -> bool {
        let most = self.faults.history_losses;
        most == 0 || self.met.get(FaultKind::HistoryLost.name()).is_none_or(|met| *met < most)
    }

    /// Forgets all events so far. The one that happens next is the oldest, which no reader knows yet.
    fn lose_history(&mut self) {
        let now = self.now();
        self.log.forget(now);
        self.last_time = None;
        self.count(FaultKind::HistoryLost);
    }

    /// Makes the event of `change`.
    pub fn enter(&mut self, change: &Change) {
        let now = self.now();
        let mut entrance = Entrance { time: now, visible_at: now, padding: 0, spoil: None };
        if self.draws.entries.falls(self.faults.late_share) {
            let most = self.faults.late_seconds.clamp(0.0, 120.0);
            entrance.visible_at = now + milliseconds(self.draws.entries.between(most * 0.2, most));
            self.count(FaultKind::Late);
        }
        let shared = self.last_time.filter(|last| *last <= now && now - *last < LONGEST_EQUAL);
        if self.draws.entries.falls(self.faults.equal_times_share)
            && let Some(last) = shared
        {
            entrance.time = last;
            entrance.visible_at = entrance.visible_at.min(last + TimeDelta::seconds(120)).max(now);
            self.count(FaultKind::EqualTimes);
        }
        if self.draws.entries.falls(self.faults.ahead_share) {
            entrance.time = now + TimeDelta::hours(1);
        } else {
            self.last_time = Some(entrance.time);
        }
        if self.draws.entries.falls(self.faults.megabyte_share) {
            entrance.padding = 1 << 20;
            self.count(FaultKind::Megabyte);
        }
        if self.draws.entries.falls(self.faults.malformed_share) {
            entrance.spoil = KINDS.get(self.spoiled % KINDS.len()).copied();
            self.spoiled += 1;
            self.count(FaultKind::Malformed);
        } else if self.draws.entries.falls(self.faults.invalid_utf8_share) {
            entrance.spoil = Some(invalid_utf8);
            self.count(FaultKind::InvalidUtf8);
        }
        self.log.enter(change, entrance);
    }

    /// Counts a request and tells what it meets.
    pub fn meet(&mut self, kind: &'static str, has_token: bool) -> Met {
        *self.requests.entry(kind).or_default() += 1;
        let faults = &mut self.faults;
        let (waiting, shares, chances) = match kind {
            "events" => (&mut faults.events_requests, &faults.events_shares, &mut self.draws.events),
            _ => (&mut faults.inventory_requests, &faults.inventory_shares, &mut self.draws.inventory),
        };
        let passes = |mishap: Mishap| mishap == Mishap::BadPageToken && !has_token;
        let mishap = match waiting.first() {
            // It waits for a request that has one.
            Some(first) if passes(*first) => Mishap::Ok,
            Some(_) => waiting.remove(0),
            None => Some(chances.mishap(shares)).filter(|drawn| !passes(*drawn)).unwrap_or(Mishap::Ok),
        };
        mishap.kind().into_iter().for_each(|kind| self.count(kind));
        Met { mishap, hang: seconds(self.faults.hang_seconds), drip: seconds(self.faults.drip_seconds) }
    }

    /// How many events the next page may hold of `limit`, and whether it repeats some besides.
    pub fn next_page(&mut self, limit: usize) -> (usize, bool) {
        self.pages += 1;
        let every = u64::from(self.faults.repeat_every);
        let drawn = self.draws.pages.falls(self.faults.repeat_share);
        let repeats = drawn || every > 0 && self.pages.is_multiple_of(every);
        if repeats {
            self.count(FaultKind::RepeatedPages);
        }
        (self.draws.pages.page_size(self.bounded(limit), self.faults.short_page_share), repeats)
    }

    /// The same for a listing.
    pub fn next_listing(&mut self, limit: usize) -> usize {
        self.draws.listings.page_size(self.bounded(limit), self.faults.short_page_share)
    }

    fn bounded(&self, limit: usize) -> usize {
        if self.faults.page_limit > 0 { limit.min(self.faults.page_limit) } else { limit }
    }

    /// A page with `listed` on it was not the last: the VM may go, and another come, before the next is asked for.
    pub fn shift(&mut self, listed: &str) {
        if !self.draws.listings.falls(self.faults.shift_share) {
            return;
        }
        let now = self.now();
        let gone = self.world.delete(listed);
        let (created, _) = self.world.create(None, None, None, now);
        for change in gone.iter().chain([&created]) {
            self.enter(change);
        }
        self.count(FaultKind::ShiftingInventory);
    }

    /// What was asked so far.
    pub fn stats(&self) -> Stats {
        let inventory = self.requests.iter().filter(|(kind, _)| **kind != "events");
        Stats {
            requests: self.requests.clone(),
            inventory_requests: inventory.map(|(_, count)| count).sum(),
            inventory_things: self.things,
            vms: self.world.vms.len(),
            faults_met: self.met.clone(),
        }
    }

    fn count(&mut self, kind: FaultKind) {
        *self.met.entry(kind.name()).or_default() += 1;
    }
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}

#[allow(clippy::cast_possible_truncation, reason = "a few thousand seconds in milliseconds")]
fn milliseconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}
