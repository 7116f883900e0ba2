//! Counts by labels that are not known beforehand, such as a rule's name. Behind a lock: for what happens at most some
//! hundred times a second, not for every event. Their labels are bounded: what comes beyond is counted under `other`.

use super::ems::EmsFigures;
use super::figures::{Observe, lock};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

/// So many labels a count tells apart.
pub(super) const MOST_LABELS: usize = 200;
/// The label of all others.
pub(super) const OTHER: &str = "other";

/// What counts are told apart by.
pub trait Label: Ord + Clone {
    /// The same among the others: what names it is gone, what says how it went stays.
    fn among_others(&self) -> Self;
}

impl Label for String {
    fn among_others(&self) -> Self {
        OTHER.to_owned()
    }
}

impl Label for (String, String) {
    fn among_others(&self) -> Self {
        (OTHER.to_owned(), self.1.clone())
    }
}

/// These come from our own source alone.
impl Label for (&'static str, &'static str) {
    fn among_others(&self) -> Self {
        *self
    }
}

/// Counts by label.
#[derive(Debug)]
pub struct Counts<L>(Mutex<BTreeMap<L, u64>>);

// A derived Default would ask for one of the labels.
impl<L> Default for Counts<L> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<L: Label> Counts<L> {
    /// Adds so many; adding none begins the series.
    pub fn add(&self, label: L, count: u64) {
        let mut counts = lock(&self.0);
        let known = counts.contains_key(&label) || counts.len() < MOST_LABELS;
        *counts.entry(if known { label } else { label.among_others() }).or_default() += count;
    }

    /// Adds those of another.
    pub(super) fn absorb(&self, other: &Self) {
        other.all().into_iter().for_each(|(label, count)| self.add(label, count));
    }

    /// All of them, ordered by label.
    pub fn all(&self) -> Vec<(L, u64)> {
        lock(&self.0).iter().map(|(label, count)| (label.clone(), *count)).collect()
    }
}

/// How a refresh ended; its kind, `full` or `targeted`, is said beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefreshResult {
    /// The inventory was saved.
    Done,
    /// It failed and is tried again.
    Failed,
}

impl RefreshResult {
    /// The `result` label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl EmsFigures {
    /// Things were done for events, or not: `kind` and `state` are those of their rows of `event_actions`.
    pub fn acted(&self, kind: &str, state: &str, count: u64) {
        self.actions.add((kind.to_owned(), state.to_owned()), count);
    }

    /// A refresh ended; `kind` is that of its rows of `ems_refreshes`.
    pub fn refresh_ended(&self, kind: &'static str, result: RefreshResult) {
        self.refreshes.add((kind, result.label()), 1);
    }

    /// A full refresh takes the place of as many targets as `full_refresh_threshold`.
    pub fn escalated(&self) {
        self.escalations.fetch_add(1, Relaxed);
    }

    /// A full refresh corrected so many rows of `association` that events should have brought.
    pub fn drifted(&self, association: &str, rows: u64) {
        self.drift.add(association.to_owned(), rows);
    }
}

/// Counts that belong to no EMS.
#[derive(Debug, Default)]
pub(super) struct ProcessCounts {
    pub(super) rule_firings: Counts<(String, String)>,
    pub(super) webhooks: Counts<(String, String)>,
    pub(super) purged: Counts<String>,
}

impl Observe {
    /// An event met a rule: it fired (`done`) or was held back; `state` is that of its row of `event_actions`.
    pub fn rule_fired(&self, rule: &str, state: &str) {
        self.counts().rule_firings.add((rule.to_owned(), state.to_owned()), 1);
    }

    /// A webhook was sent, or could not be; `result` says which.
    pub fn webhook_sent(&self, webhook: &str, result: &str) {
        self.counts().webhooks.add((webhook.to_owned(), result.to_owned()), 1);
    }

    /// So many rows of `table` were older than what is kept.
    pub fn purged(&self, table: &str, rows: u64) {
        self.counts().purged.add(table.to_owned(), rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_beyond_the_limit_are_counted_together() {
        let counts = Counts::default();
        for number in 0..MOST_LABELS + 50 {
            counts.add((format!("rule {number:04}"), "done".to_owned()), 2);
        }
        counts.add(("rule 0001".to_owned(), "done".to_owned()), 1);
        let all = counts.all();
        assert_eq!(all.len(), MOST_LABELS + 1);
        assert_eq!(all[0], ((OTHER.to_owned(), "done".to_owned()), 100));
        assert_eq!(all[2].1, 3);
    }

    #[test]
    fn what_was_counted_is_there_by_label() {
        let observe = Observe::default();
        let ems = observe.ems("demo");
        ems.acted("handler", "done", 2);
        ems.acted("handler", "failed", 1);
        let label = |state: &str| ("handler".to_owned(), state.to_owned());
        assert_eq!(ems.actions.all(), [(label("done"), 2), (label("failed"), 1)]);
        observe.purged("event_streams", 0);
        assert_eq!(
            observe.counts().purged.all(),
            [("event_streams".to_owned(), 0)],
            "a series begins with 0"
        );
    }
}
