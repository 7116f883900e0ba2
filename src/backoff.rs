//! How long to wait before trying again: doubling, jittered, bounded.

use rand::RngExt;
use std::time::Duration;

/// A doubling wait. Full jitter between half and whole of the current step, so that many EMSs do not come back at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// From `first` to at most `most`.
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// 0.5 s to 30 s: children that fail, providers out of reach, a VMDB that is away.
    pub const fn of_children() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }

    /// 2 s to 60 s: credentials refused.
    pub const fn of_credentials() -> Self {
        Self::new(Duration::from_secs(2), Duration::from_secs(60))
    }

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.first.saturating_mul(1 << self.failures.min(16)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// All is well again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}
