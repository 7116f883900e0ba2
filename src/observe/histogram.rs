//! How long things took, in buckets: what Prometheus calls a histogram. Atomics alone, since every event passes here.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets, in seconds as the text formats write them, and in microseconds.
pub const BOUNDS: [(&str, u64); 14] = [
    ("0.01", 10_000),
    ("0.025", 25_000),
    ("0.05", 50_000),
    ("0.1", 100_000),
    ("0.25", 250_000),
    ("0.5", 500_000),
    ("1.0", 1_000_000),
    ("2.5", 2_500_000),
    ("5.0", 5_000_000),
    ("10.0", 10_000_000),
    ("30.0", 30_000_000),
    ("60.0", 60_000_000),
    ("120.0", 120_000_000),
    ("300.0", 300_000_000),
];

/// One more than bounds: the last bucket is of what took longer.
const BUCKETS: usize = BOUNDS.len() + 1;

/// A histogram of durations.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_micros: AtomicU64,
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    /// How many took no longer than each of `BOUNDS`, those of the smaller ones included; last, how many in all.
    pub up_to: [u64; BUCKETS],
    /// Their sum in seconds.
    pub sum: f64,
}

impl Histogram {
    /// Adds one.
    pub fn record(&self, took: Duration) {
        self.record_all([took]);
    }

    /// Adds all of them, touching each bucket once.
    pub fn record_all(&self, all: impl IntoIterator<Item = Duration>) {
        let (mut counts, mut sum) = ([0; BUCKETS], 0_u64);
        for took in all {
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            counts[BOUNDS.partition_point(|(_, bound)| *bound < micros)] += 1;
            sum = sum.saturating_add(micros);
        }
        for (bucket, count) in self.buckets.iter().zip(counts).filter(|(_, count)| *count > 0) {
            bucket.fetch_add(count, Relaxed);
        }
        self.sum_micros.fetch_add(sum, Relaxed);
    }

    /// Adds what another holds.
    pub(super) fn absorb(&self, other: &Self) {
        for (sum, count) in self.buckets.iter().zip(&other.buckets) {
            sum.fetch_add(count.load(Relaxed), Relaxed);
        }
        self.sum_micros.fetch_add(other.sum_micros.load(Relaxed), Relaxed);
    }

    /// What it holds; `None` when nothing was recorded yet.
    pub fn get(&self) -> Option<Distribution> {
        let mut total = 0;
        let up_to = std::array::from_fn(|index| {
            total += self.buckets[index].load(Relaxed);
            total
        });
        let sum = Duration::from_micros(self.sum_micros.load(Relaxed)).as_secs_f64();
        (total > 0).then_some(Distribution { up_to, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_counts_what_took_no_longer_than_its_bound() {
        let histogram = Histogram::default();
        assert_eq!(histogram.get(), None);
        histogram.record_all([10, 11, 999, 1000].map(Duration::from_millis));
        histogram.record(Duration::from_secs(301));
        let distribution = histogram.get().unwrap();
        let at = |bound: &str| {
            distribution.up_to[BOUNDS.iter().position(|(seconds, _)| *seconds == bound).unwrap()]
        };
        assert_eq!((at("0.01"), at("0.025"), at("0.5"), at("1.0"), at("300.0")), (1, 2, 2, 4, 4));
        assert_eq!(distribution.up_to[BUCKETS - 1], 5);
        assert!((distribution.sum - 303.02).abs() < 1e-9, "{}", distribution.sum);
    }

    #[test]
    fn the_bounds_are_what_their_texts_say() {
        for (seconds, micros) in BOUNDS {
            assert_eq!((seconds.parse::<f64>().unwrap() * 1e6).round() as u64, micros);
        }
    }
}
