//! The refreshing half of the street, for one EMS: claim what waits → collect just that from the provider → save → done.
//!
//! The rows of `miq_queue` are the truth, [`WorkReady`] is the bell, a slow sweep the net. `attempt` is one refresh;
//! here is when the next one follows: at once, after a back-off, or when there is a place for a full one. A full refresh that
//! must wait, for a place or after a failure, keeps no targets waiting.

mod attempt;
mod drift;
mod failure;
mod isolate;
pub mod limits;
pub mod plan;
pub mod save;
pub mod superseded;
pub mod turns;

use crate::actor::{ChildId, Exit, ExitNotice};
use crate::backoff::Backoff;
use crate::clock;
use crate::observe::{ActorFigures, ActorKind, ActorState, Observe};
use crate::provider::{Ems, Provider};
use crate::settings::RefreshSettings;
use crate::vmdb::{Vmdb, VmdbError, refresh_outcome, refresh_work};
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, fut::wrap_future};
use actix_rt::ArbiterHandle;
use attempt::{Attempt, Kind, Means};
use failure::{Blame, Failure};
use futures_util::FutureExt;
use limits::{Place, RefreshLimits};
use rand::RngExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use turns::Turns;

/// The net under the bells. Whoever keeps many workers looks once for all of them and rings those whose work waits, as the
/// supervisor does, so this is rare: with 1,000 EMSs it would else be most of what an idle process does.
const SWEEP: Duration = Duration::from_secs(5 * 60);
/// When it is tried again to find out whether a full refresh is due.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// So often a targeted refresh fails as a whole before its targets are tried apart.
const FAILURES_TOGETHER: u32 = 3;

/// A nudge: look whether work waits. Losing it costs one sweep.
#[derive(Message)]
#[rtype(result = "()")]
pub struct WorkReady {
    /// When it was sent.
    pub sent: Instant,
}

/// What a refresh worker is made from.
#[derive(Clone)]
pub struct Refreshing {
    /// The EMS.
    pub ems: Ems,
    /// What kind of EMS it is.
    pub provider: &'static dyn Provider,
    /// `ems_refresh`.
    pub settings: RefreshSettings,
    /// Where work waits and inventory is saved.
    pub vmdb: Vmdb,
    /// Places to refresh in.
    pub limits: RefreshLimits,
    /// One refresh of an EMS at a time.
    pub turns: Turns,
    /// Who this process is, for claims.
    pub owner: i64,
    /// Figures.
    pub observe: Observe,
}

/// The actor; see the module.
pub struct RefreshWorker {
    refreshing: Refreshing,
    figures: Arc<ActorFigures>,
    busy: bool,
    rung: bool,
    backoff: Backoff,
    /// How often targets failed together, one time after the other.
    failures: u32,
    full_backoff: Backoff,
    /// When a full refresh that failed is tried again.
    full_not_before: Option<Instant>,
    /// When a full refresh that nobody asked for ended last, and how long it took.
    escalated: Option<(Instant, Duration)>,
    attempt_began: Instant,
    waits_for_place: bool,
    waits_for_turn: bool,
    place: Option<Place>,
    notice: ExitNotice<ChildId, ()>,
}

impl RefreshWorker {
    /// Starts it on the refresh workers' thread.
    pub fn spawn(
        arbiter: &ArbiterHandle,
        refreshing: Refreshing,
        notice: ExitNotice<ChildId, ()>,
    ) -> Addr<Self> {
        Self::start_in_arbiter(arbiter, move |_| {
            let figures = refreshing.observe.actor(ActorKind::RefreshWorker, Some(&refreshing.ems.name));
            figures.started();
            figures.set_state(ActorState::Running);
            Self {
                refreshing,
                figures,
                busy: false,
                rung: false,
                backoff: Backoff::of_children(),
                failures: 0,
                full_backoff: Backoff::of_children(),
                full_not_before: None,
                escalated: None,
                attempt_began: Instant::now(),
                waits_for_place: false,
                waits_for_turn: false,
                place: None,
                notice,
            }
        })
    }

    fn look_for_work(&mut self, ctx: &mut Context<Self>) {
        if self.busy {
            self.rung = true;
            return;
        }
        self.busy = true;
        self.rung = false;
        self.figures.in_flight.store(1, Relaxed);
        self.attempt_began = Instant::now();
        let means = Means {
            place: self.place.take(),
            may_refresh_in_full: self.may_refresh_in_full(),
            may_escalate: self.until_escalation().is_zero(),
            apart: self.failures >= FAILURES_TOGETHER,
        };
        let refreshing = self.refreshing.clone();
        let attempt = async move { attempt::attempt(&refreshing, means).await };
        let attempt = AssertUnwindSafe(attempt).catch_unwind();
        ctx.spawn(wrap_future::<_, Self>(attempt).map(|done, worker, ctx| {
            let done = done
                .unwrap_or_else(|_| Err(Failure::new("the refresh panicked; see the log for where", None)));
            worker.finished(done, ctx);
        }));
    }

    fn until_escalation(&self) -> Duration {
        plan::until_escalation(self.escalated.map(|(end, took)| (end.elapsed(), took)))
    }

    fn may_refresh_in_full(&self) -> bool {
        self.full_not_before.is_none_or(|time| time <= Instant::now())
    }

    fn finished(&mut self, done: Result<Attempt, Failure>, ctx: &mut Context<Self>) {
        self.busy = false;
        self.figures.in_flight.store(0, Relaxed);
        let look_again = match done {
            Ok(Attempt::Nothing) => {
                self.figures.set_state(ActorState::Running);
                self.rung
            }
            Ok(Attempt::FullWaits) => {
                if self.may_refresh_in_full() {
                    self.wait_for_place(ctx);
                }
                self.rung
            }
            Ok(Attempt::FullWaitsItsTurn) => {
                self.wait_for_turn(ctx);
                self.rung
            }
            Ok(Attempt::Done(kind)) => {
                self.done(kind);
                true
            }
            Ok(Attempt::Failed(Kind::Full(_), failure)) if failure.blame == Blame::Targets => {
                self.full_failed(failure, ctx);
                true
            }
            Ok(Attempt::Failed(_, failure)) | Err(failure) => {
                self.failed(failure, ctx);
                false
            }
        };
        if look_again {
            self.look_for_work(ctx);
        }
    }

    fn done(&mut self, kind: Kind) {
        self.backoff.reset();
        self.failures = 0;
        if let Kind::Full(why) = kind {
            self.full_backoff.reset();
            self.full_not_before = None;
            if why.is_escalation() {
                self.escalated = Some((Instant::now(), self.attempt_began.elapsed()));
            }
        }
        self.figures.set_state(ActorState::Running);
        self.figures.handled.fetch_add(1, Relaxed);
    }

    /// Targets are looked at meanwhile.
    fn full_failed(&mut self, failure: Failure, ctx: &mut Context<Self>) {
        let wait = self.full_backoff.next_wait();
        self.full_not_before = Some(Instant::now() + wait);
        self.tell(failure.message);
        ctx.run_later(wait, |worker, ctx| worker.look_for_work(ctx));
    }

    /// Until the wait is over a bell only leaves its mark.
    fn failed(&mut self, failure: Failure, ctx: &mut Context<Self>) {
        self.failures += u32::from(failure.blame == Blame::Targets);
        let wait = self.backoff.next_wait().max(failure.retry_after.unwrap_or_default());
        self.tell(failure.message);
        self.busy = true;
        ctx.run_later(wait, |worker, ctx| {
            worker.busy = false;
            worker.look_for_work(ctx);
        });
    }

    fn tell(&self, message: String) {
        let name = &self.refreshing.ems.name;
        if self.figures.error().as_deref() == Some(&message) {
            log::debug!("{name}: refresh: {message}");
        } else {
            log::warn!("{name}: refresh failed and is tried again: {message}");
        }
        self.figures.failed.fetch_add(1, Relaxed);
        self.figures.set_failed_state(ActorState::BackingOff, message);
    }

    fn wait_for_turn(&mut self, ctx: &mut Context<Self>) {
        if self.waits_for_turn {
            return;
        }
        self.waits_for_turn = true;
        ctx.run_later(self.until_escalation(), |worker, ctx| {
            worker.waits_for_turn = false;
            worker.look_for_work(ctx);
        });
    }

    fn wait_for_place(&mut self, ctx: &mut Context<Self>) {
        if self.waits_for_place {
            return;
        }
        self.waits_for_place = true;
        let limits = self.refreshing.limits.clone();
        let place = wrap_future::<_, Self>(async move { limits.full().await });
        ctx.spawn(place.map(|place, worker, ctx| {
            worker.waits_for_place = false;
            worker.place = Some(place);
            worker.look_for_work(ctx);
        }));
    }

    /// Queues the full refresh when it is due, looks for work, and comes back when the next full one is due.
    fn look_for_full_refresh(&self, ctx: &mut Context<Self>) {
        let next = wrap_future::<_, Self>(queue_full_refresh_when_due(self.refreshing.clone()));
        ctx.spawn(next.map(|next, worker, ctx| {
            let wait = next.unwrap_or_else(|error| {
                log::debug!("{}: looking for the last full refresh: {error}", worker.refreshing.ems.name);
                Some(LOOK_AGAIN)
            });
            worker.look_for_work(ctx);
            if let Some(wait) = wait {
                ctx.run_later(wait, |worker, ctx| worker.look_for_full_refresh(ctx));
            }
        }));
    }
}

impl Actor for RefreshWorker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look_for_full_refresh(ctx);
        // Spread, so that workers that began together do not look together.
        let sweep = SWEEP.mul_f64(rand::rng().random_range(0.8..=1.0));
        ctx.run_interval(sweep, |worker, ctx| worker.look_for_work(ctx));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        // A refresh under way ends here.
        self.figures.in_flight.store(0, Relaxed);
        self.figures.set_state(ActorState::Stopped);
        if !std::thread::panicking() {
            self.notice.report(Exit::Ended(()));
        }
    }
}

impl Handler<WorkReady> for RefreshWorker {
    type Result = ();

    fn handle(&mut self, ready: WorkReady, ctx: &mut Self::Context) {
        self.figures.mailbox_wait.record(ready.sent.elapsed());
        self.look_for_work(ctx);
    }
}

/// Ends a refresh worker. A refresh under way is dropped; what it claimed is claimed again by the next one.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopRefreshing;

impl Handler<StopRefreshing> for RefreshWorker {
    type Result = ();

    fn handle(&mut self, _: StopRefreshing, ctx: &mut Self::Context) {
        actix::ActorContext::stop(ctx);
    }
}

/// How long until the next full refresh is due; one that is due now is queued. The interval is spread by a tenth, so that
/// EMSs do not come all at once.
async fn queue_full_refresh_when_due(refreshing: Refreshing) -> Result<Option<Duration>, VmdbError> {
    let Refreshing { ems, vmdb, settings, .. } = refreshing;
    let interval = settings.refresh_interval.mul_f64(rand::rng().random_range(0.9..=1.0));
    let last = vmdb.read(move |connection| refresh_outcome::last_full_refresh(connection, ems.id)).await?;
    match plan::full_refresh_due(last, clock::now(), interval) {
        Some(Duration::ZERO) => {
            vmdb.write(move |connection| refresh_work::queue_full_refresh(connection, ems.id)).await?;
            Ok(Some(interval).filter(|interval| !interval.is_zero()))
        }
        due => Ok(due),
    }
}
