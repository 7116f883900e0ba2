//! What an actor is doing, and its figures.

use super::figures::lock;
use crate::clock;
use chrono::{DateTime, Utc};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
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
    /// One per process that catches.
    OutageRecorder,
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
            Self::OutageRecorder => "outage_recorder",
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
    /// Since when it is neither running nor stopped on purpose, in microseconds; 0: it is one of them.
    unwell_since: AtomicI64,
}

impl ActorFigures {
    /// What it is doing now.
    pub fn state(&self) -> ActorState {
        ActorState::from_u8(self.state.load(Relaxed))
    }

    /// Says what it is doing; one that runs or was stopped has no error.
    pub fn set_state(&self, state: ActorState) {
        self.enter(state);
        if matches!(state, ActorState::Running | ActorState::Stopped) {
            *lock(&self.error) = None;
        }
    }

    fn enter(&self, state: ActorState) {
        self.state.store(state as u8, Relaxed);
        if matches!(state, ActorState::Running | ActorState::Stopped) {
            self.unwell_since.store(0, Relaxed);
        } else {
            let now = clock::now().timestamp_micros();
            let _ = self.unwell_since.compare_exchange(0, now, Relaxed, Relaxed);
        }
    }

    /// Since when it is neither running nor stopped on purpose.
    pub fn unwell_since(&self) -> Option<DateTime<Utc>> {
        Some(self.unwell_since.load(Relaxed))
            .filter(|micros| *micros != 0)
            .and_then(DateTime::from_timestamp_micros)
    }

    /// Says what it is doing, and why in words.
    pub fn set_failed_state(&self, state: ActorState, error: impl Into<String>) {
        self.enter(state);
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

    /// Adds the counts of another of its kind; the state is the worse of both.
    pub(super) fn absorb(&self, other: &Self) {
        self.state.fetch_max(other.state.load(Relaxed), Relaxed);
        for (sum, count) in [
            (&self.generation, &other.generation),
            (&self.handled, &other.handled),
            (&self.failed, &other.failed),
            (&self.mailbox_wait.count, &other.mailbox_wait.count),
            (&self.mailbox_wait.sum_micros, &other.mailbox_wait.sum_micros),
        ] {
            sum.fetch_add(count.load(Relaxed), Relaxed);
        }
        self.in_flight.fetch_add(other.in_flight.load(Relaxed), Relaxed);
        self.mailbox_wait.last_micros.fetch_max(other.mailbox_wait.last_micros.load(Relaxed), Relaxed);
    }
}
