//! What a rule comes to for an event: `when`, the limits, and which of its actions are done. Pure; the worker, `rules test`
//! and `replay` all ask here.

use crate::clock;
use crate::rules::{Action, Decision, Facts, Past, RuleDefinition, Scene, Verdict};
use crate::vmdb::rule_facts::{FactColumns, StoredFacts};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How it ended; `event_actions.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FiringState {
    /// It fired.
    Done,
    /// Its condition was not met: nothing is kept of that.
    NotMet,
    /// Folded into the firing before.
    Grouped,
    /// More than `at_most`.
    Suppressed,
    /// It could not be told, or nothing of it may be done.
    Skipped,
}

impl FiringState {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotMet => "not met",
            Self::Grouped => "grouped",
            Self::Suppressed => "suppressed",
            Self::Skipped => "skipped",
        }
    }
}

/// What a rule comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub state: FiringState,
    /// Why, unless it fired.
    pub reason: Option<String>,
    /// What its limits counted by, when it has any.
    pub key: Option<String>,
    /// Its actions when it fired, each with why it is left out.
    pub actions: Vec<(Action, Option<String>)>,
}

/// An event whose rules are asked.
pub struct Question<'a> {
    /// What is known about it.
    pub facts: &'a Facts,
    /// The same for conditions.
    pub scene: &'a Scene,
    /// How old it was when it was stored.
    pub age: chrono::TimeDelta,
    /// `max_action_age`
    pub max_action_age: Duration,
    /// When the rule is asked.
    pub now: DateTime<Utc>,
}

impl Question<'_> {
    /// What `rule` comes to; `past` is asked for its key when it has limits and its condition is met.
    ///
    /// # Errors
    /// Those of `past`.
    pub fn ask<E>(
        &self,
        rule: &RuleDefinition,
        past: impl FnOnce(&str) -> Result<Past, E>,
    ) -> Result<Outcome, E> {
        let ended = |state, reason, key| Outcome { state, reason, key, actions: Vec::new() };
        match rule.when.as_ref().map_or(Verdict::Met, |when| when.ask(self.scene)) {
            Verdict::Met => {}
            Verdict::NotMet => return Ok(ended(FiringState::NotMet, None, None)),
            Verdict::Cannot(why) => {
                return Ok(ended(
                    FiringState::Skipped,
                    Some(format!("its condition cannot be told: {why}")),
                    None,
                ));
            }
        }
        let actions: Vec<_> =
            rule.actions.iter().map(|action| (action.clone(), self.too_old(action))).collect();
        if let [(_, Some(why)), ..] = actions.as_slice()
            && actions.iter().all(|(_, why)| why.is_some())
        {
            return Ok(ended(FiringState::Skipped, Some(why.clone()), None));
        }
        if rule.limits.is_empty() {
            return Ok(Outcome { state: FiringState::Done, reason: None, key: None, actions });
        }
        let key = rule.limits.by.of(self.facts);
        let decision = rule.limits.decide(&past(&key)?, self.now);
        Ok(match decision {
            Decision::Fire => Outcome { state: FiringState::Done, reason: None, key: Some(key), actions },
            Decision::Group(why) => ended(FiringState::Grouped, Some(why), Some(key)),
            Decision::Suppress(why) => ended(FiringState::Suppressed, Some(why), Some(key)),
        })
    }

    /// What leaves the house does not fire for history that is read again.
    fn too_old(&self, action: &Action) -> Option<String> {
        if !matches!(action, Action::Webhook(_) | Action::CloudEvents(_)) {
            return None;
        }
        let most = chrono::TimeDelta::from_std(self.max_action_age).unwrap_or(chrono::TimeDelta::MAX);
        (self.age > most).then(|| {
            format!(
                "the event was {} old when it was stored, and max_action_age is {}",
                clock::in_words(self.age),
                clock::in_words(most)
            )
        })
    }
}

/// What is read for rules.
pub const COLUMNS: FactColumns = FactColumns {
    event: crate::rules::EVENT_COLUMNS,
    vm: crate::rules::VM_COLUMNS,
    host: crate::rules::HOST_COLUMNS,
};

/// What rules look at, of a stored event; `group` and `level` are the settings'.
pub fn facts(stored: StoredFacts, group_and_level: Option<(&str, &str)>) -> Facts {
    let mut event = stored.event;
    if let Some((group, level)) = group_and_level {
        event.insert("group".to_owned(), group.into());
        event.insert("level".to_owned(), level.into());
    }
    Facts {
        event,
        full_data: stored.full_data,
        ems: stored.ems,
        vm: stored.vm,
        host: stored.host,
        dest_vm: stored.dest_vm,
        dest_host: stored.dest_host,
    }
}
