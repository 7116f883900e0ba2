//! The StreamActor: polls one provider's stream, waits for each batch's commit, acknowledges, polls again. Where the provider
//! sends by itself the next batch is read and parsed meanwhile.
//!
//! The loop is a plain future over [`crate::provider::Stream`]; the actor only carries it. It never decides how to go on
//! after an error: it ends, and its EventCatcher makes a fresh one that starts from the stored cursor.

use super::Child;
use super::messages::{CatchError, Caught, LoadCursor};
use crate::actor::{Exit, ExitNotice};
use crate::backoff::Backoff;
use crate::clock;
use crate::observe::{ActorFigures, ActorState, EmsFigures};
use crate::provider::{Ack, Cursor, Ems, EventBatch, Provider, Stream, StreamError};
use crate::vmdb::BatchOutcome;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Recipient, fut::wrap_future};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tokio::sync::oneshot;
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

/// Whether a batch is committed.
type Reply = Pin<Box<dyn Future<Output = Result<BatchOutcome, CatchError>>>>;

/// A batch on its way to its commit.
struct InFlight {
    reply: Reply,
    ack: Option<Ack>,
    count: usize,
    more: bool,
    /// To be told when the batch before it is committed.
    is_turn: Option<oneshot::Sender<()>>,
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
        let mut ahead = None;
        loop {
            let batch = match ahead.take() {
                Some(batch) => batch,
                None => match stop.run_until_cancelled(stream.poll()).await {
                    Some(batch) => self.send(batch?, None),
                    None => break,
                },
            };
            let more = batch.more;
            ahead = self.commit(&mut *stream, batch).await?;
            let waits = ahead.is_none() && !more;
            if waits && stop.run_until_cancelled(tokio::time::sleep(self.ems.catcher.poll)).await.is_none() {
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

    /// Sends it on its way, behind one that is to be committed before it.
    fn send(&self, batch: EventBatch, turn: Option<oneshot::Receiver<()>>) -> InFlight {
        fail::fail_point!("stream.read");
        if let Some(lag) = batch.lag {
            self.ems_figures.lag.record(lag);
        }
        self.answered();
        let EventBatch { events, known, cursor, ack, gap, permit, more, .. } = batch;
        self.ems_figures.duplicates.fetch_add(known.len() as u64, Relaxed);
        let count = events.len();
        let reply: Reply = if count == 0 && cursor.is_none() && gap.is_none() {
            Box::pin(async { Ok(BatchOutcome::default()) })
        } else {
            let caught = Caught { events, cursor, gap, permit, turn, sent: Instant::now() };
            let reply = self.catcher.send(caught);
            Box::pin(async move { reply.await.unwrap_or(Err(CatchError::ReplyLost)) })
        };
        InFlight { reply, ack, count, more, is_turn: None }
    }

    /// Waits for the commit and acknowledges it. Gives what was read ahead meanwhile, whose turn it is now.
    async fn commit(
        &self,
        stream: &mut dyn Stream,
        mut batch: InFlight,
    ) -> Result<Option<InFlight>, StreamError> {
        let (outcome, ahead) = self.wait_for_commit(stream, &mut batch).await;
        self.set_in_flight(0);
        outcome.map_err(|error| StreamError::Unreachable(error.to_string()))?;
        self.figures.handled.fetch_add(batch.count as u64, Relaxed);
        fail::fail_point!("stream.before-ack");
        if let Some(ack) = batch.ack
            && let Err(error) = stream.ack(ack).await
        {
            // No error of the batch: what is delivered again is stored only once.
            log::warn!("{}: acknowledging a committed batch failed: {error}", self.ems.name);
        }
        fail::fail_point!("stream.acked");
        let mut ahead = ahead.transpose()?;
        if let Some(is_turn) = ahead.as_mut().and_then(|ahead| ahead.is_turn.take()) {
            let _ = is_turn.send(());
        }
        Ok(ahead)
    }

    fn set_in_flight(&self, count: i64) {
        for figures in [&self.figures, &self.catcher_figures] {
            figures.in_flight.store(count, Relaxed);
        }
    }

    /// A slow VMDB extends a message's visibility, it does not lose it. Meanwhile the next batch is read, where there is one.
    async fn wait_for_commit(
        &self,
        stream: &mut dyn Stream,
        batch: &mut InFlight,
    ) -> (Result<BatchOutcome, CatchError>, Option<Result<InFlight, StreamError>>) {
        let mut ahead = None;
        let hold_every = stream.hold_every();
        loop {
            let next = ahead.as_ref().and_then(|ahead: &Result<InFlight, _>| ahead.as_ref().ok());
            self.set_in_flight((batch.count + next.map_or(0, |next| next.count)) as i64);
            let hold = async {
                match hold_every.filter(|_| batch.ack.is_some()) {
                    Some(every) => tokio::time::sleep(every).await,
                    None => std::future::pending().await,
                }
            };
            let may_read = ahead.is_none() && !self.stop.is_cancelled();
            tokio::select! {
                outcome = &mut batch.reply => return (outcome, ahead),
                () = hold => if let Some(ack) = &batch.ack && let Err(error) = stream.hold(ack).await {
                    log::warn!("{}: holding a batch that waits for its commit failed: {error}", self.ems.name);
                },
                next = stream.read_ahead(), if may_read => {
                    let (is_turn, turn) = oneshot::channel();
                    let sent = next.map(|next| self.send(next, Some(turn)));
                    ahead = Some(sent.map(|next| InFlight { is_turn: Some(is_turn), ..next }));
                }
            }
        }
    }
}
