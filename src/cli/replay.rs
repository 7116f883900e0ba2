//! `catchall replay --dry-run`: goes through stored events and shows what other rules would have done for them, as a diff of
//! actions. Reads only, a page at a time, beside a running Catchall.

use super::rule_arguments::ReplayArguments;
use super::table::{Align, one_line, table};
use super::terminal::{self, Reader};
use super::{CliError, failed, times};
use crate::automate::rule_outcome::{self, FiringState, Question};
use crate::clock;
use crate::rules::{Limits, Past, Rules, Scene};
use crate::settings::{self, LoadOptions, Settings};
use crate::vmdb::rule_facts::{self, StoredFacts};
use crate::vmdb::{Access, Vmdb};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

const PAGE: i64 = 500;

/// Reads both settings, and the events.
///
/// # Errors
/// See [`CliError`].
pub fn run(options: LoadOptions, replay: &ReplayArguments, json: bool) -> Result<(), CliError> {
    let since = times::written("--since", &replay.since, clock::now())?;
    let load = |options: &LoadOptions| {
        settings::load(options).map_err(|errors| CliError::Settings(errors.to_string()))
    };
    let in_force = load(&options)?;
    let mut with = options;
    with.files.push(replay.with.clone());
    with.last_rules_alone = replay.only;
    let changed = load(&with)?;
    let mut diff = Diff::new(&in_force, &changed, replay.limit);
    let read = async {
        let vmdb = Vmdb::open(&in_force.vmdb, Access::Read).await.map_err(failed)?;
        let start =
            vmdb.read(move |connection| rule_facts::start_of(connection, since)).await.map_err(failed)?;
        let Some(mut after) = start else { return Ok::<(), CliError>(()) };
        loop {
            let read = move |connection: &mut _| {
                rule_facts::page(connection, after, since, PAGE, rule_outcome::COLUMNS)
            };
            let page = vmdb.read(read).await.map_err(failed)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for stored in page {
                let lines: String = diff.event(stored).iter().map(|line| line.written(json) + "\n").collect();
                if !lines.is_empty() && terminal::print(&lines)? == Reader::Gone {
                    return Ok(());
                }
            }
        }
    };
    actix_rt::System::new().block_on(read)?;
    terminal::print(&diff.totals(json)).map(drop)
}

/// One thing that is done by one of both alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `+`: by the changed rules alone; `-`: by those in force alone.
    pub sign: char,
    /// When the event was stored.
    pub at: DateTime<Utc>,
    /// `event_streams.id`
    pub event_id: i64,
    /// Its type.
    pub event_type: String,
    /// Its EMS.
    pub ems: String,
    /// The rule, and what it does.
    pub action: (String, String),
}

impl Line {
    /// For people, or for machines.
    pub fn written(&self, json: bool) -> String {
        let Self { sign, at, event_id, event_type, ems, action: (rule, action) } = self;
        if json {
            let line = json!({"sign": sign.to_string(), "created_on": at, "event_id": event_id, "event_type": event_type,
                              "ems": ems, "rule": rule, "action": action});
            return line.to_string();
        }
        let at = at.format("%Y-%m-%d %H:%M:%S");
        one_line(&format!("{sign} {at}  event {event_id} {event_type} of {ems}  {rule}: {action}"))
    }
}

/// Both rule sets, and what they have done so far.
pub struct Diff {
    in_force: Side,
    changed: Side,
    events: u64,
    signs: [u64; 2],
    limit: usize,
}

/// One rule set with its own memory of what it did.
struct Side {
    rules: Rules,
    max_action_age: Duration,
    fired: HashMap<(String, String), VecDeque<DateTime<Utc>>>,
    counts: BTreeMap<String, BTreeMap<FiringState, u64>>,
}

impl Side {
    fn new(settings: &Settings) -> Self {
        let (rules, max_action_age) = (settings.rules.clone(), settings.max_action_age);
        Self { rules, max_action_age, fired: HashMap::new(), counts: BTreeMap::new() }
    }

    /// Rule and action, of everything that it does for the event.
    fn event(&mut self, stored: &StoredFacts) -> BTreeSet<(String, String)> {
        let ems = name(stored);
        let candidates = self.rules.candidates_of(ems, &stored.source, &stored.event_type);
        let mut done = BTreeSet::new();
        if candidates.is_empty() {
            return done;
        }
        let facts = rule_outcome::facts(stored.clone(), self.rules.group_and_level(&stored.event_type));
        let scene = Scene::new(&facts);
        let question = Question {
            facts: &facts,
            scene: &scene,
            age: stored.created_on - stored.timestamp,
            max_action_age: self.max_action_age,
            now: stored.created_on,
        };
        for rule in candidates.iter().filter_map(|candidate| self.rules.get(candidate)) {
            let past = |key: &str| {
                let times = self.fired.get(&(rule.name.clone(), key.to_owned()));
                Ok::<_, std::convert::Infallible>(past(&rule.limits, times, stored.created_on))
            };
            let Ok(outcome) = question.ask(rule, past);
            *self.counts.entry(rule.name.clone()).or_default().entry(outcome.state).or_default() += 1;
            if let (FiringState::Done, Some(key)) = (outcome.state, outcome.key) {
                let times = self.fired.entry((rule.name.clone(), key)).or_default();
                times.push_back(stored.created_on);
                let most = rule.limits.at_most.map_or(1, |at_most| at_most.count as usize);
                times.drain(..times.len().saturating_sub(most));
            }
            let actions = outcome.actions.into_iter().filter(|(_, left_out)| left_out.is_none());
            done.extend(actions.map(|(action, _)| (rule.name.clone(), action.to_string())));
        }
        done
    }

    fn count(&self, rule: &str, state: FiringState) -> u64 {
        self.counts.get(rule).and_then(|states| states.get(&state)).copied().unwrap_or_default()
    }
}

fn past(limits: &Limits, times: Option<&VecDeque<DateTime<Utc>>>, now: DateTime<Utc>) -> Past {
    let times = || times.into_iter().flatten();
    let fired = limits.at_most.map_or(0, |at_most| {
        let since = now - TimeDelta::from_std(at_most.per).unwrap_or(TimeDelta::MAX);
        times().filter(|time| **time > since).count()
    });
    Past { last: times().next_back().copied(), fired: u32::try_from(fired).unwrap_or(u32::MAX) }
}

fn name(stored: &StoredFacts) -> &str {
    stored.ems.get("name").and_then(|name| name.as_str()).unwrap_or_default()
}

impl Diff {
    /// Of these two; at most `limit` lines.
    pub fn new(in_force: &Settings, changed: &Settings, limit: usize) -> Self {
        Self { in_force: Side::new(in_force), changed: Side::new(changed), events: 0, signs: [0; 2], limit }
    }

    /// What differs for the next event, in the order in which events were stored.
    pub fn event(&mut self, stored: StoredFacts) -> Vec<Line> {
        self.events += 1;
        let (before, after) = (self.in_force.event(&stored), self.changed.event(&stored));
        let line = |sign: char, action: &(String, String)| Line {
            sign,
            at: stored.created_on,
            event_id: stored.id,
            event_type: stored.event_type.clone(),
            ems: name(&stored).to_owned(),
            action: action.clone(),
        };
        let gone = before.difference(&after).map(|action| line('-', action));
        let new = after.difference(&before).map(|action| line('+', action));
        let lines: Vec<Line> = gone.chain(new).collect();
        let shown = (self.signs[0] + self.signs[1]) as usize;
        for line in &lines {
            self.signs[usize::from(line.sign == '+')] += 1;
        }
        let left = self.limit.saturating_sub(shown);
        lines.into_iter().take(left).collect()
    }

    /// How often each rule fired, before and after.
    pub fn totals(&self, json: bool) -> String {
        let all =
            |side: &Side| -> Vec<String> { side.rules.all().iter().map(|rule| rule.name.clone()).collect() };
        let mut rules = all(&self.in_force);
        rules.extend(all(&self.changed).into_iter().filter(|rule| !rules.contains(rule)).collect::<Vec<_>>());
        let [gone, new] = self.signs;
        if json {
            let side = |side: &Side, rule: &str| {
                side.rules.get(rule).map(|_| {
                    let states = [
                        FiringState::Done,
                        FiringState::Grouped,
                        FiringState::Suppressed,
                        FiringState::Skipped,
                    ];
                    states
                        .into_iter()
                        .map(|state| (state.name(), side.count(rule, state)))
                        .collect::<BTreeMap<_, _>>()
                })
            };
            let rule = |rule: &String| json!({"rule": rule, "in_force": side(&self.in_force, rule), "changed": side(&self.changed, rule)});
            let totals = json!({"events": self.events, "added": new, "removed": gone,
                                "rules": rules.iter().map(rule).collect::<Vec<_>>()});
            return format!("{totals}\n");
        }
        let hidden = (gone + new).saturating_sub(self.limit as u64);
        let more = if hidden > 0 { format!("… and {hidden} more lines\n") } else { String::new() };
        let headings = [
            ("RULE", Align::Left),
            ("FIRED", Align::Right),
            ("WOULD FIRE", Align::Right),
            ("HELD BACK", Align::Right),
        ];
        let cell = |side: &Side, rule: &str, states: &[FiringState]| match side.rules.get(rule) {
            None => "none".to_owned(),
            Some(_) => states.iter().map(|state| side.count(rule, *state)).sum::<u64>().to_string(),
        };
        let held_back = [FiringState::Grouped, FiringState::Suppressed, FiringState::Skipped];
        let rows: Vec<_> = rules
            .iter()
            .map(|rule| {
                [
                    rule.clone(),
                    cell(&self.in_force, rule, &[FiringState::Done]),
                    cell(&self.changed, rule, &[FiringState::Done]),
                    cell(&self.changed, rule, &held_back),
                ]
            })
            .collect();
        let table = if rows.is_empty() { String::new() } else { table(headings, &rows) };
        format!("{more}{} events: {new} actions more, {gone} fewer. Nothing was done.\n{table}", self.events)
    }
}
