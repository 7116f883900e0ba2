//! What `/pipeline.json` says: the shape that the page is written from, and that `catchall top` reads.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The whole answer. What is not known is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineStatus {
    /// When it was made.
    pub as_of: DateTime<Utc>,
    /// Catchall's version.
    pub version: Cow<'static, str>,
    /// The process.
    pub process: ProcessStatus,
    /// The VMDB.
    pub vmdb: VmdbStatus,
    /// Every EMS that the VMDB knows, by name.
    pub ems: Vec<EmsStatus>,
    /// Every actor of the process, by kind and EMS.
    pub actors: Vec<ActorStatus>,
}

/// What the operating system knows of the process; `null` where it cannot be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// When it started.
    pub started_on: Option<DateTime<Utc>>,
    /// Resident memory.
    pub resident_memory_bytes: Option<u64>,
    /// How many cores it kept busy since the last time somebody asked, or since it started.
    pub cores_used: Option<f64>,
}

/// Whether the VMDB answers and takes commits. While it does not, the rest is as it was when it last did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmdbStatus {
    /// Whether it does.
    pub answers: bool,
    /// Why not.
    pub error: Option<String>,
}

/// One EMS along the street.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmsStatus {
    /// `ext_management_systems.id`
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// ManageIQ's class name.
    #[serde(rename = "type")]
    pub class_name: String,
    /// What its event catcher does: `running`, `starting`, `backing_off`, `throttled`, `refused`, `waiting_for_vmdb`,
    /// `stopped`; or `paused`, `not_enabled`; or `elsewhere`, when this process does not catch from it.
    pub state: Cow<'static, str>,
    /// The error with which the event catcher last failed, while it is not well.
    pub error: Option<String>,
    /// The newest event's own time.
    pub last_event_on: Option<DateTime<Utc>>,
    /// When the provider last answered.
    pub last_poll_on: Option<DateTime<Utc>>,
    /// From the latest event's own time to its commit.
    pub lag_seconds: Option<f64>,
    /// New rows of `event_streams` since the process started.
    pub events_total: u64,
    /// Over the last minute.
    pub events_per_second: f64,
    /// New rows in each of the last 60 minutes, oldest first; the last one is not over yet. Left out when there were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events_of_minutes: Vec<u32>,
    /// Over its last seven days, as far as it is known for that long.
    pub usual_events_per_second: Option<f64>,
    /// How many events it usually sends in the time for which it has been silent.
    pub silence_ratio: Option<f64>,
    /// How often its event catcher, stream and parser were replaced since the process started.
    pub restarts: u64,
    /// Events that were caught and are not committed yet.
    pub in_flight: i64,
    /// Rows of `miq_queue` that wait for its refresh worker or are with it.
    pub waiting_work: i64,
    /// What its refresh worker does, as in `state`; `null` when it is not refreshed by this process.
    pub refresh_state: Option<Cow<'static, str>>,
    /// When a refresh last ended.
    pub last_refresh_on: Option<DateTime<Utc>>,
    /// Why it failed, if it did.
    pub last_refresh_error: Option<String>,
    /// Rows of `dead_letters`.
    pub dead_letters: i64,
    /// Rows of `event_gaps`.
    pub gaps: i64,
    /// The latest of them.
    pub last_gap: Option<GapStatus>,
}

/// A stretch of events that the provider no longer had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapStatus {
    /// `null`: from the beginning.
    pub from: Option<DateTime<Utc>>,
    /// `null`: not known.
    pub to: Option<DateTime<Utc>>,
    /// In words.
    pub reason: String,
    /// When it was noticed.
    pub noticed_on: DateTime<Utc>,
}

/// One actor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorStatus {
    /// Its kind, as in the `actor` label of the metrics.
    pub actor: Cow<'static, str>,
    /// The EMS's name, for those that exist once per EMS.
    pub ems: Option<String>,
    /// What it does, as in [`EmsStatus::state`].
    pub state: Cow<'static, str>,
    /// How many there have been; the first is 1.
    pub generation: u64,
    /// Messages, batches or work rows under way.
    pub in_flight: i64,
    /// Those that were done.
    pub handled: u64,
    /// Those that failed.
    pub failed: u64,
    /// The error with which it last failed, while it is not well.
    pub error: Option<String>,
    /// How long the last message waited from being sent to being handled.
    pub mailbox_wait_seconds: f64,
}
