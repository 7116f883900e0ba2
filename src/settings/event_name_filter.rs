//! `blacklisted_event_names`: exact names, or `/regular expressions/`.

use regex::RegexSet;
use std::collections::BTreeSet;

/// Decides which event types are filtered. Exact names are compared case-sensitively, as in ManageIQ.
#[derive(Clone, Debug, Default)]
pub struct EventNameFilter {
    entries: Vec<String>,
    exact: BTreeSet<String>,
    patterns: RegexSet,
}

impl EventNameFilter {
    /// Compiles `entries`.
    ///
    /// # Errors
    /// When a `/…/` entry is no regular expression; the message names the entry.
    pub fn new(entries: Vec<String>) -> Result<Self, String> {
        let (patterns, exact): (Vec<&String>, Vec<&String>) = entries
            .iter()
            .partition(|entry| entry.len() > 2 && entry.starts_with('/') && entry.ends_with('/'));
        let set = RegexSet::new(patterns.iter().map(|entry| &entry[1..entry.len() - 1]))
            .map_err(|error| format!("no regular expression: {error}"))?;
        let exact = exact.into_iter().cloned().collect();
        Ok(Self { exact, patterns: set, entries })
    }

    /// Whether events of this type are filtered.
    pub fn matches(&self, event_type: &str) -> bool {
        self.exact.contains(event_type) || self.patterns.is_match(event_type)
    }
}

impl PartialEq for EventNameFilter {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}
