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
    /// What was well for so long has recovered.
    pub const GOOD_WHILE: Duration = Duration::from_secs(30);

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

    /// What it waits for had been well for so long when it failed: after a good while the waits begin anew, after a short
    /// one they go on growing, so that what comes up only to fail at once is not tried without end.
    pub fn was_well_for(&mut self, time: Duration) {
        if time >= Self::GOOD_WHILE {
            self.reset();
        }
    }

    /// All is well again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_with_jitter_and_begin_anew_after_a_good_while() {
        let mut backoff = Backoff::of_children();
        for step in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            backoff.was_well_for(Duration::from_secs(29));
            let wait = backoff.next_wait().as_millis();
            assert!((step / 2..=step).contains(&wait), "{wait} ms, step {step} ms");
        }
        backoff.was_well_for(Backoff::GOOD_WHILE);
        assert!(backoff.next_wait() <= Duration::from_millis(500));
    }
}
