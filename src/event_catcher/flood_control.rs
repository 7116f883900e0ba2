//! Flood control of one EMS, where its events pass: has the monitor judge them, marks those to be folded, and tells of
//! floods. It comes after blacklist, age and dead letters: what is not stored is no repeat.

use super::flood::{FloodMonitor, FloodNews};
use super::prepare::guarded;
use crate::provider::{CatcherSettings, Provider};
use crate::vmdb::ReadyEvent;
use std::time::{Duration, Instant};

/// How often it is looked whether a flood is over that just stopped.
pub const LOOK: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub struct FloodControl {
    monitor: FloodMonitor,
    ems: String,
    looked: Instant,
}

impl FloodControl {
    /// That of an EMS; `None` when it is switched off.
    pub fn of(settings: &CatcherSettings, ems: &str) -> Option<Self> {
        settings.flooding_monitor_enabled.then(|| Self {
            monitor: FloodMonitor::new(settings.flooding_events_per_minute),
            ems: ems.to_owned(),
            looked: Instant::now(),
        })
    }

    /// Marks those of `events`, which are in provider order, that are to be folded.
    pub fn mark(&mut self, provider: &dyn Provider, events: &mut [ReadyEvent]) {
        let parser = provider.event_parser();
        for ready in events {
            let parsed = &ready.event;
            // A provider that panics over its key has an event that repeats nothing.
            let key = guarded("flood key", || Ok(parser.flood_key(&parsed.event)));
            ready.folded_into = key.ok().and_then(|key| self.monitor.judge(&key, parsed));
        }
        self.look();
    }

    /// Tells what is new. Without events it is to be asked now and then, so that the end of a flood is told.
    pub fn look(&mut self) {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.monitor.quiet();
        }
        self.monitor.news().iter().for_each(|news| tell(&self.ems, news));
    }
}

fn tell(ems: &str, news: &FloodNews) {
    match news {
        FloodNews::Begun { what, into } => log::warn!(
            "{ems}: {what} comes more often than flooding_events_per_minute; repeats are folded into the row of event {into}"
        ),
        FloodNews::Ended { what, folded, first, last } => {
            log::info!(
                "{ems}: the flood of {what} is over: {folded} events from {first} to {last} were folded"
            );
        }
    }
}
