//! The refreshing half of the street, for one EMS: claim what waits → collect just that from the provider → save → done.
//!
//! The rows of `miq_queue` are the truth, [`WorkReady`] is the bell, a slow sweep the net. The claim is released last, so
//! that a process that dies in between leaves its work to the next.

pub mod plan;
pub mod save;

use crate::actor::{ChildId, Exit, ExitNotice};
use crate::backoff::Backoff;
use crate::clock;
use crate::observe::{ActorFigures, ActorKind, ActorState, EmsFigures, Observe};
use crate::provider::{Collector, Ems, Provider, RefreshError, RefreshScope};
use crate::settings::RefreshSettings;
use crate::vmdb::drift;
use crate::vmdb::inventory_save::CountsByAssociation;
use crate::vmdb::refresh_work::{self, RefreshOutcome, RefreshWork};
use crate::vmdb::{self, Vmdb, VmdbError, miq_queue};
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, fut::wrap_future};
use actix_rt::ArbiterHandle;
use futures_util::FutureExt;
use rand::RngExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Rows of `miq_queue` claimed at once.
const MOST_WORK: i64 = 1_000;
/// The net under a bell that was lost.
const SWEEP: Duration = Duration::from_secs(15);
/// A collector that takes longer is started anew.
const COLLECT_DEADLINE: Duration = Duration::from_secs(30 * 60);

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
    /// Who this process is, for claims.
    pub owner: i64,
    /// Figures.
    pub observe: Observe,
}

/// The actor; see the module.
pub struct RefreshWorker {
    refreshing: Refreshing,
    figures: Arc<ActorFigures>,
    ems_figures: Arc<EmsFigures>,
    busy: bool,
    rung: bool,
    backoff: Backoff,
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
            let ems_figures = refreshing.observe.ems(&refreshing.ems.name);
            Self {
                refreshing,
                figures,
                ems_figures,
                busy: false,
                rung: false,
                backoff: Backoff::of_children(),
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
        let refresh = AssertUnwindSafe(refresh_what_waits(self.refreshing.clone())).catch_unwind();
        ctx.spawn(wrap_future::<_, Self>(refresh).map(|done, worker, ctx| {
            let done = done
                .unwrap_or_else(|_| Err(Failure::new("the refresh panicked; see the log for where", None)));
            worker.finished(done, ctx);
        }));
    }

    fn finished(&mut self, done: Result<usize, Failure>, ctx: &mut Context<Self>) {
        self.busy = false;
        self.figures.in_flight.store(0, Relaxed);
        match done {
            Ok(0) => {
                self.figures.set_state(ActorState::Running);
                if self.rung {
                    self.look_for_work(ctx);
                }
            }
            Ok(_) => {
                self.backoff.reset();
                self.figures.set_state(ActorState::Running);
                self.figures.handled.fetch_add(1, Relaxed);
                self.ems_figures.refreshes.fetch_add(1, Relaxed);
                self.look_for_work(ctx);
            }
            Err(failure) => {
                let name = &self.refreshing.ems.name;
                if self.figures.error().as_deref() == Some(&failure.message) {
                    log::debug!("{name}: refresh: {}", failure.message);
                } else {
                    log::warn!("{name}: refresh failed and is tried again: {}", failure.message);
                }
                self.figures.failed.fetch_add(1, Relaxed);
                self.figures.set_failed_state(ActorState::BackingOff, failure.message);
                let wait = self.backoff.next_wait().max(failure.retry_after.unwrap_or_default());
                self.busy = true; // until then a bell only leaves its mark
                ctx.run_later(wait, |worker, ctx| {
                    worker.busy = false;
                    worker.look_for_work(ctx);
                });
            }
        }
    }

    /// Queues the full refresh when it is due, looks for work, and comes back when the next full one is due.
    fn look_for_full_refresh(&self, ctx: &mut Context<Self>) {
        let next = wrap_future::<_, Self>(queue_full_refresh_when_due(self.refreshing.clone()));
        ctx.spawn(next.map(|next, worker, ctx| {
            let wait = next.unwrap_or_else(|error| {
                log::debug!("{}: looking for the last full refresh: {error}", worker.refreshing.ems.name);
                Some(SWEEP)
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
        ctx.run_interval(SWEEP, |worker, ctx| worker.look_for_work(ctx));
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

/// Why a refresh failed; all of them are tried again.
#[derive(Debug)]
struct Failure {
    message: String,
    retry_after: Option<Duration>,
}

impl Failure {
    fn new(message: impl ToString, retry_after: Option<Duration>) -> Self {
        Self { message: message.to_string(), retry_after }
    }
}

impl From<VmdbError> for Failure {
    fn from(error: VmdbError) -> Self {
        Self::new(error, None)
    }
}

impl From<RefreshError> for Failure {
    fn from(error: RefreshError) -> Self {
        let retry_after = match &error {
            RefreshError::Throttled { retry_after, .. } => Some(*retry_after),
            RefreshError::Unauthorized(_) => Some(Duration::from_secs(2)),
            RefreshError::Unreachable(_) | RefreshError::Malformed(_) => None,
        };
        Self::new(error, retry_after)
    }
}

/// How long until the next full refresh is due; one that is due now is queued. The interval is spread by a tenth, so that
/// EMSs do not come all at once.
async fn queue_full_refresh_when_due(refreshing: Refreshing) -> Result<Option<Duration>, VmdbError> {
    let Refreshing { ems, vmdb, settings, .. } = refreshing;
    let interval = settings.refresh_interval.mul_f64(rand::rng().random_range(0.9..=1.0));
    let last = vmdb.read(move |connection| refresh_work::last_full_refresh(connection, ems.id)).await?;
    match plan::full_refresh_due(last, clock::now(), interval) {
        Some(Duration::ZERO) => {
            vmdb.write(move |connection| refresh_work::queue_full_refresh(connection, ems.id)).await?;
            Ok(Some(interval).filter(|interval| !interval.is_zero()))
        }
        due => Ok(due),
    }
}

/// One refresh of what waits; says how many rows of `miq_queue` it answered.
async fn refresh_what_waits(refreshing: Refreshing) -> Result<usize, Failure> {
    let (ems_id, owner) = (refreshing.ems.id, refreshing.owner);
    let work = refreshing
        .vmdb
        .write(move |connection| refresh_work::claim_refresh(connection, ems_id, owner, MOST_WORK))
        .await?;
    if work.is_empty() {
        return Ok(0);
    }
    let (count, rows) = (work.len(), work.iter().map(|work| work.id).collect::<Vec<_>>());
    let result = refresh(&refreshing, work).await;
    if let Err(failure) = &result {
        let message = failure.message.clone();
        let released = refreshing.vmdb.write(move |connection| {
            vmdb::ems::refreshed(connection, ems_id, Err(&message))?;
            miq_queue::release(connection, rows)
        });
        released.await?;
    }
    result.map(|()| count)
}

async fn refresh(refreshing: &Refreshing, work: Vec<RefreshWork>) -> Result<(), Failure> {
    let Refreshing { ems, provider, vmdb, settings, .. } = refreshing;
    let ems_id = ems.id;
    let started = (clock::now(), Instant::now());
    let full = vmdb.read(move |connection| refresh_work::last_full_refresh(connection, ems_id)).await?;
    let scope = plan::scope(&work, full.is_some(), settings);
    let mut collector = collector(ems, *provider)?;
    let collected = tokio::time::timeout(COLLECT_DEADLINE, collector.collect(&scope)).await;
    let inventory =
        collected.map_err(|_| Failure::new("the provider took too long to tell its inventory", None))??;
    let saved = save::save(vmdb, ems_id, &mut *collector, inventory).await?;
    let (kind, targets) = match &scope {
        RefreshScope::Full => ("full", 0),
        RefreshScope::Targeted(targets) => ("targeted", targets.distinct()),
    };
    let outcome =
        RefreshOutcome { full: matches!(scope, RefreshScope::Full), started_on: started.0, error: None };
    if full.is_some() && outcome.full {
        count_drift(refreshing, work.clone(), saved.by_association.clone()).await;
    }
    vmdb.write(move |connection| {
        vmdb::ems::refreshed(connection, ems_id, Ok(()))?;
        refresh_work::complete_refresh(connection, &work, &outcome)
    })
    .await?;
    let written = saved.total().written();
    // A full refresh is news; targeted ones come with every event.
    let level = if targets == 0 { log::Level::Info } else { log::Level::Debug };
    log::log!(
        level,
        "{}: {kind} refresh, {targets} targets, {written} rows written, {:.0?}",
        ems.name,
        started.1.elapsed()
    );
    Ok(())
}

/// Counts what a full refresh after the first had to correct. That it cannot be counted fails no refresh.
async fn count_drift(refreshing: &Refreshing, work: Vec<RefreshWork>, written: CountsByAssociation) {
    let Refreshing { ems, vmdb, observe, .. } = refreshing;
    let ems_id = ems.id;
    match vmdb.read(move |connection| drift::corrected(connection, ems_id, &work, &written)).await {
        Ok(corrected) => {
            for (association, rows) in corrected {
                log::info!("{}: {rows} rows of {association} were not as events had told", ems.name);
                observe.ems(&ems.name).drifted(association, rows);
            }
        }
        Err(error) => log::debug!("{}: counting what was corrected: {error}", ems.name),
    }
}

fn collector(ems: &Ems, provider: &'static dyn Provider) -> Result<Box<dyn Collector>, Failure> {
    provider
        .collector(ems)
        .map_err(|error| Failure::new(error, None))?
        .ok_or_else(|| Failure::new(format!("provider {} has no collector", provider.ems_type()), None))
}
