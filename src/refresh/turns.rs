//! One refresh of an EMS at a time, also while a worker takes the place of another.
//!
//! A refresh that is dropped does not take back what it gave to the VMDB: a save under way is finished, on PostgreSQL for
//! seconds and beside other connections. The next refresh of that EMS must not look at the provider and compare before that, or
//! what is older is written over what is newer, and no event tells of it. So each save holds the [`Turn`] until it is done.

use crate::provider::EmsId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// The turns of all EMSs of a process. Cheap to clone; all clones are the same turns.
#[derive(Clone, Debug, Default)]
pub struct Turns(Arc<Mutex<HashMap<EmsId, Arc<Queue<()>>>>>);

impl Turns {
    /// Waits until nothing is under way of a refresh of this EMS that came before.
    pub async fn next(&self, ems_id: EmsId) -> Turn {
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(ems_id).or_default().clone();
        Turn { ems_id, held: Some(Arc::new(queue.lock_owned().await)) }
    }
}

/// The right to refresh an EMS. It ends with its last clone.
#[derive(Clone, Debug)]
pub struct Turn {
    ems_id: EmsId,
    #[allow(dead_code, reason = "held for its drop")]
    held: Option<Arc<OwnedMutexGuard<()>>>,
}

impl Turn {
    /// Of one who knows that nobody else refreshes this EMS.
    pub fn alone(ems_id: EmsId) -> Self {
        Self { ems_id, held: None }
    }

    /// Whose turn it is.
    pub fn ems_id(&self) -> EmsId {
        self.ems_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_turn_lasts_as_long_as_what_was_given_away_of_it() {
        let turns = Turns::default();
        let first = turns.next(EmsId(1)).now_or_never().unwrap();
        let write_under_way = first.clone();
        drop(first);
        assert!(
            turns.clone().next(EmsId(1)).now_or_never().is_none(),
            "a write of the last one is under way"
        );
        assert!(turns.next(EmsId(2)).now_or_never().is_some(), "another EMS waits for nobody");
        drop(write_under_way);
        assert!(turns.next(EmsId(1)).now_or_never().is_some());
    }
}
