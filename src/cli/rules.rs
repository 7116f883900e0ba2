//! `catchall rules`: which rules there are, and which of them an event would fire and why. Reads only.

use super::rule_arguments::{RulesCommand, RulesTestArguments};
use super::steer::reading;
use super::table::{Align, one_line, table};
use super::terminal::{self, Reader};
use super::{CliError, failed, find_provider, rule_event};
use crate::automate::Automation;
use crate::automate::rule_firing::past;
use crate::automate::rule_outcome::{self, FiringState, Outcome, Question};
use crate::clock;
use crate::rules::{Facts, Past, RuleDefinition, Scene};
use crate::settings::Settings;
use crate::switchboard::Switchboard;
use crate::vmdb::{VmdbError, rule_facts, rule_firings};
use chrono::TimeDelta;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Does what `command` says.
///
/// # Errors
/// See [`CliError`].
pub fn run(settings: &Settings, command: &RulesCommand, json: bool) -> Result<(), CliError> {
    match command {
        RulesCommand::List => list(settings, json),
        RulesCommand::Test(test) => {
            let automation = Automation::new(settings, Switchboard::default());
            if let Some(name) = &test.rule
                && automation.rules.get(name).is_none()
            {
                return Err(failed(format!(
                    "there is no rule {name:?}; `catchall rules list` shows those that are"
                )));
            }
            match test.event_id {
                Some(id) => test_stored(settings, automation, (id, test.rule.clone()), json),
                None => test_given(settings, &automation, test, json),
            }
        }
    }
}

fn list(settings: &Settings, json: bool) -> Result<(), CliError> {
    let since = clock::now() - TimeDelta::hours(24);
    // The rules are the settings'; a VMDB that is not there yet only has no figures.
    let counts = reading(settings, move |connection| rule_firings::counts(connection, since));
    if let Err(error) = &counts {
        eprintln!("no figures: {error}");
    }
    let mut of_rule: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (rule, state, count) in counts.unwrap_or_default() {
        of_rule.entry(rule).or_default().insert(state, count);
    }
    let count = |rule: &RuleDefinition, state: &str| {
        of_rule.get(&rule.name).and_then(|states| states.get(state)).copied().unwrap_or_default()
    };
    if json {
        let line = |rule: &RuleDefinition| {
            let actions: Vec<String> = rule.actions.iter().map(ToString::to_string).collect();
            let line = json!({
                "rule": rule.name, "enabled": rule.enabled, "when": rule.when.as_ref().map(|when| when.text()),
                "do": actions, "last_day": of_rule.get(&rule.name).cloned().unwrap_or_default(),
            });
            format!("{line}\n")
        };
        return terminal::print(&settings.rules.all().iter().map(line).collect::<String>()).map(drop);
    }
    if settings.rules.all().is_empty() {
        return terminal::print("No rules. docs/rules.md says how to write one.\n").map(drop);
    }
    let headings = [
        ("RULE", Align::Left),
        ("DONE", Align::Right),
        ("GROUPED", Align::Right),
        ("SUPPRESSED", Align::Right),
        ("SKIPPED", Align::Right),
        ("DOES", Align::Left),
    ];
    let row = |rule: &RuleDefinition| {
        let does: Vec<String> = rule.actions.iter().map(ToString::to_string).collect();
        let does = if rule.enabled { does.join(", ") } else { "not enabled".to_owned() };
        let number = |state| count(rule, state).to_string();
        [rule.name.clone(), number("done"), number("grouped"), number("suppressed"), number("skipped"), does]
    };
    let rows: Vec<_> = settings.rules.all().iter().map(row).collect();
    terminal::print(&table(headings, &rows)).map(drop)
}

fn test_stored(
    settings: &Settings,
    automation: Automation,
    (id, only): (i64, Option<String>),
    json: bool,
) -> Result<(), CliError> {
    let told = reading(settings, move |connection| {
        let Some(stored) = rule_facts::of_event(connection, id, rule_outcome::COLUMNS)? else {
            return Ok(None);
        };
        let age = stored.created_on - stored.timestamp;
        let group_and_level = automation.rules.group_and_level(&stored.event_type);
        let facts = rule_outcome::facts(stored.clone(), group_and_level);
        let asked = Asked::new(&automation, facts, age);
        asked.tell((only.as_deref(), json), |rule, key, now| past(connection, rule, key, now)).map(Some)
    })?;
    let told = told.ok_or_else(|| failed(format!("there is no event {id} in event_streams")))?;
    terminal::print(&told).map(drop)
}

/// Nothing has fired before an event that somebody wrote.
fn test_given(
    settings: &Settings,
    automation: &Automation,
    test: &RulesTestArguments,
    json: bool,
) -> Result<(), CliError> {
    let provider = test.provider.as_deref().map(find_provider).transpose()?;
    let file = test.event.as_deref().unwrap_or_else(|| std::path::Path::new("-"));
    let text = rule_event::read(file)?;
    let given =
        rule_event::facts(&text, provider, rule_event::ems(settings, test.ems.as_deref(), provider)?)?;
    for (mut facts, age) in given {
        let event_type = facts.event.get("event_type").and_then(Json::as_str).unwrap_or_default().to_owned();
        if let Some((group, level)) = automation.rules.group_and_level(&event_type) {
            facts.event.insert("group".to_owned(), group.into());
            facts.event.insert("level".to_owned(), level.into());
        }
        let asked = Asked::new(automation, facts, age);
        let nothing = |_: &RuleDefinition, _: &str, _| Ok::<_, VmdbError>(Past::default());
        let told = asked.tell((test.rule.as_deref(), json), nothing).map_err(failed)?;
        if terminal::print(&told)? == Reader::Gone {
            break;
        }
    }
    Ok(())
}

/// An event whose rules are asked for people.
struct Asked<'a> {
    automation: &'a Automation,
    facts: Facts,
    scene: Scene,
    age: TimeDelta,
}

impl<'a> Asked<'a> {
    fn new(automation: &'a Automation, facts: Facts, age: TimeDelta) -> Self {
        Self { automation, scene: Scene::new(&facts), facts, age }
    }

    fn column(&self, name: &str) -> &str {
        self.facts.event.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    fn ems(&self) -> &str {
        self.facts.ems.get("name").and_then(Json::as_str).unwrap_or_default()
    }

    fn tell<E>(
        &self,
        (only, json): (Option<&str>, bool),
        mut past: impl FnMut(&RuleDefinition, &str, chrono::DateTime<chrono::Utc>) -> Result<Past, E>,
    ) -> Result<String, E> {
        let now = clock::now();
        let question = Question {
            facts: &self.facts,
            scene: &self.scene,
            age: self.age,
            max_action_age: self.automation.max_action_age,
            now,
        };
        let mut text = String::new();
        if !json {
            let line =
                format!("{} of {}, {}", self.column("event_type"), self.ems(), self.column("timestamp"));
            text.push_str(&format!("{}\n", one_line(&line)));
        }
        for rule in
            self.automation.rules.all().iter().filter(|rule| only.is_none_or(|only| only == rule.name))
        {
            let (source, event_type) = (self.column("source"), self.column("event_type"));
            let told = match self.automation.rules.why_not(rule, self.ems(), source, event_type) {
                Some(why) => Told { rule, on: Some(why), outcome: None },
                None => {
                    let outcome = question.ask(rule, |key| past(rule, key, now))?;
                    Told { rule, on: None, outcome: Some(outcome) }
                }
            };
            text.push_str(&if json {
                format!("{}\n", told.json(&self.facts))
            } else {
                told.text(&self.facts)
            });
        }
        Ok(text)
    }
}

/// What there is to say of a rule.
struct Told<'a> {
    rule: &'a RuleDefinition,
    /// Why `on` is not met.
    on: Option<String>,
    /// What followed when it is.
    outcome: Option<Outcome>,
}

impl Told<'_> {
    fn seen(&self, facts: &Facts) -> Vec<(String, Option<Json>)> {
        let names = self.rule.when.as_ref().map(|when| when.names()).unwrap_or_default();
        names.iter().map(|path| (path.join("."), facts.value(path))).collect()
    }

    fn text(&self, facts: &Facts) -> String {
        let mut text = format!("\n{}\n", one_line(&self.rule.name));
        // Writing to a String cannot fail.
        let mut line = |head: &str, rest: &str| {
            let _ = writeln!(text, "  {head:<6} {}", one_line(rest));
        };
        let Some(outcome) = &self.outcome else {
            line("on", &format!("not met: {}", self.on.as_deref().unwrap_or_default()));
            return text;
        };
        line("on", "met");
        if let Some(when) = &self.rule.when {
            let is_met = match outcome.state {
                FiringState::NotMet => "not met",
                FiringState::Skipped if outcome.key.is_none() => "see below",
                _ => "met",
            };
            line("when", &format!("{is_met}: {}", when.text()));
            for (name, value) in self.seen(facts) {
                line(
                    "",
                    &value
                        .map_or_else(|| format!("{name} is not there"), |value| format!("{name} is {value}")),
                );
            }
        }
        if let Some(key) = outcome.key.as_deref().filter(|key| !key.is_empty()) {
            line("by", key);
        }
        match (outcome.state, &outcome.reason) {
            (FiringState::Done, _) => {}
            (state, Some(reason)) => line(state.name(), reason),
            (state, None) => line(state.name(), ""),
        }
        for (place, (action, left_out)) in outcome.actions.iter().enumerate() {
            let head = if place == 0 { "fires" } else { "" };
            match left_out {
                None => line(head, &action.to_string()),
                Some(why) => line(head, &format!("{action}: not done, {why}")),
            }
        }
        text
    }

    fn json(&self, facts: &Facts) -> Json {
        let outcome = self.outcome.as_ref();
        let action = |(action, left_out): &(crate::rules::Action, Option<String>)| json!({"action": action.to_string(), "left_out": left_out});
        json!({
            "rule": self.rule.name,
            "on": self.on.is_none(),
            "state": outcome.map_or("on not met", |outcome| outcome.state.name()),
            "reason": self.on.as_ref().or_else(|| outcome?.reason.as_ref()),
            "seen": self.seen(facts).into_iter().collect::<BTreeMap<_, _>>(),
            "key": outcome.and_then(|outcome| outcome.key.as_ref()),
            "actions": outcome.map(|outcome| outcome.actions.iter().map(action).collect::<Vec<_>>()).unwrap_or_default(),
        })
    }
}
