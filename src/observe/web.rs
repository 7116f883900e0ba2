//! Figures of what is asked over HTTP.

use super::counts::MOST_LABELS;
use super::figures::lock;
use super::histogram::{Distribution, Histogram};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Figures of the HTTP server.
#[derive(Debug, Default)]
pub struct WebFigures {
    requests: Mutex<BTreeMap<String, Histogram>>,
    subscribers: AtomicU64,
}

impl WebFigures {
    /// A request was answered; `route` is the pattern that its path met, never the path itself.
    pub fn answered(&self, route: &str, took: Duration) {
        let mut requests = lock(&self.requests);
        let known = requests.contains_key(route) || requests.len() < MOST_LABELS;
        requests.entry(if known { route } else { "other" }.to_owned()).or_default().record(took);
    }

    /// How long answers took, by route.
    pub fn requests(&self) -> Vec<(String, Distribution)> {
        let requests = lock(&self.requests);
        requests.iter().filter_map(|(route, histogram)| Some((route.clone(), histogram.get()?))).collect()
    }

    /// So many follow what is committed.
    pub fn set_subscribers(&self, count: usize) {
        self.subscribers.store(count as u64, Relaxed);
    }

    /// How many follow what is committed.
    pub fn subscribers(&self) -> u64 {
        self.subscribers.load(Relaxed)
    }
}
