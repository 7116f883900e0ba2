//! The StreamActor: polls one provider's stream, waits for each batch's commit, acknowledges, polls again.
//!
//! The loop is a plain future over [`crate::provider::Stream`]; the actor only carries it. It never decides how to go on
//! after an error: it ends, and its EventCatcher makes a fresh one that starts from the stored cursor.

use super::Child;
use super::messages::{CatchError, Caught, LoadCursor};
use crate::actor::{Exit, ExitNotice};
use crate::backoff::Backoff;
use crate::clock;
use crate::observe::{ActorFigures, ActorState, EmsFigures};
use crate::provider::{Cursor, Ems, EventBatch, Provider, Stream, StreamError};
use crate::vmdb::BatchOutcome;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Recipient, fut::wrap_future};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why a stream's loop ended.
#[derive(Debug)]
pub enum StreamExit {
    /// It was asked to.
    Stopped,
    /// It cannot go on; the variant is the decision.
    Failed(StreamError),
}

/// What the loop needs.
pub struct StreamRun {
    pub(super) ems: Ems,
    pub(super) provider: &'static dyn Provider,
    pub(super) catcher: Recipient<Caught>,
    pub(super) cursors: Recipient<LoadCursor>,
    pub(super) figures: Arc<ActorFigures>,
    pub(super) catcher_figures: Arc<ActorFigures>,
    pub(super) ems_figures: Arc<EmsFigures>,
    pub(super) stop: CancellationToken,
}

/// See the module.
pub struct StreamActor {
    run: Option<StreamRun>,
    notice: ExitNotice<Child, StreamExit>,
}

impl StreamActor {
    /// Starts it on the thread of its catcher.
    pub(super) fn spawn(run: StreamRun, notice: ExitNotice<Child, StreamExit>) {
        Self { run: Some(run), notice }.start();
    }
}

impl Actor for StreamActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(run) = self.run.take() else { return };
        let ended = wrap_future::<_, Self>(AssertUnwindSafe(run.run()).catch_unwind());
        ctx.spawn(ended.map(|ended, actor, ctx| {
            actor.notice.report(ended.map_or(Exit::Panicked, Exit::Ended));
            ctx.stop();
        }));
    }
}

impl StreamRun {
    async fn run(self) -> StreamExit {
        let stop = self.stop.clone();
        match self.follow(&stop).await {
            Ok(()) => StreamExit::Stopped,
            Err(error) => StreamExit::Failed(error),
        }
    }

    async fn follow(&self, stop: &CancellationToken) -> Result<(), StreamError> {
        let mut stream =
            self.provider.stream(&self.ems).map_err(|error| StreamError::Refused(error.message))?;
        let Some(cursor) = stop.run_until_cancelled(self.stored_cursor()).await else { return Ok(()) };
        let Some(started) = stop.run_until_cancelled(stream.start(cursor)).await else { return Ok(()) };
        started?;
        while let Some(batch) = stop.run_until_cancelled(stream.poll()).await {
            let batch = batch?;
            fail::fail_point!("stream.read");
            let more = batch.more;
            if let Some(lag) = batch.lag {
                self.ems_figures.lag.record(lag);
            }
            self.answered();
            self.commit(&mut *stream, batch).await?;
            if !more && stop.run_until_cancelled(tokio::time::sleep(self.ems.catcher.poll)).await.is_none() {
                break;
            }
        }
        stream.stop().await;
        Ok(())
    }

    /// The cursor of the last commit; waits for a VMDB that is away.
    async fn stored_cursor(&self) -> Option<Cursor> {
        let mut backoff = Backoff::of_children();
        loop {
            match self.cursors.send(LoadCursor(self.ems.id)).await.unwrap_or(Err(CatchError::ReplyLost)) {
                Ok(cursor) => {
                    self.figures.set_state(ActorState::Starting);
                    return cursor;
                }
                Err(error) => self.waits_for_vmdb(&error),
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    fn waits_for_vmdb(&self, error: &CatchError) {
        if self.figures.state() != ActorState::WaitingForVmdb {
            log::warn!("{}: waiting for its cursor from the VMDB: {error}", self.ems.name);
        }
        for figures in [&self.figures, &self.catcher_figures] {
            figures.set_failed_state(ActorState::WaitingForVmdb, error.to_string());
        }
    }

    /// Running begins with the first successful connect *and* read.
    fn answered(&self) {
        self.ems_figures.polled(clock::now());
        if self.figures.state() != ActorState::Running {
            log::info!("{}: the event catcher is running", self.ems.name);
        }
        for figures in [&self.figures, &self.catcher_figures] {
            figures.set_state(ActorState::Running);
        }
    }

    async fn commit(&self, stream: &mut dyn Stream, batch: EventBatch) -> Result<(), StreamError> {
        let EventBatch { events, cursor, ack, gap, permit, .. } = batch;
        if !events.is_empty() || cursor.is_some() || gap.is_some() {
            let count = events.len() as u64;
            self.set_in_flight(count as i64);
            let caught = Caught { events, cursor, gap, permit, sent: Instant::now() };
            let outcome = self.wait_for_commit(stream, ack.as_ref(), caught).await;
            self.set_in_flight(0);
            outcome.map_err(|error| StreamError::Unreachable(error.to_string()))?;
            self.figures.handled.fetch_add(count, Relaxed);
        }
        fail::fail_point!("stream.before-ack");
        if let Some(ack) = ack
            && let Err(error) = stream.ack(ack).await
        {
            // No error of the batch: what is delivered again is stored only once.
            log::warn!("{}: acknowledging a committed batch failed: {error}", self.ems.name);
        }
        fail::fail_point!("stream.acked");
        Ok(())
    }

    fn set_in_flight(&self, count: i64) {
        for figures in [&self.figures, &self.catcher_figures] {
            figures.in_flight.store(count, Relaxed);
        }
    }

    /// A slow VMDB extends a message's visibility, it does not lose it.
    async fn wait_for_commit(
        &self,
        stream: &mut dyn Stream,
        ack: Option<&crate::provider::Ack>,
        caught: Caught,
    ) -> Result<BatchOutcome, CatchError> {
        let reply = self.catcher.send(caught);
        tokio::pin!(reply);
        let hold_every = stream.hold_every().zip(ack);
        loop {
            let hold = async {
                match hold_every {
                    Some((every, _)) => tokio::time::sleep(every).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                reply = &mut reply => return reply.unwrap_or(Err(CatchError::ReplyLost)),
                () = hold => if let Some(ack) = ack && let Err(error) = stream.hold(ack).await {
                    log::warn!("{}: holding a batch that waits for its commit failed: {error}", self.ems.name);
                },
            }
        }
    }
}
