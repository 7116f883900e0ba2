//! The messages on the catching half of the street. Each reply says who is waiting for what.

use crate::provider::{BytePermit, Cursor, EmsId, Gap, NativeEvent};
use crate::vmdb::{BatchOutcome, ReadyBatch};
use actix::Message;
use std::time::Instant;
use tokio::sync::oneshot;

/// StreamActor → EventCatcher: commit these. The reply is the acknowledgement.
#[derive(Message)]
#[rtype(result = "Result<BatchOutcome, CatchError>")]
pub struct Caught {
    /// In provider order.
    pub events: Vec<NativeEvent>,
    /// Where to go on afterwards.
    pub cursor: Option<Cursor>,
    /// A loss to record with them.
    pub gap: Option<Gap>,
    /// The room they take; held until the reply.
    pub permit: Option<BytePermit>,
    /// Of a batch that was read while the one before it was on its way: tells when that is committed. When nobody can tell that any
    /// more, neither is committed.
    pub turn: Option<oneshot::Receiver<()>>,
    /// When it was sent.
    pub sent: Instant,
}

/// EventCatcher → ParserActor.
#[derive(Message)]
#[rtype(result = "ParsedBatch")]
pub struct ParseEvents {
    /// In provider order.
    pub events: Vec<NativeEvent>,
    /// When it was sent.
    pub sent: Instant,
}

/// What the parser made of a batch.
#[derive(Debug, Default)]
pub struct ParsedBatch {
    /// Ready for the commit.
    pub events: Vec<crate::vmdb::ReadyEvent>,
    /// What could not be parsed.
    pub dead_letters: Vec<crate::vmdb::DeadLetter>,
}

/// EventCatcher → EventHandler (or, in a process that only catches, → miq_queue). `Ok` means committed.
#[derive(Message)]
#[rtype(result = "Result<BatchOutcome, CatchError>")]
pub struct PutEvents {
    /// What to commit.
    pub batch: ReadyBatch,
    /// When it was sent.
    pub sent: Instant,
}

/// StreamActor → EventHandler: where does this EMS's stream go on?
#[derive(Message)]
#[rtype(result = "Result<Option<Cursor>, CatchError>")]
pub struct LoadCursor(pub EmsId);

/// The batch was not committed, or nobody can say whether it was: read again from the stored cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatchError {
    /// A panic or a stop took the reply.
    #[error("the reply was lost; reading again from the stored cursor")]
    ReplyLost,
    /// The VMDB will not take anything from this process.
    #[error("{0}")]
    Vmdb(String),
}
