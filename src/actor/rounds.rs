//! Actors that work in rounds: each round takes what waits in the VMDB and works on it. A bell or a sweep starts the next one.
//! Losing a ring costs one sweep: the rows are the truth.

use super::{ChildId, Exit, ExitNotice};
use crate::backoff::Backoff;
use crate::observe::{ActorFigures, ActorState};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, fut::wrap_future,
};
use actix_rt::ArbiterHandle;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// What is done in a round.
pub trait Rounds: Send + Unpin + 'static {
    /// One round; says how many rows it was done with, and when to look again at the latest.
    ///
    /// # Errors
    /// In words; the next round comes after a back-off.
    fn round(&mut self) -> impl Future<Output = Result<Round, String>> + Send;
}

/// How a round went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Rows done; above zero, the next round follows at once.
    pub done: usize,
    /// When nothing rings: how long until the next round.
    pub look_again: Duration,
}

/// A nudge: look whether work waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Ring {
    /// When it was sent.
    pub sent: Instant,
}

/// Ends the actor. What a round had claimed is claimed again by the next one.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopRounds;

/// The actor; see the module.
pub struct RoundsActor<R: Rounds> {
    /// Away while a round is under way.
    rounds: Option<R>,
    rung: bool,
    panicked: bool,
    next: Option<actix::SpawnHandle>,
    backoff: Backoff,
    figures: Arc<ActorFigures>,
    notice: ExitNotice<ChildId, ()>,
}

impl<R: Rounds> RoundsActor<R> {
    /// Starts it on this arbiter.
    pub fn spawn(
        arbiter: &ArbiterHandle,
        rounds: R,
        figures: Arc<ActorFigures>,
        notice: ExitNotice<ChildId, ()>,
    ) -> Addr<Self> {
        Self::start_in_arbiter(arbiter, move |_| {
            figures.started();
            figures.set_state(ActorState::Running);
            Self {
                rounds: Some(rounds),
                rung: false,
                panicked: false,
                next: None,
                backoff: Backoff::of_children(),
                figures,
                notice,
            }
        })
    }

    fn start_round(&mut self, ctx: &mut Context<Self>) {
        let Some(mut rounds) = self.rounds.take() else {
            self.rung = true;
            return;
        };
        self.rung = false;
        if let Some(next) = self.next.take() {
            ctx.cancel_future(next);
        }
        self.figures.in_flight.store(1, Relaxed);
        let round = async move {
            let done = AssertUnwindSafe(rounds.round()).catch_unwind().await;
            (rounds, done)
        };
        ctx.spawn(wrap_future::<_, Self>(round).map(|(rounds, done), actor, ctx| {
            actor.figures.in_flight.store(0, Relaxed);
            match done {
                Ok(done) => {
                    actor.rounds = Some(rounds);
                    actor.finished(done, ctx);
                }
                Err(_) => {
                    // What panicked may be half changed: a fresh one takes its place.
                    actor.panicked = true;
                    ctx.stop();
                }
            }
        }));
    }

    fn finished(&mut self, done: Result<Round, String>, ctx: &mut Context<Self>) {
        let wait = match done {
            Ok(round) => {
                self.backoff.reset();
                self.figures.set_state(ActorState::Running);
                self.figures.handled.fetch_add(round.done as u64, Relaxed);
                if round.done > 0 || self.rung { Duration::ZERO } else { round.look_again }
            }
            Err(error) => {
                if self.figures.error().as_deref() != Some(&error) {
                    log::warn!(
                        "{}: {error}; trying again",
                        std::any::type_name::<R>().rsplit("::").next().unwrap_or_default()
                    );
                }
                self.figures.failed.fetch_add(1, Relaxed);
                self.figures.set_failed_state(ActorState::BackingOff, error);
                self.backoff.next_wait()
            }
        };
        self.next = Some(ctx.run_later(wait, |actor, ctx| {
            actor.next = None;
            actor.start_round(ctx);
        }));
    }
}

impl<R: Rounds> Actor for RoundsActor<R> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.start_round(ctx);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.figures.in_flight.store(0, Relaxed);
        if !self.panicked && !std::thread::panicking() {
            self.figures.set_state(ActorState::Stopped);
            self.notice.report(Exit::Ended(()));
        }
    }
}

impl<R: Rounds> Handler<Ring> for RoundsActor<R> {
    type Result = ();

    /// While it backs off, a ring waits: whatever failed would fail again.
    fn handle(&mut self, ring: Ring, ctx: &mut Self::Context) {
        self.figures.mailbox_wait.record(ring.sent.elapsed());
        if self.figures.state() == ActorState::Running {
            self.start_round(ctx);
        }
    }
}

impl<R: Rounds> Handler<StopRounds> for RoundsActor<R> {
    type Result = ();

    fn handle(&mut self, _: StopRounds, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Children;
    use crate::observe::ActorKind;
    use actix_rt::Arbiter;
    use std::sync::atomic::AtomicUsize;

    /// What its rounds come to, by their number.
    struct Scripted(Arc<AtomicUsize>);

    impl Rounds for Scripted {
        async fn round(&mut self) -> Result<Round, String> {
            let look_again = Duration::from_secs(3_600);
            match self.0.fetch_add(1, Relaxed) {
                0 => Ok(Round { done: 2, look_again }),
                1 => Ok(Round { done: 0, look_again }),
                2 => Err("the VMDB is away".to_owned()),
                3 => Ok(Round { done: 0, look_again }),
                _ => panic!("the fifth round"),
            }
        }
    }

    async fn until(what: &str, so: impl Fn() -> bool) {
        for _ in 0..1_000 {
            if so() {
                return;
            }
            actix_rt::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not within 10 s: {what}");
    }

    #[actix_rt::test]
    async fn rounds_follow_work_bells_and_failures_and_a_panic_is_told() {
        let (rounds, figures) = (Arc::new(AtomicUsize::new(0)), Arc::new(ActorFigures::default()));
        let (children, mut down) = Children::new();
        let notice = children.notice(ChildId::of(ActorKind::AutomateWorker, "", 1));
        let address =
            RoundsActor::spawn(&Arbiter::current(), Scripted(rounds.clone()), figures.clone(), notice);
        until("work is followed by a look for more at once", || rounds.load(Relaxed) == 2).await;
        address.send(Ring { sent: Instant::now() }).await.unwrap();
        until("a failure is followed by a round after a back-off", || rounds.load(Relaxed) == 4).await;
        until("then all is well", || figures.state() == ActorState::Running).await;
        assert_eq!((figures.handled.load(Relaxed), figures.failed.load(Relaxed)), (2, 1));
        address.send(Ring { sent: Instant::now() }).await.unwrap();
        let (child, exit) = down.recv().await.unwrap();
        assert_eq!(child.kind, ActorKind::AutomateWorker);
        assert!(matches!(exit, Exit::Panicked));
    }
}
