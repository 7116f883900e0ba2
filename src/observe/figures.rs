//! The figures themselves: plain atomics that actors bump, read by whoever asks.

use super::counts::{Counts, ProcessCounts};
use super::histogram::Histogram;
use super::rate::MinuteCounts;
use super::usual::UsualRate;
use crate::provider::ByteBudget;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The kinds of actor on the street; the `actor` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// One per EMS.
    EventCatcher,
    /// One per EMS.
    Stream,
    /// One per EMS.
    Parser,
    /// One per process.
    EventHandler,
    /// One per EMS.
    RefreshWorker,
    /// One per process.
    Supervisor,
    /// One per process.
    AutomateWorker,
    /// One per process.
    WebhookSender,
    /// One per process.
    Purger,
}

impl ActorKind {
    /// The label's value.
    pub const fn label(self) -> &'static str {
        match self {
            Self::EventCatcher => "event_catcher",
            Self::Stream => "stream",
            Self::Parser => "parser",
            Self::EventHandler => "event_handler",
            Self::RefreshWorker => "refresh_worker",
            Self::Supervisor => "supervisor",
            Self::AutomateWorker => "automate_worker",
            Self::WebhookSender => "webhook_sender",
            Self::Purger => "purger",
        }
    }
}

/// What an actor is doing; the `state` metric counts upwards in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ActorState {
    /// Not yet there, or stopped on purpose.
    Stopped = 0,
    /// Until its first successful connect and read.
    Starting = 1,
    /// Well.
    Running = 2,
    /// Failed; waiting to try again.
    BackingOff = 3,
    /// The provider asked to wait.
    Throttled = 4,
    /// The provider refuses the credentials, or the settings cannot work with it.
    Refused = 5,
    /// Waits for the VMDB.
    WaitingForVmdb = 6,
}

impl ActorState {
    const ALL: [Self; 7] = [
        Self::Stopped,
        Self::Starting,
        Self::Running,
        Self::BackingOff,
        Self::Throttled,
        Self::Refused,
        Self::WaitingForVmdb,
    ];

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::BackingOff => "backing_off",
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::WaitingForVmdb => "waiting_for_vmdb",
        }
    }

    fn from_u8(value: u8) -> Self {
        Self::ALL.get(usize::from(value)).copied().unwrap_or(Self::Stopped)
    }
}

/// A count and a sum of durations, and the last one.
#[derive(Debug, Default)]
pub struct Timing {
    count: AtomicU64,
    sum_micros: AtomicU64,
    last_micros: AtomicU64,
}

impl Timing {
    /// Adds one.
    pub fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Relaxed);
        self.sum_micros.fetch_add(micros, Relaxed);
        self.last_micros.store(micros, Relaxed);
    }

    /// (how many, their sum in seconds, the last one in seconds).
    pub fn get(&self) -> (u64, f64, f64) {
        let seconds = |micros: &AtomicU64| Duration::from_micros(micros.load(Relaxed)).as_secs_f64();
        (self.count.load(Relaxed), seconds(&self.sum_micros), seconds(&self.last_micros))
    }
}

/// Figures of one actor.
#[derive(Debug, Default)]
pub struct ActorFigures {
    state: AtomicU8,
    generation: AtomicU64,
    /// Messages, batches or work rows done.
    pub handled: AtomicU64,
    /// Those that failed.
    pub failed: AtomicU64,
    /// Those under way.
    pub in_flight: AtomicI64,
    /// From sending to being handled.
    pub mailbox_wait: Timing,
    error: Mutex<Option<String>>,
}

impl ActorFigures {
    /// What it is doing now.
    pub fn state(&self) -> ActorState {
        ActorState::from_u8(self.state.load(Relaxed))
    }

    /// Says what it is doing; one that runs or was stopped has no error.
    pub fn set_state(&self, state: ActorState) {
        self.state.store(state as u8, Relaxed);
        if matches!(state, ActorState::Running | ActorState::Stopped) {
            *lock(&self.error) = None;
        }
    }

    /// Says what it is doing, and why in words.
    pub fn set_failed_state(&self, state: ActorState, error: impl Into<String>) {
        self.state.store(state as u8, Relaxed);
        *lock(&self.error) = Some(error.into());
    }

    /// The error it last failed with, while it is not well.
    pub fn error(&self) -> Option<String> {
        lock(&self.error).clone()
    }

    /// A fresh one is there, with nothing under way; gives its generation.
    pub fn started(&self) -> u64 {
        self.in_flight.store(0, Relaxed);
        self.generation.fetch_add(1, Relaxed) + 1
    }

    /// How many children there have been.
    pub fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// How often it was replaced.
    pub fn restarts(&self) -> u64 {
        self.generation().saturating_sub(1)
    }
}

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
    /// From the event's own time to its commit, latest.
    pub lag: Timing,
    /// New events by the minute of their commit.
    pub rate: MinuteCounts,
    usual: Mutex<Option<UsualRate>>,
    filtered: Mutex<BTreeMap<String, u64>>,
    last_event: AtomicI64,
    last_poll: AtomicI64,
}

impl EmsFigures {
    /// Counts filtered events by reason.
    pub fn filtered(&self, reason: &str, count: u64) {
        *lock(&self.filtered).entry(reason.to_owned()).or_default() += count;
    }

    /// Filtered events by reason.
    pub fn filtered_by_reason(&self) -> BTreeMap<String, u64> {
        lock(&self.filtered).clone()
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

/// An actor's kind, its EMS's name when there is one per EMS, and its figures.
pub type ActorEntry = (ActorKind, Option<String>, Arc<ActorFigures>);

/// All figures of the process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Observe(Arc<Inner>);

/// Kind, and the EMS's name for those that exist per EMS.
type ActorKey = (ActorKind, Option<String>);

#[derive(Debug, Default)]
struct Inner {
    actors: Mutex<BTreeMap<ActorKey, Arc<ActorFigures>>>,
    ems: Mutex<BTreeMap<String, Arc<EmsFigures>>>,
    commit: CommitFigures,
    counts: ProcessCounts,
    byte_budget: Mutex<Option<ByteBudget>>,
}

/// Figures of the group commit.
#[derive(Debug, Default)]
pub struct CommitFigures {
    /// How long commits took.
    pub time: Timing,
    /// Events in all commits.
    pub rows: AtomicU64,
}

impl Observe {
    /// The figures of an actor; `ems` is the EMS's name for those that exist per EMS.
    pub fn actor(&self, kind: ActorKind, ems: Option<&str>) -> Arc<ActorFigures> {
        lock(&self.0.actors).entry((kind, ems.map(str::to_owned))).or_default().clone()
    }

    /// The figures of an EMS.
    pub fn ems(&self, name: &str) -> Arc<EmsFigures> {
        lock(&self.0.ems).entry(name.to_owned()).or_default().clone()
    }

    /// An EMS left the settings: its series end.
    pub fn forget(&self, name: &str) {
        lock(&self.0.ems).remove(name);
        lock(&self.0.actors).retain(|(_, ems), _| ems.as_deref() != Some(name));
    }

    /// The group commit.
    pub fn commit(&self) -> &CommitFigures {
        &self.0.commit
    }

    /// Counts that belong to no EMS.
    pub(super) fn counts(&self) -> &ProcessCounts {
        &self.0.counts
    }

    /// Shows this byte budget's use from now on.
    pub fn set_byte_budget(&self, budget: ByteBudget) {
        *lock(&self.0.byte_budget) = Some(budget);
    }

    /// The byte budget that is shown, once there is one.
    pub fn byte_budget(&self) -> Option<ByteBudget> {
        lock(&self.0.byte_budget).clone()
    }

    /// All actors, ordered by kind and EMS.
    pub fn actors(&self) -> Vec<ActorEntry> {
        lock(&self.0.actors)
            .iter()
            .map(|((kind, ems), figures)| (*kind, ems.clone(), figures.clone()))
            .collect()
    }

    /// All EMSs, ordered by name.
    pub fn all_ems(&self) -> Vec<(String, Arc<EmsFigures>)> {
        lock(&self.0.ems).iter().map(|(name, figures)| (name.clone(), figures.clone())).collect()
    }
}

fn time(micros: &AtomicI64) -> Option<DateTime<Utc>> {
    Some(micros.load(Relaxed)).filter(|micros| *micros != 0).and_then(DateTime::from_timestamp_micros)
}

/// A panic elsewhere leaves counters as good as they were.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
