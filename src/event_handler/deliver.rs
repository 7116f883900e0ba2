//! The handling half, when the two halves are two processes (`simulate-queue-worker`): takes what waits in `miq_queue`
//! (queue `ems`) and sends it through the same EventHandler as `run` does. The rows go in the commit that stores them.
//!
//! `run` delivers too, only that it looks less often: what a `run-single-worker` has put there must not wait for a worker that
//! nobody starts any more.

use super::{EmsNames, Handling};
use crate::automate::SharedAutomation;
use crate::backoff::Backoff;
use crate::event_catcher::flood_control::FloodControl;
use crate::event_catcher::messages::PutEvents;
use crate::event_catcher::parser::count;
use crate::event_catcher::prepare::{Preparation, dead_letter, prepare};
use crate::provider::{EmsId, ParsedEvent, Provider};
use crate::settings::RefreshSettings;
use crate::vmdb::{ReadyBatch, miq_queue};
use actix::Recipient;
use futures_util::FutureExt;
use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Rows taken at once.
const MOST_ROWS: i64 = 500;
/// What delivering needs.
pub struct Delivery {
    /// The VMDB and the figures.
    pub handling: Handling,
    /// Who commits.
    pub handler: Recipient<PutEvents>,
    /// The automation in force.
    pub automation: SharedAutomation,
    /// Who this process is, for claims.
    pub owner: i64,
    /// How often the queue is looked at while it is empty.
    pub pause: Duration,
    /// The EMSs of the settings.
    pub ems: HashMap<EmsId, DeliveredEms>,
    /// Flood control of those that have it. It is here and not in the catching half, since only what is marked on its way
    /// to the commit is folded: a row of `miq_queue` is the event alone.
    pub flood: Mutex<HashMap<EmsId, FloodControl>>,
}

/// What an event of one EMS is prepared with.
pub type DeliveredEms = (&'static dyn Provider, RefreshSettings);

/// What the delivery does next.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    /// At first and after a failure: gives back what an attempt before claimed.
    GiveBack,
    /// Takes and commits.
    Deliver,
}

impl Delivery {
    /// Delivers until it is told to stop. A failure of the VMDB is waited out.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::of_children();
        let mut step = Step::GiveBack;
        while !stop.is_cancelled() {
            let done = AssertUnwindSafe(self.step(step)).catch_unwind().await;
            let wait = match done.unwrap_or_else(|_| Err("a panic; see the log for where".to_owned())) {
                Ok(0) if step == Step::Deliver => self.pause,
                Ok(_) => {
                    backoff.reset();
                    step = Step::Deliver;
                    continue;
                }
                Err(error) => {
                    log::error!("delivering from miq_queue: {error}");
                    step = Step::GiveBack;
                    backoff.next_wait()
                }
            };
            if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    async fn step(&self, step: Step) -> Result<usize, String> {
        match step {
            Step::GiveBack => self.give_back().await,
            Step::Deliver => self.deliver().await,
        }
    }

    /// What was claimed and not committed waits again. Should it be committed after all, its events are known then.
    async fn give_back(&self) -> Result<usize, String> {
        let owner = self.owner;
        let given =
            self.handling.vmdb.write(move |connection| miq_queue::release_own(connection, "ems", owner));
        given.await.map_err(|error| error.to_string())
    }

    /// Takes what waits, commits it, and says how many rows that were.
    async fn deliver(&self) -> Result<usize, String> {
        let owner = self.owner;
        let wait = self.handling.vmdb.read(miq_queue::events_wait).await;
        if !wait.map_err(|error| error.to_string())? {
            return Ok(0);
        }
        let rows = self
            .handling
            .vmdb
            .write(move |connection| miq_queue::claim_events(connection, owner, MOST_ROWS))
            .await
            .map_err(|error| error.to_string())?;
        fail::fail_point!("queue.claimed");
        let count = rows.len();
        let mut by_ems: BTreeMap<EmsId, ReadyBatch> = BTreeMap::new();
        for claimed in rows {
            let batch = by_ems.entry(claimed.ems_id).or_insert_with(|| self.batch_of(claimed.ems_id));
            batch.delivered.push(claimed.id);
            self.ready(batch, claimed.event);
        }
        self.control_floods(by_ems.values_mut());
        let puts =
            by_ems.into_values().map(|batch| self.handler.send(PutEvents { batch, sent: Instant::now() }));
        for reply in futures_util::future::join_all(puts).await {
            reply.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        }
        Ok(count)
    }

    fn control_floods<'b>(&self, batches: impl Iterator<Item = &'b mut ReadyBatch>) {
        let mut controls = self.flood.lock().unwrap_or_else(PoisonError::into_inner);
        for batch in batches {
            if let (Some(control), Some((provider, _))) =
                (controls.get_mut(&batch.ems_id), self.ems.get(&batch.ems_id))
            {
                control.mark(*provider, &mut batch.events);
            }
        }
        controls.values_mut().for_each(FloodControl::look);
    }

    /// An empty batch.
    fn batch_of(&self, ems_id: EmsId) -> ReadyBatch {
        let is_refreshed = self
            .ems
            .get(&ems_id)
            .is_none_or(|(provider, refresh)| refresh.enabled && provider.has_collector());
        ReadyBatch { is_refreshed, ..ReadyBatch::of(ems_id) }
    }

    fn ready(&self, batch: &mut ReadyBatch, parsed: ParsedEvent) {
        let Some((provider, refresh)) = self.ems.get(&batch.ems_id) else {
            // Its EMS left the settings, and with it what would tell targets: all of it is refreshed when it comes back.
            batch.events.push(crate::vmdb::ReadyEvent::new(parsed, crate::vmdb::Work::FullRefresh));
            return;
        };
        let (automation, name) = (self.automation.get(), self.handling.names.get(batch.ems_id));
        let preparation = Preparation { provider: *provider, ems: &name, automation: &automation, refresh };
        let native = parsed.event.full_data.clone();
        match prepare(parsed, &preparation) {
            Ok((ready, outcomes)) => {
                count(&self.figures(&self.handling.names, batch.ems_id), &outcomes);
                batch.events.push(ready);
            }
            Err(error) => batch.dead_letters.push(dead_letter(native.text(), &error.0)),
        }
    }

    fn figures(&self, names: &EmsNames, ems_id: EmsId) -> std::sync::Arc<crate::observe::EmsFigures> {
        self.handling.observe.ems(&names.get(ems_id))
    }
}
