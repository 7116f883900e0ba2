//! Figures of one EMS along the street.

use super::actor::Timing;
use super::counts::Counts;
use super::figures::lock;
use super::histogram::Histogram;
use super::rate::MinuteCounts;
use super::usual::UsualRate;
use chrono::{DateTime, Utc};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A refresh that ends so long after the commit that asked for it is in time.
pub const REFRESH_IN_TIME: Duration = Duration::from_secs(30);

/// Figures of one EMS along the street.
#[derive(Debug, Default)]
pub struct EmsFigures {
    /// New rows of `event_streams`.
    pub events: AtomicU64,
    /// New rows of `folded_events`: repeats that flood control folded into another event's row.
    pub folded_events: AtomicU64,
    /// Events that were rows already.
    pub duplicates: AtomicU64,
    /// New rows of `dead_letters`.
    pub dead_letters: AtomicU64,
    /// Rows of `event_gaps`.
    pub gaps: AtomicU64,
    /// Refresh calls of the switchboard that made no work, since the provider has no collector or refresh is off.
    pub refresh_calls_without_work: AtomicU64,
    /// Refreshes that ended, by kind and result.
    pub refreshes: Counts<(&'static str, &'static str)>,
    /// Things done for events besides refreshing, by kind and state.
    pub actions: Counts<(String, String)>,
    /// Full refreshes that took the place of so many targets.
    pub escalations: AtomicU64,
    /// Rows that a full refresh corrected, by association.
    pub drift: Counts<String>,
    /// From each new event's own time to its commit.
    pub committed: Histogram,
    /// From the commit that asked for a target to the end of its refresh.
    pub refreshed: Histogram,
    /// Targets that events asked for and whose refresh is done.
    pub refresh_targets: AtomicU64,
    /// Those of them that were done in time.
    pub refresh_targets_in_time: AtomicU64,
    /// From the event's own time to its commit, latest.
    pub lag: Timing,
    /// New events by the minute of their commit.
    pub rate: MinuteCounts,
    usual: Mutex<Option<UsualRate>>,
    pub(super) filtered: Counts<String>,
    last_event: AtomicI64,
    last_poll: AtomicI64,
}

impl EmsFigures {
    /// Counts filtered events by reason.
    pub fn filtered(&self, reason: &str, count: u64) {
        self.filtered.add(reason.to_owned(), count);
    }

    /// Filtered events by reason.
    pub fn filtered_by_reason(&self) -> Vec<(String, u64)> {
        self.filtered.all()
    }

    /// A batch with events was committed; `newest` is the newest event's own time. One dated ahead of our clock counts as
    /// of now, so that it does not hide a silence that follows.
    pub fn saw_event(&self, newest: DateTime<Utc>, now: DateTime<Utc>) {
        self.last_event.fetch_max(newest.min(now).timestamp_micros(), Relaxed);
        self.lag.record((now - newest).to_std().unwrap_or_default());
    }

    /// Events of these times of their own were committed, all of them new.
    pub fn committed(&self, timestamps: &[DateTime<Utc>], now: DateTime<Utc>) {
        let Some(newest) = timestamps.iter().max() else { return };
        self.saw_event(*newest, now);
        self.rate.add(timestamps.len(), now);
        let lag = |timestamp: &DateTime<Utc>| (now - *timestamp).to_std().unwrap_or_default();
        self.committed.record_all(timestamps.iter().map(lag));
    }

    /// A refresh that succeeded answers `targets` of a commit at `requested_on`.
    pub fn refreshed(&self, requested_on: DateTime<Utc>, targets: usize, now: DateTime<Utc>) {
        let took = (now - requested_on).to_std().unwrap_or_default();
        self.refreshed.record_all(std::iter::repeat_n(took, targets));
        self.refresh_targets.fetch_add(targets as u64, Relaxed);
        if took <= REFRESH_IN_TIME {
            self.refresh_targets_in_time.fetch_add(targets as u64, Relaxed);
        }
    }

    /// What the VMDB knows from before: what the EMS usually sends, and its newest event's own time.
    pub fn learned(&self, usual: Option<UsualRate>, newest: Option<DateTime<Utc>>) {
        *lock(&self.usual) = usual;
        if let Some(newest) = newest {
            self.last_event.fetch_max(newest.min(crate::clock::now()).timestamp_micros(), Relaxed);
        }
    }

    /// What the EMS usually sends, once that is known.
    pub fn usual(&self) -> Option<UsualRate> {
        *lock(&self.usual)
    }

    /// How many events the EMS usually sends in the time for which it has been silent.
    pub fn silence_ratio(&self, now: DateTime<Utc>) -> Option<f64> {
        Some(self.usual()?.expected(self.last_event()?, now))
    }

    /// The newest event's own time.
    pub fn last_event(&self) -> Option<DateTime<Utc>> {
        time(&self.last_event)
    }

    /// The provider answered.
    pub fn polled(&self, now: DateTime<Utc>) {
        self.last_poll.store(now.timestamp_micros(), Relaxed);
    }

    /// When the provider last answered.
    pub fn last_poll(&self) -> Option<DateTime<Utc>> {
        time(&self.last_poll)
    }
}

fn time(micros: &AtomicI64) -> Option<DateTime<Utc>> {
    Some(micros.load(Relaxed)).filter(|micros| *micros != 0).and_then(DateTime::from_timestamp_micros)
}
