//! The automate worker: claims requests that events made, and works on them, each in a transaction of its own.

use super::SharedAutomation;
use crate::actor::rounds::{Round, Rounds};
use crate::event_handler::Handling;
use crate::vmdb::automate_work;
use std::time::Duration;

/// Rows taken in one round.
const MOST_ROWS: i64 = 100;
/// The net under a bell that was lost.
const SWEEP: Duration = Duration::from_secs(15);

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
        let owner = self.owner;
        let works = self
            .handling
            .vmdb
            .write(move |connection| automate_work::claim(connection, owner, MOST_ROWS))
            .await
            .map_err(|error| error.to_string())?;
        let done = works.len();
        for work in works {
            let finished =
                self.handling.vmdb.write(move |connection| automate_work::finish(connection, work.id)).await;
            finished.map_err(|error| error.to_string())?;
        }
        Ok(Round { done, look_again: SWEEP })
    }
}
