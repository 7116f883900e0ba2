//! The commit: events, dead letters, cursors and the work that follows, in one transaction.

use crate::provider::{Cursor, EmsId, Gap, ParsedEvent, Target};
use chrono::{DateTime, Utc};

/// What one EMS wants committed.
#[derive(Clone, Debug)]
pub struct ReadyBatch {
    /// Whose.
    pub ems_id: EmsId,
    /// In provider order.
    pub events: Vec<ReadyEvent>,
    /// What could not become an event.
    pub dead_letters: Vec<DeadLetter>,
    /// Where its stream goes on.
    pub cursor: Option<Cursor>,
    /// A loss to record; it asks for a full refresh too.
    pub gap: Option<Gap>,
    /// Rows of `miq_queue` (queue `ems`) that this batch answers; removed in the same transaction.
    pub delivered: Vec<i64>,
}

/// An event with what follows from it, should it be new.
#[derive(Clone, Debug)]
pub struct ReadyEvent {
    /// The event.
    pub event: ParsedEvent,
    /// Its work.
    pub work: Work,
}

/// What follows from a new event.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Nothing.
    None,
    /// A refresh of these.
    Refresh(Vec<Target>),
    /// A refresh of the whole EMS.
    FullRefresh,
}

/// A native event that could not become a row of `event_streams`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Identifies it within the EMS, so that re-reading does not count it again: `sha256:` of the text.
    pub event_uid: String,
    /// The provider's text.
    pub native: String,
    /// Why.
    pub reason: String,
}

/// What a commit did for one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchOutcome {
    /// Rows of `event_streams` that were new.
    pub new_events: u64,
    /// Events that were rows already.
    pub duplicates: u64,
    /// Rows of `dead_letters` that were new.
    pub dead_letters: u64,
    /// Whether refresh work was queued: ring the EMS's refresh worker.
    pub work: bool,
    /// The newest `timestamp` among the new events.
    pub newest: Option<DateTime<Utc>>,
}
