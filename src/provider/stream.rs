//! The stream side of the contract: batches, cursors, acknowledgements, and the errors that decide what happens next.

use super::{BytePermit, NativeEvent};
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::fmt;
use std::time::Duration;

/// Talks to the events API of one EMS. Owned by its StreamActor, which polls, waits for the commit, acknowledges, polls.
///
/// Dropping a future of any of these methods loses nothing: only a committed cursor or a sent ack moves us forward.
#[async_trait]
pub trait Stream: Send {
    /// Connects and checks the credentials. `resume_from` is the cursor of the last commit; `None` is a new EMS, which is
    /// read from what `initial_history` says.
    ///
    /// # Errors
    /// See [`StreamError`]. After any error of this or another method the stream is dropped and made anew.
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError>;

    /// The next events in provider order. Returns without events when there are none; then the catcher waits
    /// `poll`, unless [`EventBatch::more`] says that more is ready. Being called says that the batch before is committed;
    /// a stream whose batch was not is dropped and made anew.
    ///
    /// # Errors
    /// See [`StreamError`].
    async fn poll(&mut self) -> Result<EventBatch, StreamError>;

    /// A *full* batch after the one that is on its way to its commit. It is parsed meanwhile, and committed after that one. It
    /// waits for as long as the batch is not full: mostly the commit is there first, and this is dropped, which must cost nothing.
    /// So it is for streams to which the provider sends by itself; a poller has none.
    ///
    /// # Errors
    /// As [`Stream::poll`]; the batch before is committed all the same.
    async fn read_ahead(&mut self) -> Result<EventBatch, StreamError> {
        std::future::pending().await
    }

    /// Everything in the batch that carried `ack` is a row, filtered or a dead letter. Called after that commit only.
    ///
    /// # Errors
    /// Are logged and are no error of the batch: what is delivered again is stored only once.
    async fn ack(&mut self, ack: Ack) -> Result<(), StreamError> {
        let _ = ack;
        Ok(())
    }

    /// How often [`Stream::hold`] is called while a batch waits for its commit; `None` for pollers.
    fn hold_every(&self) -> Option<Duration> {
        None
    }

    /// Keeps the messages of a waiting batch from being delivered to anybody else (SQS: extends visibility).
    ///
    /// # Errors
    /// Are logged, as in [`Stream::ack`].
    async fn hold(&mut self, ack: &Ack) -> Result<(), StreamError> {
        let _ = ack;
        Ok(())
    }

    /// Says good-bye where the protocol wants it.
    async fn stop(&mut self) {}
}

/// Opaque to the house, lives in memory only, belongs to one connection: receipt handles, delivery tags.
pub type Ack = Box<dyn Any + Send + Sync>;

/// What a [`Stream::poll`] brought.
#[derive(Default)]
pub struct EventBatch {
    /// In the provider's order.
    pub events: Vec<NativeEvent>,
    /// `event_uid`s of events that came before them, and which the provider told once more in another form. They are counted as
    /// duplicates, and are no further work.
    pub known: Vec<String>,
    /// Where to go on once these events are committed; of a broker, which queue was read, and when last. Leave it out when
    /// it is what it was: a poll that brings nothing new writes nothing.
    pub cursor: Option<Cursor>,
    /// What to acknowledge after the commit.
    pub ack: Option<Ack>,
    /// A stretch of events that is lost at the provider. Committed with the batch, and answered by a full refresh.
    pub gap: Option<Gap>,
    /// More is ready: poll again at once.
    pub more: bool,
    /// How far the provider's newest event was ahead of what this batch read, when the provider tells.
    pub lag: Option<Duration>,
    /// The room these events take in the process.
    pub permit: Option<BytePermit>,
}

/// Where a stream goes on: the provider's own position, opaque to the house, stored as JSON in `ems_cursors`.
///
/// It comes from the provider's data or its clock, never from ours, and names its `source` (queue ARN, cluster uid, base
/// URL), so that another source behind the same EMS is noticed as a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// What this position belongs to.
    pub source: String,
    /// The position.
    pub position: serde_json::Value,
}

/// Events that the provider no longer has, or never will give us: a row of `event_gaps`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Since when events are missing, when known.
    pub from: Option<DateTime<Utc>>,
    /// Until when, when known.
    pub to: Option<DateTime<Utc>>,
    /// `history_lost`, `cursor_refused`, `source_changed`.
    pub reason: String,
}

/// What is missing, and why: `from … to …: …`.
impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: Option<DateTime<Utc>>, unknown: &str| {
            time.map_or_else(|| unknown.to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        let (from, to) = (time(self.from, "a time nobody knows"), time(self.to, "when reading began again"));
        let why = match self.reason.as_str() {
            "history_lost" => "the provider no longer has them",
            "cursor_refused" => "the cursor cannot be followed",
            "source_changed" => "another source stands behind this EMS",
            _ => return write!(f, "from {from} to {to}: {}", self.reason),
        };
        write!(f, "from {from} to {to}: {why} ({})", self.reason)
    }
}

/// What went wrong decides what the catcher does: the variant is the decision. Messages name URLs without credentials.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Back off with jitter, then start anew from the stored cursor.
    #[error("{0}")]
    Unreachable(String),
    /// The provider asks to wait so long; jitter only lengthens it.
    #[error("{message}; the provider asks to wait {retry_after:?}")]
    Throttled {
        /// How long at least.
        retry_after: Duration,
        /// What was asked.
        message: String,
    },
    /// Credentials refused: told once, tried again from 2 s to at most 60 s, and at once after SIGHUP.
    #[error("{0}")]
    Unauthorized(String),
    /// The settings cannot work with this provider, such as a queue that belongs to somebody else. Told once, tried again
    /// like [`StreamError::Unauthorized`].
    #[error("{0}")]
    Refused(String),
}
