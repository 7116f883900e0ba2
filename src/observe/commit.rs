//! Figures of the group commit; and the bell for whoever follows what is committed.

use super::histogram::Histogram;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;

/// Figures of the group commit.
#[derive(Debug, Default)]
pub struct CommitFigures {
    /// How long commits took.
    pub time: Histogram,
    last_micros: AtomicU64,
    rows: AtomicU64,
    count: watch::Sender<u64>,
}

impl CommitFigures {
    /// A commit of so many events is done; whoever follows is told.
    pub fn record(&self, took: Duration, rows: u64) {
        self.time.record(took);
        self.last_micros.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.rows.fetch_add(rows, Relaxed);
        self.count.send_modify(|count| *count += 1);
    }

    /// Events in all commits.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// How long the last one took.
    pub fn last(&self) -> Duration {
        Duration::from_micros(self.last_micros.load(Relaxed))
    }

    /// Changes with each commit of this process.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }
}
