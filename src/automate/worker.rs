//! The automate worker: claims requests that events made, and works on them, each in a transaction of its own.

use super::SharedAutomation;
use super::delivery::{self, Written};
use crate::actor::rounds::{Round, Rounds};
use crate::event_handler::Handling;
use crate::observe::ActorKind;
use crate::vmdb::VmdbError;
use crate::vmdb::automate_work::{self, AutomateWork};
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
        let works = self.claim().await.map_err(|error| error.to_string())?;
        let done = works.len();
        for work in works {
            self.deliver(work).await.map_err(|error| error.to_string())?;
        }
        let awaiting = done == 0
            && self
                .handling
                .vmdb
                .read(automate_work::is_awaiting)
                .await
                .map_err(|error| error.to_string())?;
        Ok(Round { done, look_again: if awaiting { WHILE_AWAITING } else { SWEEP } })
    }
}

impl AutomateWorker {
    async fn claim(&self) -> Result<Vec<AutomateWork>, VmdbError> {
        let owner = self.owner;
        let claim = self.handling.vmdb.write(move |connection| {
            connection.transaction(|connection| automate_work::claim(connection, owner, MOST_ROWS))
        });
        claim.await
    }

    async fn deliver(&self, work: AutomateWork) -> Result<(), VmdbError> {
        let (ems_id, name) = (work.ems_id, self.handling.names.get(work.ems_id));
        let delivery = delivery::of(&work, self.automation.get(), name.clone());
        let deliver = self
            .handling
            .vmdb
            .write(move |connection| delivery::deliver(connection, &delivery, &work))
            .await?;
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
