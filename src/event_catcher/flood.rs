//! Flood control (`flooding_monitor_enabled`): which events of one EMS are repeats of a flood. Pure, save for reading no
//! clock at all: time is the events' own, so that a backlog of a quiet day, read in a second, is no flood.
//!
//! Up to `flooding_events_per_minute` repeats pass; those beyond are marked to be folded into the last one that passed. The
//! mark is a wish: the commit grants it if that row is there, and stores the event as its own row if not. So this memory,
//! which is bounded and ends with the process, decides how much is stored in what form, never whether.

use super::flood_memory::Generations;
use crate::provider::{EmsEvent, FloodKey, ParsedEvent};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// A slot of the window, in seconds; ten are a minute.
const SLOT: i64 = 6;
const SLOTS: i64 = 10;
/// Slots that a key remembers: the window, and some of what lies beside it, since events come late or dated ahead.
const MOST_SLOTS: usize = 24;
/// A row takes repeats for so long; while a flood lasts, one begins each hour. It shows a long flood as one on the timeline,
/// and what is purged with the row is hardly younger than the row.
const ROW_LASTS: TimeDelta = TimeDelta::hours(1);
/// Keys that are remembered at least.
const KEYS: usize = 1_000;
/// Events whose judgement is remembered at least: they may be read again before their commit.
const JUDGED: usize = 5_000;

type Hash = [u8; 32];

/// Watches the events of one EMS.
#[derive(Debug)]
pub struct FloodMonitor {
    events_per_minute: u32,
    keys: Generations<Hash, Repeats>,
    /// What was said of an event: whether it was folded.
    judged: Generations<Hash, bool>,
    news: Vec<FloodNews>,
}

/// What is to be told of a flood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FloodNews {
    /// Repeats are folded from now on.
    Begun {
        /// What repeats.
        what: String,
        /// The `event_uid` of the row that takes them.
        into: String,
    },
    /// An event of the kind passes again.
    Ended {
        /// What repeated.
        what: String,
        /// How many were folded.
        folded: u64,
        /// The first that was folded, by the events' own time.
        first: DateTime<Utc>,
        /// The last one.
        last: DateTime<Utc>,
    },
}

/// What is known of one key.
#[derive(Debug, Default)]
struct Repeats {
    /// (slot, events), in no order.
    slots: Vec<(i64, u32)>,
    passed: Option<(String, DateTime<Utc>)>,
    flood: Option<Flood>,
}

#[derive(Debug)]
struct Flood {
    what: String,
    folded: u64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    /// Whether it was met since [`FloodMonitor::quiet`] asked last.
    met: bool,
}

impl FloodMonitor {
    /// More than `events_per_minute` repeats in a minute are a flood.
    pub fn new(events_per_minute: u32) -> Self {
        Self {
            events_per_minute: events_per_minute.max(1),
            keys: Generations::new(KEYS),
            judged: Generations::new(JUDGED),
            news: Vec::new(),
        }
    }

    /// Whether the event is to be folded, and into the row of which `event_uid`. An event that comes a second time is
    /// not counted again.
    pub fn judge(&mut self, key: &FloodKey<'_>, parsed: &ParsedEvent) -> Option<String> {
        let (uid, timestamp) = (parsed.event_uid.as_str(), parsed.event.timestamp);
        let repeats = self.keys.entry(hash(key), Repeats::default);
        let uid_hash = hash(&[Some(uid)]);
        if let Some(folded) = self.judged.get(&uid_hash) {
            let into = repeats.passed.as_ref().map(|(passed, _)| passed).filter(|passed| *passed != uid);
            return into.filter(|_| *folded).cloned();
        }
        let is_flood = repeats.count(timestamp) > self.events_per_minute;
        let into = repeats.passed.as_ref().filter(|(passed, at)| {
            is_flood && passed != uid && timestamp.signed_duration_since(*at).abs() < ROW_LASTS
        });
        let into = into.map(|(passed, _)| passed.clone());
        self.judged.entry(uid_hash, || into.is_some());
        match &into {
            Some(into) => self.news.extend(repeats.folded(&parsed.event, into)),
            None => {
                // A flood goes on where the only reason to pass is that the hour of its row is over.
                if !is_flood {
                    self.news.extend(repeats.flood.take().map(Flood::ended));
                }
                repeats.passed = Some((uid.to_owned(), timestamp));
            }
        }
        into
    }

    /// Floods of which nothing was met since this was asked last are over. To be asked about once a minute.
    pub fn quiet(&mut self) {
        for repeats in self.keys.values_mut() {
            match &mut repeats.flood {
                Some(flood) if flood.met => flood.met = false,
                flood => self.news.extend(flood.take().map(Flood::ended)),
            }
        }
    }

    /// What is to be told since this was asked last.
    pub fn news(&mut self) -> Vec<FloodNews> {
        std::mem::take(&mut self.news)
    }
}

impl Repeats {
    /// Counts one at this time: how many there are in the minute that ends with it.
    fn count(&mut self, timestamp: DateTime<Utc>) -> u32 {
        let slot = timestamp.timestamp().div_euclid(SLOT);
        match self.slots.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => {
                let oldest = self.slots.iter().enumerate().min_by_key(|(_, (known, _))| *known);
                if let Some((place, _)) = oldest.filter(|_| self.slots.len() >= MOST_SLOTS) {
                    self.slots.swap_remove(place);
                }
                self.slots.push((slot, 1));
            }
        }
        let window = slot - SLOTS + 1..=slot;
        let counts = self.slots.iter().filter(|(known, _)| window.contains(known)).map(|(_, count)| *count);
        counts.fold(0, u32::saturating_add)
    }

    fn folded(&mut self, event: &EmsEvent, into: &str) -> Option<FloodNews> {
        let at = event.timestamp;
        if let Some(flood) = &mut self.flood {
            flood.folded += 1;
            (flood.first, flood.last, flood.met) = (flood.first.min(at), flood.last.max(at), true);
            return None;
        }
        let what = describe(event);
        self.flood = Some(Flood { what: what.clone(), folded: 1, first: at, last: at, met: true });
        Some(FloodNews::Begun { what, into: into.to_owned() })
    }
}

impl Flood {
    fn ended(self) -> FloodNews {
        FloodNews::Ended { what: self.what, folded: self.folded, first: self.first, last: self.last }
    }
}

/// The type, and what the event is about.
fn describe(event: &EmsEvent) -> String {
    let about = [
        &event.vm_name,
        &event.vm_ems_ref,
        &event.host_name,
        &event.host_ems_ref,
        &event.container_group_name,
        &event.container_node_name,
        &event.ems_cluster_name,
    ];
    match about.into_iter().flatten().next() {
        Some(about) => format!("{} of {about}", event.event_type),
        None => event.event_type.clone(),
    }
}

/// With the lengths, so that no two keys can look alike.
fn hash(key: &[Option<&str>]) -> Hash {
    let mut digest = Sha256::new();
    for part in key {
        match part {
            Some(text) => {
                digest.update((text.len() as u64 + 1).to_le_bytes());
                digest.update(text.as_bytes());
            }
            None => digest.update(0_u64.to_le_bytes()),
        }
    }
    digest.finalize().into()
}

#[cfg(test)]
#[path = "flood_tests.rs"]
mod tests;
