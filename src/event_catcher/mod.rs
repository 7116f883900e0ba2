//! The catching half of the street, for one EMS: provider → StreamActor → EventCatcher → ParserActor → EventHandler.
//!
//! The EventCatcher owns the other two. One that fails or panics is replaced by a fresh one with jittered back-off and a
//! higher generation. It decides nothing about events; `stream`, `parser` and `prepare` do.

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
use messages::{CatchError, Caught, LoadCursor, ParseEvents, PutEvents};
use parser::{ParserActor, ParserSettings};
use std::sync::Arc;
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
            Self {
                catching,
                children,
                exits: Some(exits),
                parser: None,
                generation: 0,
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
        figures.started(figures.generation() + 1);
        figures.set_state(ActorState::Running);
        let notice = self.children.notice(Child::Parser);
        let (provider, settings) = (self.catching.provider, self.catching.parser.clone());
        let ems = self.catching.ems_figures();
        self.parser = Some(ParserActor::spawn(&self.catching.arbiters.parsers, move || ParserActor {
            provider,
            settings,
            figures,
            ems,
            notice,
        }));
    }

    fn spawn_stream(&mut self, ctx: &mut Context<Self>) {
        self.generation += 1;
        let figures = self.catching.figures(ActorKind::Stream);
        figures.started(self.generation);
        figures.set_state(ActorState::Starting);
        let own = self.catching.figures(ActorKind::EventCatcher);
        if own.state() == ActorState::Stopped {
            own.set_state(ActorState::Starting);
        }
        let run = StreamRun {
            ems: self.catching.ems.clone(),
            provider: self.catching.provider,
            catcher: ctx.address().recipient(),
            cursors: self.catching.cursors.clone(),
            figures,
            catcher_figures: own,
            ems_figures: self.catching.ems_figures(),
            stop: self.stopping.child_token(),
        };
        StreamActor::spawn(run, self.children.notice(Child::Stream));
    }

    fn child_exited(&mut self, (child, exit): ChildExit, ctx: &mut Context<Self>) {
        if self.stopping.is_cancelled() {
            if child == Child::Stream {
                self.end(ctx);
            }
            return;
        }
        let wait = match (child, exit) {
            (Child::Parser, _) => {
                log::error!("{}: the parser panicked; it is replaced", self.catching.ems.name);
                self.spawn_parser();
                return;
            }
            (Child::Stream, Exit::Ended(StreamExit::Stopped)) => Duration::ZERO,
            (Child::Stream, Exit::Panicked) => {
                self.failed(ActorState::BackingOff, "the stream panicked; see the log for where", false)
            }
            (Child::Stream, Exit::Ended(StreamExit::Failed { error, was_running })) => {
                self.decide(&error, was_running)
            }
        };
        ctx.run_later(wait, |catcher, ctx| {
            if !catcher.stopping.is_cancelled() {
                catcher.spawn_stream(ctx);
            }
        });
    }

    /// The variant of the error is the decision.
    fn decide(&mut self, error: &StreamError, was_running: bool) -> Duration {
        let text = error.to_string();
        match error {
            StreamError::Unreachable(_) => self.failed(ActorState::BackingOff, &text, was_running),
            StreamError::Throttled { retry_after, .. } => {
                // Jitter only lengthens what the provider asked for.
                *retry_after + self.failed(ActorState::Throttled, &text, true).min(*retry_after / 4)
            }
            StreamError::Unauthorized(_) | StreamError::Refused(_) => {
                self.tell(ActorState::Refused, &text);
                self.failures.credentials.next_wait()
            }
        }
    }

    fn failed(&mut self, state: ActorState, error: &str, was_running: bool) -> Duration {
        if was_running {
            self.failures.provider.reset();
            self.failures.credentials.reset();
        }
        self.tell(state, error);
        self.failures.provider.next_wait()
    }

    /// The same words are logged once, however often they come back.
    fn tell(&mut self, state: ActorState, error: &str) {
        let name = &self.catching.ems.name;
        for kind in [ActorKind::EventCatcher, ActorKind::Stream] {
            let figures = self.catching.figures(kind);
            figures.set_failed_state(state, error);
            figures.failed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        if self.failures.told.as_deref() == Some(error) {
            log::debug!("{name}: {error}");
        } else {
            log::warn!("{name}: {error}");
            self.failures.told = Some(error.to_owned());
        }
    }

    fn end(&mut self, ctx: &mut Context<Self>) {
        for kind in [ActorKind::EventCatcher, ActorKind::Stream, ActorKind::Parser] {
            self.catching.figures(kind).set_state(ActorState::Stopped);
        }
        self.notice.report(Exit::Ended(()));
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.send(());
        }
        actix::ActorContext::stop(ctx);
    }
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
        self.catching.figures(ActorKind::EventCatcher).mailbox_wait.record(caught.sent.elapsed());
        let (parser, handler, ems_id) =
            (self.parser.clone(), self.catching.handler.clone(), self.catching.ems.id);
        Box::pin(async move {
            let Caught { events, cursor, gap, permit, .. } = caught;
            let parser = parser.ok_or(CatchError::ReplyLost)?;
            let parsed = parser
                .send(ParseEvents { events, sent: Instant::now() })
                .await
                .map_err(|_| CatchError::ReplyLost)?;
            let batch = ReadyBatch {
                ems_id,
                events: parsed.events,
                dead_letters: parsed.dead_letters,
                cursor,
                gap,
                delivered: Vec::new(),
            };
            if batch.is_empty() {
                return Ok(BatchOutcome::default());
            }
            let outcome = handler
                .send(PutEvents { batch, sent: Instant::now() })
                .await
                .map_err(|_| CatchError::ReplyLost)?;
            drop(permit);
            outcome
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
        let waits_to_respawn = self.catching.figures(ActorKind::Stream).state();
        self.stopping.cancel();
        let (stopped, wait) = tokio::sync::oneshot::channel();
        self.stopped = Some(stopped);
        if matches!(waits_to_respawn, ActorState::BackingOff | ActorState::Throttled | ActorState::Refused) {
            self.end(ctx); // no stream is alive that could report
        }
        Box::pin(async move {
            let _ = wait.await;
        })
    }
}
