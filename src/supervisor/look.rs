//! What the Supervisor looks for in the VMDB every few seconds: who is paused, who is to be restarted, what rang no bell, and
//! what a dead process claimed too late. It acts on none of the EMSs; that is the Supervisor's.

use super::street::Street;
use crate::clock;
use crate::event_handler::Bells;
use crate::provider::EmsId;
use crate::vmdb::{self, Vmdb, VmdbError, miq_queue};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;

/// For so long after the start claims of a dead process may still come: its database server may carry out what it asked for
/// when its claims, as far as they were there, were given back.
const LATE_CLAIMS: TimeDelta = TimeDelta::minutes(1);

/// One look.
pub(super) struct Look {
    vmdb: Vmdb,
    bells: Bells,
    /// EMSs that this process catches from.
    caught: Vec<EmsId>,
    /// Claims before this are given back.
    late_claims: Option<DateTime<Utc>>,
}

/// What there was to see.
pub(super) struct Seen {
    /// Who is enabled.
    pub(super) enabled: HashSet<EmsId>,
    /// Whose event catcher somebody wants restarted.
    pub(super) restarts: Vec<EmsId>,
}

impl Look {
    pub(super) fn new(street: &Street, caught: Vec<EmsId>) -> Self {
        let is_young = clock::now() - street.began < LATE_CLAIMS;
        Self {
            vmdb: street.handling.vmdb.clone(),
            bells: street.handling.bells.clone(),
            caught,
            late_claims: (street.handles() && is_young).then_some(street.began),
        }
    }

    /// Looks.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub(super) async fn ask(self) -> Result<Seen, VmdbError> {
        let Self { vmdb, bells, caught, late_claims } = self;
        let enabled = vmdb.read(vmdb::ems::enabled).await?;
        if let Some(began) = late_claims {
            give_back(&vmdb, began).await?;
        }
        // Work that a command queued rings no bell.
        let waiting = vmdb.read(vmdb::refresh_work::ems_with_waiting_refresh).await?;
        waiting.into_iter().for_each(|ems_id| bells.ring(ems_id));
        let mut asked = vmdb.read(vmdb::restarts::asked).await?;
        // Others are for other processes.
        asked.retain(|(_, ems_id)| caught.contains(ems_id));
        let (answered, restarts): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
        if !answered.is_empty() {
            vmdb.write(|connection| vmdb::restarts::answered(connection, answered)).await?;
        }
        Ok(Seen { enabled, restarts })
    }
}

async fn give_back(vmdb: &Vmdb, began: DateTime<Utc>) -> Result<(), VmdbError> {
    if vmdb.read(move |connection| miq_queue::claimed_before(connection, began)).await? {
        let given =
            vmdb.write(move |connection| miq_queue::release_claimed_before(connection, began)).await?;
        log::info!("{given} claims of a process that is dead came late, and are given back");
    }
    Ok(())
}
