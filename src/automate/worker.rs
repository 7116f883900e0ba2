//! The automate worker: claims requests that events made, and works on them, each in a transaction of its own.

use super::SharedAutomation;
use super::delivery::{self, Written};
use crate::actor::rounds::{Round, Rounds};
use crate::event_handler::Handling;
use crate::observe::ActorKind;
use crate::vmdb::VmdbError;
use crate::vmdb::automate_claim;
use crate::vmdb::automate_work::AutomateWork;
use std::time::Duration;

/// Rows taken in one round.
const MOST_ROWS: i64 = 100;
/// The net under a bell that was lost.
const SWEEP: Duration = Duration::from_secs(15);
/// How often is looked whether a refresh that something awaits is complete.
const WHILE_AWAITING: Duration = Duration::from_secs(1);

/// What the worker works with.
pub struct AutomateWorker {
    /// VMDB, bells, figures.
    pub handling: Handling,
    /// The automation in force.
    pub automation: SharedAutomation,
    /// Who this process is, for claims.
    pub owner: i64,
}

impl Rounds for AutomateWorker {
    async fn round(&mut self) -> Result<Round, String> {
        self.work().await.map_err(|error| error.to_string())
    }
}

impl AutomateWorker {
    /// Looks before it claims, so that who waits for a refresh keeps nobody from writing.
    async fn work(&self) -> Result<Round, VmdbError> {
        let owner = self.owner;
        let waiting = self.handling.vmdb.read(move |connection| automate_claim::waiting(connection, owner));
        let waiting = waiting.await?;
        let works = if waiting.due { self.claim().await? } else { Vec::new() };
        let (done, mut busy) = (works.len(), None);
        for work in works {
            fail::fail_point!("automate.claimed");
            match self.deliver(work.clone()).await {
                Ok(()) => {}
                // The others may have what this one has not.
                Err(error @ VmdbError::Busy(_)) => busy = Some(error),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => self.set_aside(work, error).await?,
            }
        }
        match busy {
            Some(error) => Err(error),
            None => Ok(Round { done, look_again: if waiting.awaiting { WHILE_AWAITING } else { SWEEP } }),
        }
    }

    /// What would fail again stands in nobody's way.
    async fn set_aside(&self, work: AutomateWork, error: VmdbError) -> Result<(), VmdbError> {
        let reason = error.to_string();
        let vmdb = &self.handling.vmdb;
        vmdb.write(move |connection| automate_claim::set_aside(connection, &work, &reason)).await
    }

    async fn claim(&self) -> Result<Vec<AutomateWork>, VmdbError> {
        let owner = self.owner;
        self.handling.vmdb.write(move |connection| automate_claim::claim(connection, owner, MOST_ROWS)).await
    }

    async fn deliver(&self, work: AutomateWork) -> Result<(), VmdbError> {
        let (ems_id, name) = (work.ems_id, self.handling.names.get(work.ems_id));
        let delivery = delivery::of(&work, self.automation.get(), name.clone());
        let deliver = self
            .handling
            .vmdb
            .write(move |connection| delivery::deliver(connection, &delivery, &work))
            .await?;
        fail::fail_point!("automate.done");
        let Written { actions, refresh, fired } = deliver;
        let figures = self.handling.observe.ems(&name);
        for ((kind, state), count) in actions {
            figures.acted(kind, state.name(), count);
        }
        fired.log();
        for (rule, state) in &fired.firings {
            self.handling.observe.rule_fired(rule, state.name());
        }
        if refresh {
            self.handling.bells.ring(ems_id);
        }
        if fired.webhooks {
            self.handling.bells.ring_worker(ActorKind::WebhookSender);
        }
        Ok(())
    }
}
