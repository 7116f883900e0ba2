//! The misbehaviour that a test, a proof or a demo may switch on: explicit lists for what is to happen exactly, and shares
//! out of a seeded chance for everything else.
//!
//! All of it is allowed by the API's page or happens on real networks; nothing makes a server that breaks its word.

use super::mishap::Mishap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What goes wrong. `POST /v1/_simulator/faults` replaces it whole; all is off by default. A share is 0 to 1.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The same seed draws the same faults in the same order, each kind of request for itself.
    pub seed: u64,
    /// Share of events that become visible late …
    pub late_share: f64,
    /// … by up to so many seconds (at most 120).
    pub late_seconds: f64,
    /// Share of events that have the `time` of the event before them.
    pub equal_times_share: f64,
    /// Share of events that are dated ahead of the clock by an hour.
    pub ahead_share: f64,
    /// Share of events that are malformed.
    pub malformed_share: f64,
    /// Share of events that hold bytes which are no UTF-8.
    pub invalid_utf8_share: f64,
    /// Share of events with a megabyte of text, which are well-formed all the same.
    pub megabyte_share: f64,
    /// Share of happenings at which a storm begins …
    pub storm_share: f64,
    /// … of up to so many more things that happen at once.
    pub storm_events: usize,
    /// Share of happenings before which all events so far are forgotten.
    pub history_lost_share: f64,
    /// … at most so many times in a cloud's life; 0 is no limit.
    pub history_losses: u64,
    /// How far the server's clock is from ours, in seconds. It follows a change at once, as a clock that jumps.
    pub clock_offset_seconds: i64,
    /// The server's clock is up to so many hours away besides. Drawn once in a cloud's life; it stays when faults heal.
    pub clock_hours: f64,
    /// How long events are kept, in seconds; 0 is the default of a day.
    pub retention_seconds: f64,
    /// Most events or rows on a page, whatever was asked for; 0 is no limit.
    pub page_limit: usize,
    /// Share of pages that hold at most five events or rows.
    pub short_page_share: f64,
    /// Every so-manieth page of events begins with the events of the page before it; 0 is never.
    pub repeat_every: u32,
    /// Share of pages of events that do.
    pub repeat_share: f64,
    /// Every page of events names itself as its successor, for ever.
    pub endless_page: bool,
    /// What the next requests meet, one each, in this order. `"ok"` lets one pass.
    pub events_requests: Vec<Mishap>,
    /// The same for requests for inventory.
    pub inventory_requests: Vec<Mishap>,
    /// Share of requests for events that meet each mishap, once that list is empty.
    pub events_shares: BTreeMap<Mishap, f64>,
    /// The same for requests for inventory.
    pub inventory_shares: BTreeMap<Mishap, f64>,
    /// A request that is never answered ends in a reset after so many seconds; 0 is never.
    pub hang_seconds: f64,
    /// A body that drips is whole after so many seconds; 0 is a byte each second.
    pub drip_seconds: f64,
    /// Every answer about inventory takes so many seconds.
    pub inventory_seconds: f64,
    /// Share of pages of VMs, other than the last, after which a VM that was listed is gone and another is there.
    pub shift_share: f64,
    /// Whoever asks for one of these by its id gets a 500, whatever else was asked for; listings of all are well.
    pub poison: Vec<String>,
    /// Listings of all things of these kinds (`vms`, `flavors` …) get a 500; things that are asked for by id are told.
    pub broken_kinds: Vec<String>,
}

impl Faults {
    /// Whether connections may be reset.
    pub fn resets(&self) -> bool {
        let (is_reset, lists) = (
            |mishap: &Mishap| matches!(mishap, Mishap::Reset | Mishap::Hang),
            [&self.events_requests, &self.inventory_requests],
        );
        let shares = [&self.events_shares, &self.inventory_shares];
        lists.into_iter().flatten().any(is_reset)
            || shares.into_iter().flatten().any(|(mishap, share)| is_reset(mishap) && *share > 0.0)
    }
}
