//! The other end of the catching half, when the two halves are two processes (`run-single-worker`): parsed events go into
//! `miq_queue` (queue `ems`, `EmsEvent.add`), with the cursor in the same transaction.

use super::{Handling, lanes, load_cursor};
use crate::actor::{ChildId, Exit, ExitNotice};
use crate::backoff::Backoff;
use crate::event_catcher::messages::{CatchError, LoadCursor, PutEvents};
use crate::observe::{ActorKind, ActorState};
use crate::provider::Cursor;
use crate::vmdb::miq_queue::{self, QueuedBatch};
use crate::vmdb::{BatchOutcome, ReadyBatch, VmdbError};
use actix::{Actor, Addr, Context, Handler, ResponseFuture};
use actix_rt::ArbiterHandle;
use std::sync::Arc;

/// Takes the same messages as the EventHandler.
pub struct QueuePutter {
    handling: Handling,
    notice: ExitNotice<ChildId, ()>,
}

impl QueuePutter {
    /// Starts it on the handler's thread.
    pub fn spawn(arbiter: &ArbiterHandle, handling: Handling, notice: ExitNotice<ChildId, ()>) -> Addr<Self> {
        Self::start_in_arbiter(arbiter, move |_| Self { handling, notice })
    }
}

impl Actor for QueuePutter {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        if !std::thread::panicking() {
            self.notice.report(Exit::Ended(()));
        }
    }
}

impl Handler<PutEvents> for QueuePutter {
    type Result = ResponseFuture<Result<BatchOutcome, CatchError>>;

    fn handle(&mut self, put: PutEvents, _: &mut Self::Context) -> Self::Result {
        Box::pin(put_until_committed(self.handling.clone(), Arc::new([queued(put.batch)])))
    }
}

impl Handler<LoadCursor> for QueuePutter {
    type Result = ResponseFuture<Result<Option<Cursor>, CatchError>>;

    fn handle(&mut self, LoadCursor(ems_id): LoadCursor, _: &mut Self::Context) -> Self::Result {
        Box::pin(load_cursor(self.handling.vmdb.clone(), ems_id))
    }
}

/// What the handler half works out by itself stays here.
fn queued(batch: ReadyBatch) -> QueuedBatch {
    let ReadyBatch { ems_id, events, dead_letters, cursor, gap, .. } = batch;
    QueuedBatch {
        ems_id,
        events: events.into_iter().map(|ready| ready.event).collect(),
        dead_letters,
        cursor,
        gap,
    }
}

async fn put_until_committed(
    handling: Handling,
    batch: Arc<[QueuedBatch; 1]>,
) -> Result<BatchOutcome, CatchError> {
    let figures = handling.observe.actor(ActorKind::EventHandler, None);
    let lane = lanes::lane_of(batch[0].ems_id, handling.vmdb.lanes());
    let mut backoff = Backoff::of_children();
    loop {
        let put = batch.clone();
        match handling.vmdb.commit(lane, move |connection| miq_queue::put_events(connection, &*put)).await {
            Ok(outcomes) => {
                figures.set_state(ActorState::Running);
                let queued = outcomes.first().copied().unwrap_or_default();
                return Ok(BatchOutcome {
                    new_events: queued.queued,
                    duplicates: queued.duplicates,
                    dead_letters: queued.dead_letters,
                    ..BatchOutcome::default()
                });
            }
            Err(VmdbError::Data(reason)) => return Err(CatchError::Vmdb(reason)),
            Err(error) => {
                if figures.state() != ActorState::WaitingForVmdb {
                    log::error!(
                        "the VMDB takes nothing; the event catcher waits, nothing is acknowledged: {error}"
                    );
                }
                figures.set_failed_state(ActorState::WaitingForVmdb, error.to_string());
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
    }
}
