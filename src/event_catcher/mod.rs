//! The catching half of the street, for one EMS: provider → StreamActor → EventCatcher → ParserActor → EventHandler.
//!
//! The EventCatcher owns the other two. One that fails or panics is replaced by a fresh one with jittered back-off and a
//! higher generation. It decides nothing about events; `stream`, `parser` and `prepare` do.

pub mod flood;
pub mod flood_control;
mod flood_memory;
pub mod messages;
pub mod parser;
pub mod prepare;
mod storable;
pub mod stream;

use crate::actor::{ArbiterHandles, ChildId, Children, Exit, ExitNotice};
use crate::backoff::Backoff;
use crate::observe::{ActorFigures, ActorKind, ActorState, EmsFigures, Observe};
use crate::provider::{Ems, Provider, StreamError};
use crate::vmdb::{BatchOutcome, ReadyBatch};
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, Recipient, ResponseFuture};
use flood_control::FloodControl;
use messages::{CatchError, Caught, LoadCursor, ParseEvents, PutEvents};
use parser::{ParserActor, ParserSettings};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use stream::{StreamActor, StreamExit, StreamRun};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Everything an EventCatcher and its children are made from.
#[derive(Clone)]
pub struct Catching {
    /// The EMS.
    pub ems: Ems,
    /// What kind of EMS it is.
    pub provider: &'static dyn Provider,
    /// What the parser needs besides.
    pub parser: ParserSettings,
    /// Who commits.
    pub handler: Recipient<PutEvents>,
    /// Who knows the cursor.
    pub cursors: Recipient<LoadCursor>,
    /// Figures.
    pub observe: Observe,
    /// Where the children live.
    pub arbiters: ArbiterHandles,
}

impl Catching {
    fn figures(&self, kind: ActorKind) -> Arc<ActorFigures> {
        self.observe.actor(kind, Some(&self.ems.name))
    }

    fn ems_figures(&self) -> Arc<EmsFigures> {
        self.observe.ems(&self.ems.name)
    }
}

/// The two actors that an EventCatcher owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    Stream,
    Parser,
}

type ChildExit = (Child, Exit<StreamExit>);

/// The actor that owns one EMS's catching.
pub struct EventCatcher {
    catching: Catching,
    children: Children<Child, StreamExit>,
    exits: Option<UnboundedReceiver<ChildExit>>,
    parser: Option<Addr<ParserActor>>,
    generation: u64,
    /// When the stream was made; `None` while there is none, only a time to make the next.
    stream_since: Option<tokio::time::Instant>,
    failures: Failures,
    stopping: CancellationToken,
    _stop_children_on_drop: DropGuard,
    notice: ExitNotice<ChildId, ()>,
    stopped: Option<tokio::sync::oneshot::Sender<()>>,
}

struct Failures {
    provider: Backoff,
    credentials: Backoff,
    told: Option<String>,
}

impl EventCatcher {
    /// Starts it on the streams' thread. `notice` tells the supervisor when it is gone.
    pub fn spawn(catching: Catching, notice: ExitNotice<ChildId, ()>) -> Addr<Self> {
        let arbiter = catching.arbiters.streams.clone();
        Self::start_in_arbiter(&arbiter, move |_| {
            let (children, exits) = Children::new();
            let stopping = CancellationToken::new();
            let figures = catching.figures(ActorKind::EventCatcher);
            let generation = figures.started();
            figures.set_state(ActorState::Starting);
            Self {
                catching,
                children,
                exits: Some(exits),
                parser: None,
                generation,
                stream_since: None,
                failures: Failures {
                    provider: Backoff::of_children(),
                    credentials: Backoff::of_credentials(),
                    told: None,
                },
                _stop_children_on_drop: stopping.clone().drop_guard(),
                stopping,
                notice,
                stopped: None,
            }
        })
    }

    /// The catching half of the street, back to front: each needs the address of the next.
    fn spawn_children(&mut self, ctx: &mut Context<Self>) {
        self.spawn_parser();
        self.spawn_stream(ctx);
    }

    fn spawn_parser(&mut self) {
        let figures = self.catching.figures(ActorKind::Parser);
        figures.started();
        figures.set_state(ActorState::Running);
        let notice = self.children.notice(Child::Parser);
        let (provider, settings) = (self.catching.provider, self.catching.parser.clone());
        let ems = self.catching.ems_figures();
        let flood = FloodControl::of(&self.catching.ems.catcher, &self.catching.ems.name);
        self.parser = Some(ParserActor::spawn(&self.catching.arbiters.parsers, move || ParserActor {
            provider,
            settings,
            figures,
            ems,
            flood,
            notice,
        }));
    }

    fn spawn_stream(&mut self, ctx: &mut Context<Self>) {
        self.stream_since = Some(tokio::time::Instant::now());
        let figures = self.catching.figures(ActorKind::Stream);
        figures.started();
        figures.set_state(ActorState::Starting);
        let run = StreamRun {
            ems: self.catching.ems.clone(),
            provider: self.catching.provider,
            catcher: ctx.address().recipient(),
            cursors: self.catching.cursors.clone(),
            figures,
            catcher_figures: self.catching.figures(ActorKind::EventCatcher),
            ems_figures: self.catching.ems_figures(),
            stop: self.stopping.child_token(),
        };
        StreamActor::spawn(run, self.children.notice(Child::Stream));
    }

    fn child_exited(&mut self, (child, exit): ChildExit, ctx: &mut Context<Self>) {
        let exit = match (child, exit) {
            (Child::Parser, _) => {
                // A batch that still waits for its commit waits for its parser too.
                log::error!("{}: the parser panicked; it is replaced", self.catching.ems.name);
                self.spawn_parser();
                return;
            }
            (Child::Stream, exit) => exit,
        };
        self.recovered();
        if self.stopping.is_cancelled() {
            self.end(ctx);
            return;
        }
        let wait = match exit {
            Exit::Ended(StreamExit::Stopped) => Duration::ZERO,
            Exit::Ended(StreamExit::Failed(error)) => self.decide(&error),
            Exit::Panicked => {
                self.tell(ActorState::BackingOff, "the stream panicked; see the log for where");
                self.failures.provider.next_wait()
            }
        };
        ctx.run_later(wait, |catcher, ctx| {
            if !catcher.stopping.is_cancelled() {
                catcher.spawn_stream(ctx);
            }
        });
    }

    /// The stream is gone. If it was well for a good while, what failed before it is forgotten: waits begin anew, and the
    /// same words are news again.
    fn recovered(&mut self) {
        let Some(since) = self.stream_since.take() else { return };
        if self.catching.figures(ActorKind::Stream).state() != ActorState::Running {
            return;
        }
        self.failures.provider.was_well_for(since.elapsed());
        self.failures.credentials.was_well_for(since.elapsed());
        if since.elapsed() >= Backoff::GOOD_WHILE {
            self.failures.told = None;
        }
    }

    /// The variant of the error is the decision.
    fn decide(&mut self, error: &StreamError) -> Duration {
        let text = error.to_string();
        match error {
            StreamError::Unreachable(_) => {
                self.tell(ActorState::BackingOff, &text);
                self.failures.provider.next_wait()
            }
            StreamError::Throttled { retry_after, .. } => {
                self.tell(ActorState::Throttled, &text);
                throttled_wait(*retry_after, self.failures.provider.next_wait())
            }
            StreamError::Unauthorized(_) | StreamError::Refused(_) => {
                self.tell(ActorState::Refused, &text);
                self.failures.credentials.next_wait()
            }
        }
    }

    /// The same words are logged once, however often they come back.
    fn tell(&mut self, state: ActorState, error: &str) {
        let name = &self.catching.ems.name;
        for kind in [ActorKind::EventCatcher, ActorKind::Stream] {
            let figures = self.catching.figures(kind);
            figures.set_failed_state(state, error);
            figures.failed.fetch_add(1, Relaxed);
        }
        if self.failures.told.as_deref() == Some(error) {
            log::debug!("{name}: {error}");
        } else {
            log::warn!("{name}: {error}");
            self.failures.told = Some(error.to_owned());
        }
    }

    fn end(&mut self, ctx: &mut Context<Self>) {
        // A successor that did not wait for this one's end has these figures already.
        if self.catching.figures(ActorKind::EventCatcher).generation() == self.generation {
            for kind in [ActorKind::EventCatcher, ActorKind::Stream, ActorKind::Parser] {
                self.catching.figures(kind).set_state(ActorState::Stopped);
            }
        }
        self.notice.report(Exit::Ended(()));
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.send(());
        }
        actix::ActorContext::stop(ctx);
    }
}

/// What the provider asked for, which jitter only lengthens, by at most a quarter; and never less than our own back-off.
fn throttled_wait(retry_after: Duration, backoff: Duration) -> Duration {
    retry_after.saturating_add(backoff.min(retry_after / 4)).max(backoff)
}

impl Actor for EventCatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(mut exits) = self.exits.take() {
            let address = ctx.address();
            actix_rt::spawn(async move {
                while let Some(exit) = exits.recv().await {
                    if address.send(ChildExited(exit)).await.is_err() {
                        break;
                    }
                }
            });
        }
        self.spawn_children(ctx);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct ChildExited(ChildExit);

impl Handler<ChildExited> for EventCatcher {
    type Result = ();

    fn handle(&mut self, ChildExited(exit): ChildExited, ctx: &mut Self::Context) {
        self.child_exited(exit, ctx);
    }
}

impl Handler<Caught> for EventCatcher {
    type Result = ResponseFuture<Result<BatchOutcome, CatchError>>;

    fn handle(&mut self, caught: Caught, _: &mut Self::Context) -> Self::Result {
        let figures = self.catching.figures(ActorKind::EventCatcher);
        figures.mailbox_wait.record(caught.sent.elapsed());
        let (parser, handler, ems_id) =
            (self.parser.clone(), self.catching.handler.clone(), self.catching.ems.id);
        let is_refreshed = self.catching.parser.refresh.enabled && self.catching.provider.has_collector();
        Box::pin(async move {
            let Caught { events, cursor, gap, permit, turn, .. } = caught;
            let count = events.len() as u64;
            let parser = parser.ok_or(CatchError::ReplyLost)?;
            let parsed = parser
                .send(ParseEvents { events, sent: Instant::now() })
                .await
                .map_err(|_| CatchError::ReplyLost)?;
            // No cursor passes what is not committed.
            if let Some(turn) = turn {
                turn.await.map_err(|_| CatchError::ReplyLost)?;
            }
            let batch = ReadyBatch {
                ems_id,
                events: parsed.events,
                dead_letters: parsed.dead_letters,
                cursor,
                gap,
                is_refreshed,
                delivered: Vec::new(),
            };
            let outcome = if batch.is_empty() {
                BatchOutcome::default() // all of it was filtered
            } else {
                let put = PutEvents { batch, sent: Instant::now() };
                handler.send(put).await.map_err(|_| CatchError::ReplyLost)??
            };
            figures.handled.fetch_add(count, Relaxed);
            drop(permit);
            Ok(outcome)
        })
    }
}

/// Stops the stream in order: any wait ends at once, a batch on its way is committed first.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopCatching;

impl Handler<StopCatching> for EventCatcher {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: StopCatching, ctx: &mut Self::Context) -> Self::Result {
        self.stopping.cancel();
        let (stopped, wait) = tokio::sync::oneshot::channel();
        self.stopped = Some(stopped);
        if self.stream_since.is_none() {
            self.end(ctx); // no stream is alive that could report
        }
        Box::pin(async move {
            let _ = wait.await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::throttled_wait;
    use std::time::Duration;

    #[test]
    fn a_throttled_stream_waits_as_asked_a_little_longer_and_never_without_end_at_once() {
        let seconds = Duration::from_secs;
        for (asked, backoff, wait) in [
            (seconds(8), seconds(1), seconds(9)),
            (seconds(8), seconds(4), seconds(10)),
            (seconds(8), seconds(30), seconds(30)),
            (Duration::ZERO, seconds(1), seconds(1)),
            (Duration::MAX, seconds(1), Duration::MAX),
        ] {
            assert_eq!(throttled_wait(asked, backoff), wait);
        }
    }
}
