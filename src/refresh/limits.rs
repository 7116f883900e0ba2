//! How many EMSs are refreshed at the same time, over the whole process.
//!
//! Full refreshes and targeted ones have places of their own: a targeted refresh never waits for a full one, however many
//! of those there are and however long they take.

use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places of targeted refreshes for each of a full one. They ask for little, and an EMS has one at a time.
const TARGETED_FOR_EACH_FULL: usize = 8;

/// Places to refresh in. Cheap to clone; all clones are the same places.
#[derive(Clone, Debug)]
pub struct RefreshLimits(Arc<RwLock<Places>>);

#[derive(Clone, Debug)]
struct Places {
    most: usize,
    full: Arc<Semaphore>,
    targeted: Arc<Semaphore>,
}

/// A place that is taken; dropping it leaves it to the next.
#[derive(Debug)]
pub struct Place(#[allow(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl RefreshLimits {
    /// At most `most` full refreshes at the same time, and at least one.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(RwLock::new(Places::new(most))))
    }

    /// Another limit. Refreshes under way keep their places, so that for a while there may be more.
    pub fn set(&self, most: usize) {
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if places.most != most {
            *places = Places::new(most);
        }
    }

    fn places(&self) -> Places {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A place for a full refresh, if one is free.
    pub fn try_full(&self) -> Option<Place> {
        self.places().full.try_acquire_owned().ok().map(|permit| Place(Some(permit)))
    }

    /// Waits for a place for a full refresh, in turn.
    pub async fn full(&self) -> Place {
        Place(self.places().full.acquire_owned().await.ok())
    }

    /// Waits for a place for a targeted refresh, in turn.
    pub async fn targeted(&self) -> Place {
        Place(self.places().targeted.acquire_owned().await.ok())
    }
}

impl Places {
    fn new(most: usize) -> Self {
        let full = most.clamp(1, Semaphore::MAX_PERMITS / TARGETED_FOR_EACH_FULL);
        Self {
            most,
            full: Arc::new(Semaphore::new(full)),
            targeted: Arc::new(Semaphore::new(full * TARGETED_FOR_EACH_FULL)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn full_refreshes_wait_for_each_other_and_targeted_ones_do_not_wait_for_them() {
        let limits = RefreshLimits::new(2);
        let first = limits.try_full().unwrap();
        let _second = limits.try_full().unwrap();
        assert!(limits.try_full().is_none());
        assert!(limits.targeted().now_or_never().is_some());
        let mut third = Box::pin(limits.full());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.now_or_never().is_some(), "a place that is left goes to whoever waits");
    }

    #[test]
    fn another_limit_is_in_force_at_once_and_for_all_clones() {
        let limits = RefreshLimits::new(1);
        let _held = limits.try_full().unwrap();
        limits.clone().set(2);
        let (_one, _two) = (limits.try_full().unwrap(), limits.try_full().unwrap());
        assert!(limits.try_full().is_none());
        limits.set(2);
        assert!(limits.try_full().is_none(), "the same limit gives no new places");
        assert!(RefreshLimits::new(0).try_full().is_some(), "there is always one place");
    }
}
