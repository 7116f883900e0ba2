//! What one look at Catchall brings: all EMSs, and more of the one that is open.

use crate::cli::pipeline::{EmsState, NotAsked, Pipeline};
use crate::vmdb::timeline::TimelineEvent;
use chrono::{DateTime, Utc};

/// One look.
#[derive(Clone, Debug)]
pub struct Look {
    /// When.
    pub at: DateTime<Utc>,
    /// What the process says, or why it says nothing.
    pub process: Result<Pipeline, NotAsked>,
    /// Every EMS, by the process or else by the VMDB.
    pub all_ems: Vec<EmsState>,
    /// Why the VMDB does not tell what it was asked.
    pub vmdb_error: Option<String>,
    /// Of the EMS that is open.
    pub latest: Option<Latest>,
}

/// The latest events of one EMS.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    /// Whose.
    pub ems_id: i64,
    /// Newest first.
    pub events: Vec<TimelineEvent>,
}

impl Look {
    /// All new events since the process started.
    pub fn events_total(&self) -> Option<u64> {
        let process = self.process.as_ref().ok()?;
        Some(process.ems.iter().filter_map(|ems| ems.events_total).sum())
    }

    /// When the process started; another time is another process.
    pub fn started_on(&self) -> Option<DateTime<Utc>> {
        self.process.as_ref().ok()?.process.started_on
    }
}
