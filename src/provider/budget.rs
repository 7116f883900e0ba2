//! The byte budget over the process: how much of what providers sent may be in memory at once.
//!
//! A page asks for its bytes when its size is known and holds them until its batch is committed. One page is always
//! admitted, even if it is larger than the whole budget, so that nothing deadlocks; waiters are served in turn.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const UNIT: usize = 1024;

/// Shared by all streams of the process.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    units: Arc<Semaphore>,
    total: u32,
}

/// Held by an [`crate::provider::EventBatch`] until it is committed; dropping it gives the bytes back.
#[derive(Debug)]
pub struct BytePermit(#[allow(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl ByteBudget {
    /// A budget of `bytes`, at least one KiB.
    pub fn new(bytes: usize) -> Self {
        let total = u32::try_from((bytes / UNIT).max(1)).unwrap_or(u32::MAX / 8);
        Self { units: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits until `bytes` are free; more than the whole budget waits for all of it.
    pub async fn admit(&self, bytes: usize) -> BytePermit {
        let wanted = u32::try_from(bytes.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX).min(self.total);
        BytePermit(self.units.clone().acquire_many_owned(wanted).await.ok())
    }

    /// Bytes in use, for metrics.
    pub fn used(&self) -> usize {
        (self.total as usize - self.units.available_permits()) * UNIT
    }

    /// Bytes in all.
    pub fn total(&self) -> usize {
        self.total as usize * UNIT
    }
}

impl Default for ByteBudget {
    /// 64 MiB.
    fn default() -> Self {
        Self::new(64 << 20)
    }
}
