//! What the EventHandler's transaction does: events into `event_streams`, or, when the two halves of the street are two
//! processes (`run-single-worker`), parsed events into `miq_queue` (queue `ems`, `EmsEvent.add`). The cursor is in it either way.

use crate::vmdb::miq_queue::{self, QueuedBatch};
use crate::vmdb::{BatchOutcome, Connection, ReadyBatch, VmdbError, event_commit};

/// A transaction of either kind: all batches, or nothing.
pub type CommitBatches = fn(&mut Connection, &[ReadyBatch]) -> Result<Vec<BatchOutcome>, VmdbError>;

/// Events, cursors, and the work that follows.
pub const EVENT_STREAMS: CommitBatches = event_commit::commit;

/// Parsed events and cursors. What follows from an event is worked out by the half that takes it from there.
///
/// # Errors
/// See [`VmdbError`].
pub fn into_miq_queue(
    connection: &mut Connection,
    batches: &[ReadyBatch],
) -> Result<Vec<BatchOutcome>, VmdbError> {
    let queued: Vec<_> = batches.iter().map(queued).collect();
    let outcomes = miq_queue::put_events(connection, &queued)?;
    fail::fail_point!("queue.put");
    let outcome = |(batch, outcome): (&ReadyBatch, miq_queue::QueuedOutcome)| BatchOutcome {
        new_events: outcome.queued,
        folded_events: 0,
        duplicates: outcome.duplicates,
        dead_letters: outcome.dead_letters,
        gaps: outcome.gaps,
        work: false,
        automate: false,
        timestamps: match outcome.queued {
            0 => Vec::new(),
            _ => batch.events.iter().map(|ready| ready.event.event.timestamp).collect(),
        },
    };
    Ok(batches.iter().zip(outcomes).map(outcome).collect())
}

fn queued(batch: &ReadyBatch) -> QueuedBatch {
    QueuedBatch {
        ems_id: batch.ems_id,
        events: batch.events.iter().map(|ready| ready.event.clone()).collect(),
        dead_letters: batch.dead_letters.clone(),
        cursor: batch.cursor.clone(),
        gap: batch.gap.clone(),
        is_refreshed: batch.is_refreshed,
    }
}
