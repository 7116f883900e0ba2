//! The rules that an event meets: asked, counted, and done, within the transaction in which the request leaves the queue.
//!
//! [`judge`] reads and asks the conditions and may be done beside everybody's work; [`fire`] writes. What a handler or a
//! webhook does is the caller's: it brings a function for each.

use super::Automation;
use super::rule_outcome::{self, FiringState, Outcome, Question};
use crate::clock;
use crate::provider::EmsId;
use crate::rules::{Action, Facts, LogLevel, Past, RuleDefinition, Scene};
use crate::switchboard::Call;
use crate::vmdb::rule_facts::{self, StoredFacts};
use crate::vmdb::rule_firings::{self, HeldBack, NewFiring};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// An event with what its rules are asked about.
pub struct Judged {
    event_id: i64,
    ems_id: Option<i64>,
    age: TimeDelta,
    facts: Facts,
    scene: Scene,
}

/// A post that a rule asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleWebhook {
    /// `webhooks.NAME`
    pub webhook: String,
    /// A CloudEvent, not our own form.
    pub cloud_event: bool,
    /// Whose event.
    pub ems_id: EmsId,
    /// `event_streams.id`
    pub event_id: i64,
    /// The rule.
    pub rule: String,
    /// What the rule adds: how many firings it stands for.
    pub params: serde_json::Value,
}

type DoCall<'a> = dyn FnMut(&mut Connection, &str, &Call) -> Result<(), VmdbError> + 'a;
type DoWebhook<'a> = dyn FnMut(&mut Connection, RuleWebhook) -> Result<(), VmdbError> + 'a;

/// Who does what rules ask for, within the transaction.
pub struct Doers<'a> {
    /// Calls a handler for the event; given the rule.
    pub call: &'a mut DoCall<'a>,
    /// Queues a webhook.
    pub webhook: &'a mut DoWebhook<'a>,
}

/// What is to be done once the transaction is committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fired {
    /// Rule and state, to be counted.
    pub firings: Vec<(String, FiringState)>,
    /// Lines for the log.
    pub lines: Vec<(LogLevel, String)>,
    /// Whether webhooks were queued.
    pub webhooks: bool,
}

impl Fired {
    /// Adds another event's.
    pub fn add(&mut self, other: Self) {
        self.firings.extend(other.firings);
        self.lines.extend(other.lines);
        self.webhooks |= other.webhooks;
    }

    /// Writes the lines.
    pub fn log(&self) {
        for (level, line) in &self.lines {
            match level {
                LogLevel::Error => log::error!("{line}"),
                LogLevel::Warn => log::warn!("{line}"),
                LogLevel::Info => log::info!("{line}"),
            }
        }
    }
}

/// Reads what is known about the event; `None` when it has been purged meanwhile.
///
/// # Errors
/// See [`VmdbError`].
pub fn judge(
    connection: &mut Connection,
    automation: &Automation,
    event_id: i64,
) -> Result<Option<Judged>, VmdbError> {
    let stored = rule_facts::of_event(connection, event_id, rule_outcome::COLUMNS)?;
    Ok(stored.map(|stored| Judged::new(stored, automation)))
}

impl Judged {
    /// Of a stored event.
    pub fn new(stored: StoredFacts, automation: &Automation) -> Self {
        let (event_id, ems_id) = (stored.id, stored.ems_id);
        let age = stored.created_on - stored.timestamp;
        let facts = rule_outcome::facts(stored.clone(), automation.rules.group_and_level(&stored.event_type));
        let scene = Scene::new(&facts);
        Self { event_id, ems_id, age, facts, scene }
    }
}

/// Asks these rules (by name) about the event, writes what became of each, and does what is to be done.
///
/// # Errors
/// See [`VmdbError`]; those of the doers too.
pub fn fire(
    connection: &mut Connection,
    automation: &Automation,
    judged: &Judged,
    rules: &[String],
    doers: &mut Doers<'_>,
) -> Result<Fired, VmdbError> {
    let mut fired = Fired::default();
    for name in rules {
        let firing = Firing { judged, name, now: clock::now() };
        let Some(rule) = automation.rules.get(name).filter(|rule| rule.enabled) else {
            let reason = "the rule is no longer in the settings, or not enabled";
            firing.put(connection, FiringState::Skipped, (Some(reason), None, None))?;
            fired.firings.push((name.clone(), FiringState::Skipped));
            continue;
        };
        let outcome = firing.ask(connection, automation, rule)?;
        if outcome.state == FiringState::NotMet {
            continue;
        }
        fired.firings.push((name.clone(), outcome.state));
        firing.done(connection, &outcome, doers, &mut fired)?;
    }
    Ok(fired)
}

/// One rule and one event.
struct Firing<'a> {
    judged: &'a Judged,
    name: &'a str,
    now: DateTime<Utc>,
}

impl Firing<'_> {
    fn ask(
        &self,
        connection: &mut Connection,
        automation: &Automation,
        rule: &RuleDefinition,
    ) -> Result<Outcome, VmdbError> {
        let question = Question {
            facts: &self.judged.facts,
            scene: &self.judged.scene,
            age: self.judged.age,
            max_action_age: automation.max_action_age,
            now: self.now,
        };
        question.ask(rule, |key| past(connection, rule, key, self.now))
    }

    fn done(
        &self,
        connection: &mut Connection,
        outcome: &Outcome,
        doers: &mut Doers<'_>,
        fired: &mut Fired,
    ) -> Result<(), VmdbError> {
        let key = outcome.key.as_deref();
        let held_back = match key.filter(|_| outcome.state == FiringState::Done) {
            Some(key) => rule_firings::held_back(connection, (self.name, key), self.now)?,
            None => HeldBack::default(),
        };
        let params = params(held_back);
        let text = (!params.is_null()).then(|| params.to_string());
        self.put(connection, outcome.state, (outcome.reason.as_deref(), key, text.as_deref()))?;
        for (action, left_out) in &outcome.actions {
            match left_out {
                Some(why) => self.leave_out(connection, action, why)?,
                None => self.act(connection, action, &params, doers, fired)?,
            }
        }
        Ok(())
    }

    fn act(
        &self,
        connection: &mut Connection,
        action: &Action,
        params: &serde_json::Value,
        doers: &mut Doers<'_>,
        fired: &mut Fired,
    ) -> Result<(), VmdbError> {
        match action {
            Action::Handler(call) => (doers.call)(connection, self.name, call),
            Action::Webhook(webhook) | Action::CloudEvents(webhook) => {
                fired.webhooks = true;
                let new = RuleWebhook {
                    webhook: webhook.clone(),
                    cloud_event: matches!(action, Action::CloudEvents(_)),
                    ems_id: EmsId(self.judged.ems_id.unwrap_or_default()),
                    event_id: self.judged.event_id,
                    rule: self.name.to_owned(),
                    params: params.clone(),
                };
                (doers.webhook)(connection, new)
            }
            Action::Log { level, message } => {
                let line = format!("rule {}: {}", self.name, self.judged.facts.fill_in(message));
                self.put_action(connection, "log", (&level.to_string(), "done", Some(&line)))?;
                fired.lines.push((*level, line));
                Ok(())
            }
        }
    }

    fn leave_out(&self, connection: &mut Connection, action: &Action, why: &str) -> Result<(), VmdbError> {
        let name = match action {
            Action::Webhook(name) | Action::CloudEvents(name) => name.as_str(),
            Action::Handler(call) => Action::handler(call),
            Action::Log { .. } => "log",
        };
        self.put_action(connection, "webhook", (name, "skipped", Some(why)))
    }

    fn put(
        &self,
        connection: &mut Connection,
        state: FiringState,
        (reason, limit_key, params): (Option<&str>, Option<&str>, Option<&str>),
    ) -> Result<(), VmdbError> {
        let new = NewFiring { limit_key, params, ..self.row("rule", (self.name, state.name(), reason)) };
        rule_firings::put(connection, &new)
    }

    fn put_action(
        &self,
        connection: &mut Connection,
        kind: &str,
        told: (&str, &str, Option<&str>),
    ) -> Result<(), VmdbError> {
        rule_firings::put(connection, &self.row(kind, told))
    }

    fn row<'a>(&'a self, kind: &'a str, told: (&'a str, &'a str, Option<&'a str>)) -> NewFiring<'a> {
        let (name, state, reason) = told;
        NewFiring {
            ems_id: self.judged.ems_id,
            event_id: self.judged.event_id,
            kind,
            name,
            rule: self.name,
            params: None,
            state,
            reason,
            limit_key: None,
            at: self.now,
        }
    }
}

/// What the limits have to know, from the rows of earlier firings.
///
/// # Errors
/// See [`VmdbError`].
pub fn past(
    connection: &mut Connection,
    rule: &RuleDefinition,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Past, VmdbError> {
    let back = |span: std::time::Duration| now - TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
    let counted_since = rule.limits.at_most.map_or(now, |at_most| back(at_most.per));
    let since = rule.limits.group_within.map_or(counted_since, |within| back(within).min(counted_since));
    let found = rule_firings::past(connection, (&rule.name, key), since, counted_since)?;
    Ok(Past { last: found.last, fired: found.fired })
}

fn params(held_back: HeldBack) -> serde_json::Value {
    match held_back {
        HeldBack { grouped: 0, suppressed: 0 } => serde_json::Value::Null,
        HeldBack { grouped, suppressed } => json!({"grouped": grouped, "suppressed": suppressed}),
    }
}
