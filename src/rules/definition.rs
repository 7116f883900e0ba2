//! A rule as it is in force, every part of it checked.

use super::action::Action;
use super::condition::Condition;
use super::limit::Limits;

/// `rules.NAME`
#[derive(Clone, Debug, PartialEq)]
pub struct RuleDefinition {
    /// Its name.
    pub name: String,
    /// Which events.
    pub on: On,
    /// The condition; none is always met.
    pub when: Option<Condition>,
    /// What then, in order.
    pub actions: Vec<Action>,
    /// `at_most` and `group_within`.
    pub limits: Limits,
    /// Whether it is asked at all.
    pub enabled: bool,
}

/// `rules.NAME.on`: every key that is given must be met, by one of its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct On {
    /// Exact types, globs, `/regular expressions/`; none: every type.
    pub event_types: Vec<String>,
    /// Event groups, by key.
    pub groups: Vec<String>,
    /// `critical`, `warning`, `detail`.
    pub levels: Vec<String>,
    /// EMSs, by name.
    pub ems: Vec<String>,
    /// Sources, such as `VC`, or `POLICY` for policy events.
    pub sources: Vec<String>,
}
