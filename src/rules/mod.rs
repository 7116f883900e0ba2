//! Rules for people: `on` (which events) → `when` (a condition) → `do` (what then), from the settings. Pure.
//!
//! [`Rules::candidates`] is asked for every event and looks at `on` alone. `when`, the limits and `do` are for the automate
//! worker, off the commit path: it brings [`Facts`] and what the rule did before, and does what is decided here.

mod action;
mod condition;
mod condition_check;
mod condition_cost;
mod definition;
mod facts;
mod index;
mod limit;
mod pattern;
mod scene;

pub use action::{Action, LogLevel};
pub use condition::{Condition, Verdict};
pub use definition::{On, RuleDefinition};
pub use facts::{EVENT_COLUMNS, Facts, HOST_COLUMNS, VM_COLUMNS};
pub use limit::{AtMost, Decision, Key, Limits, Past};
pub use pattern::check as check_event_type;
pub use scene::Scene;

use crate::provider::EmsEvent;
use crate::settings::EventGroups;
use index::Index;
use std::sync::Arc;

/// The compiled rules of the settings. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(Option<Arc<Index>>);

impl Rules {
    /// Compiles what was checked. Rules that are not enabled are known, and never met.
    ///
    /// # Errors
    /// When an event type is no regular expression, or all of them together are too large.
    pub fn new(rules: Vec<RuleDefinition>, event_groups: EventGroups) -> Result<Self, String> {
        if rules.is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(Arc::new(Index::new(rules, event_groups)?))))
    }

    /// Names of the rules whose `on` this event of this EMS (by name) meets, in order of the settings. Asked for every event.
    pub fn candidates(&self, ems: &str, event: &EmsEvent) -> Vec<String> {
        self.candidates_of(ems, &event.source, &event.event_type)
    }

    /// The same for anything with a source and a type, such as a policy event (`POLICY`).
    pub fn candidates_of(&self, ems: &str, source: &str, event_type: &str) -> Vec<String> {
        match &self.0 {
            None => Vec::new(),
            Some(index) => index.candidates(ems, source, event_type).map(|rule| rule.name.clone()).collect(),
        }
    }

    /// All rules, in order of the settings.
    pub fn all(&self) -> &[RuleDefinition] {
        self.0.as_ref().map_or(&[], |index| &index.rules)
    }

    /// The rule of this name.
    pub fn get(&self, name: &str) -> Option<&RuleDefinition> {
        self.all().iter().find(|rule| rule.name == name)
    }

    /// Group and level of an event type, as `on.groups` and `on.levels` see them.
    pub fn group_and_level(&self, event_type: &str) -> Option<(&str, &'static str)> {
        let found = self.0.as_ref()?.event_groups.group_and_level(event_type);
        Some((found.group, found.level))
    }

    /// Why this event does not meet the rule's `on`; `None` when it does.
    pub fn why_not(
        &self,
        rule: &RuleDefinition,
        ems: &str,
        source: &str,
        event_type: &str,
    ) -> Option<String> {
        let index = self.0.as_ref()?;
        index.why_not(rule, ems, source, event_type)
    }
}
