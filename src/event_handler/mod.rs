//! The EventHandler: commits what all event catchers bring, and rings the refresh workers.
//!
//! Group commit without a timer: while a lane commits, batches wait; the next commit is what arrived meanwhile. An EMS
//! always uses the same lane, so its order holds, and it has one batch here at a time, so EMSs take turns by themselves. Large
//! batches are committed in [`portions`]. The reply to a batch is its acknowledgement. In here only the database can fail. Whether a commit goes to `event_streams` or,
//! between two processes, to `miq_queue`, is its [`destination`]'s matter.

pub mod bisect;
pub mod deliver;
pub mod destination;
pub mod lanes;
pub mod portions;

use crate::actor::rounds::Ring;
use crate::actor::{ChildId, Exit, ExitNotice};
use crate::clock;
use crate::event_catcher::messages::{CatchError, LoadCursor, PutEvents};
use crate::observe::{ActorFigures, ActorKind, ActorState, Observe};
use crate::provider::{Cursor, EmsId, Gap};
use crate::refresh::WorkReady;
use crate::vmdb::{self, BatchOutcome, ReadyBatch, Vmdb};
use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, ResponseFuture,
    fut::wrap_future,
};
use actix_rt::ArbiterHandle;
use bisect::Committer;
use destination::CommitBatches;
use lanes::{Lanes, Waiting};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// Where the refresh workers can be rung, by EMS. Losing a ring costs one sweep: the rows are the truth.
#[derive(Clone, Default)]
pub struct Bells(Arc<Mutex<HashMap<EmsId, Recipient<WorkReady>>>>, WorkerBells);

/// Where the workers that exist once can be rung.
type WorkerBells = Arc<Mutex<BTreeMap<ActorKind, Recipient<Ring>>>>;

impl Bells {
    /// A worker of the process is there.
    pub fn set_worker(&self, kind: ActorKind, worker: Recipient<Ring>) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, worker);
    }

    /// Rings it, if there is one.
    pub fn ring_worker(&self, kind: ActorKind) {
        if let Some(worker) = self.1.lock().unwrap_or_else(PoisonError::into_inner).get(&kind) {
            let _ = worker.try_send(Ring { sent: Instant::now() });
        }
    }

    /// A refresh worker is there.
    pub fn set(&self, ems_id: EmsId, worker: Recipient<WorkReady>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(ems_id, worker);
    }

    /// It is gone.
    pub fn remove(&self, ems_id: EmsId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&ems_id);
    }

    /// Rings it.
    pub fn ring(&self, ems_id: EmsId) {
        if let Some(worker) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&ems_id) {
            let _ = worker.try_send(WorkReady { sent: Instant::now() });
        }
    }
}

/// Names of EMSs by id, for figures. Shared with the supervisor, which keeps it.
#[derive(Clone, Default)]
pub struct EmsNames(Arc<Mutex<HashMap<EmsId, String>>>);

impl EmsNames {
    /// Learns a name.
    pub fn set(&self, ems_id: EmsId, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(ems_id, name.to_owned());
    }

    /// The name, or the id while the name is not known.
    pub fn get(&self, ems_id: EmsId) -> String {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&ems_id).cloned().unwrap_or_else(|| ems_id.to_string())
    }
}

/// What an EventHandler works with.
#[derive(Clone)]
pub struct Handling {
    /// Where it commits.
    pub vmdb: Vmdb,
    /// Whom it rings.
    pub bells: Bells,
    /// Whose batches.
    pub names: EmsNames,
    /// Figures.
    pub observe: Observe,
}

/// The actor; see the module.
pub struct EventHandler {
    handling: Handling,
    commit: CommitBatches,
    figures: Arc<ActorFigures>,
    /// The reply is with the last portion of a batch.
    lanes: Lanes<Option<oneshot::Sender<BatchOutcome>>>,
    /// What was done for batches that are committed in part.
    so_far: HashMap<EmsId, BatchOutcome>,
    notice: ExitNotice<ChildId, ()>,
}

impl EventHandler {
    /// Starts it on its own thread.
    pub fn spawn(
        arbiter: &ArbiterHandle,
        handling: Handling,
        commit: CommitBatches,
        notice: ExitNotice<ChildId, ()>,
    ) -> Addr<Self> {
        Self::start_in_arbiter(arbiter, move |_| {
            let figures = handling.observe.actor(ActorKind::EventHandler, None);
            figures.started();
            figures.set_state(ActorState::Running);
            let lanes = Lanes::new(handling.vmdb.lanes());
            Self { handling, commit, figures, lanes, so_far: HashMap::new(), notice }
        })
    }

    /// Starts a commit on every lane that is idle and has something waiting.
    fn commit_what_waits(&mut self, ctx: &mut Context<Self>) {
        for (lane, group) in self.lanes.start() {
            let (batches, replies): (Vec<_>, Vec<_>) =
                group.into_iter().map(|waiting| (waiting.batch, waiting.reply)).unzip();
            let whose: Vec<_> = batches.iter().map(|batch| (batch.ems_id, batch.gap.clone())).collect();
            let committer = Committer {
                vmdb: self.handling.vmdb.clone(),
                lane,
                commit: self.commit,
                figures: self.figures.clone(),
            };
            let observe = self.handling.observe.clone();
            let commit = async move {
                let (begun, rows) = (Instant::now(), batches.iter().map(ReadyBatch::rows).sum());
                let outcomes = committer.commit(batches).await;
                let took = begun.elapsed();
                observe.commit().record(took, rows as u64);
                (outcomes, rows, took)
            };
            ctx.spawn(wrap_future::<_, Self>(commit).map(move |(outcomes, rows, took), handler, ctx| {
                handler.lanes.finished(lane, rows, took);
                for (((ems_id, gap), reply), outcome) in whose.into_iter().zip(replies).zip(outcomes) {
                    handler.tell_of(ems_id, gap.filter(|_| outcome.gaps > 0));
                    handler.committed(ems_id, reply, outcome);
                }
                handler.commit_what_waits(ctx);
            }));
        }
    }

    /// Once for each gap, however often it was met before its commit.
    fn tell_of(&self, ems_id: EmsId, gap: Option<Gap>) {
        if let Some(gap) = gap {
            log::warn!(
                "{}: events are missing {gap}; a full refresh heals the inventory, the events in between are lost at the \
                 provider",
                self.handling.names.get(ems_id)
            );
        }
    }

    fn committed(
        &mut self,
        ems_id: EmsId,
        reply: Option<oneshot::Sender<BatchOutcome>>,
        outcome: BatchOutcome,
    ) {
        let name = self.handling.names.get(ems_id);
        let BatchOutcome { new_events, folded_events, duplicates, dead_letters, .. } = outcome;
        log::debug!(
            "{name}: {new_events} new events, {folded_events} folded, {duplicates} known, {dead_letters} dead letters"
        );
        let ems = self.handling.observe.ems(&name);
        ems.events.fetch_add(outcome.new_events, Relaxed);
        ems.folded_events.fetch_add(outcome.folded_events, Relaxed);
        ems.duplicates.fetch_add(outcome.duplicates, Relaxed);
        ems.dead_letters.fetch_add(outcome.dead_letters, Relaxed);
        ems.gaps.fetch_add(outcome.gaps, Relaxed);
        ems.committed(&outcome.timestamps, clock::now());
        if outcome.work {
            self.handling.bells.ring(ems_id);
        }
        if outcome.automate {
            self.handling.bells.ring_worker(ActorKind::AutomateWorker);
        }
        self.figures.handled.fetch_add(new_events + folded_events + duplicates, Relaxed);
        let mut so_far = self.so_far.remove(&ems_id).unwrap_or_default();
        so_far.add(outcome);
        let Some(reply) = reply else {
            self.so_far.insert(ems_id, so_far);
            return;
        };
        self.figures.in_flight.fetch_sub(1, Relaxed);
        // A catcher that is gone reads again from the cursor that was just committed.
        let _ = reply.send(so_far);
    }

    fn enter(
        &mut self,
        batch: ReadyBatch,
        sent: Instant,
        ctx: &mut Context<Self>,
    ) -> oneshot::Receiver<BatchOutcome> {
        self.figures.mailbox_wait.record(sent.elapsed());
        self.figures.in_flight.fetch_add(1, Relaxed);
        let (reply, outcome) = oneshot::channel();
        let (first, last) = portions::portions(batch, portions::ROWS);
        first.into_iter().for_each(|batch| self.lanes.push(Waiting { batch, reply: None }));
        self.lanes.push(Waiting { batch: last, reply: Some(reply) });
        self.commit_what_waits(ctx);
        outcome
    }
}

impl Actor for EventHandler {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        if !std::thread::panicking() {
            self.notice.report(Exit::Ended(()));
        }
    }
}

impl Handler<PutEvents> for EventHandler {
    type Result = ResponseFuture<Result<BatchOutcome, CatchError>>;

    fn handle(&mut self, put: PutEvents, ctx: &mut Self::Context) -> Self::Result {
        let outcome = self.enter(put.batch, put.sent, ctx);
        Box::pin(async move { outcome.await.map_err(|_| CatchError::ReplyLost) })
    }
}

impl Handler<LoadCursor> for EventHandler {
    type Result = ResponseFuture<Result<Option<Cursor>, CatchError>>;

    fn handle(&mut self, LoadCursor(ems_id): LoadCursor, _: &mut Self::Context) -> Self::Result {
        Box::pin(load_cursor(self.handling.vmdb.clone(), ems_id))
    }
}

/// Asks whether the thread still turns; the answer is that there is one, also while the VMDB is away.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AreYouAlive;

impl Handler<AreYouAlive> for EventHandler {
    type Result = ();

    fn handle(&mut self, _: AreYouAlive, _: &mut Self::Context) {}
}

/// The stored cursor of an EMS. A batch of a predecessor that is still waiting may move it later; then what is read
/// twice is stored once.
async fn load_cursor(vmdb: Vmdb, ems_id: EmsId) -> Result<Option<Cursor>, CatchError> {
    let lane = lanes::lane_of(ems_id, vmdb.lanes());
    vmdb.commit(lane, move |connection| vmdb::cursors::load(connection, ems_id))
        .await
        .map_err(|error| CatchError::Vmdb(error.to_string()))
}
