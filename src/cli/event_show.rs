//! `catchall events show ID`: the story of one event in words, or as JSON. Works beside a running Catchall.
//!
//! What the switchboard says is what it says now: its files may have changed since the event came.

use super::table::one_line;
use crate::clock;
use crate::switchboard::{Explanation, Switchboard};
use crate::vmdb::state_changes::StateChange;
use crate::vmdb::trace::{self, Follower, Relation, Story};
use crate::vmdb::trace_steps::{Step, steps};
use crate::vmdb::trace_work::{Action, Refresh, WaitingWork};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::fmt::Write;

/// More of `full_data` is only in `--json`.
const MOST_CHARACTERS: usize = 2_000;

/// Why there is no story.
#[derive(Debug, thiserror::Error)]
pub enum EventShowError {
    /// There is no such event.
    #[error("there is no event with the id or event_uid {0:?} in the VMDB; `catchall events` shows ids")]
    Unknown(String),
    /// Several EMSs have this `event_uid`.
    #[error("{asked:?} is the event_uid of several events; ask for one of their ids: {ids}")]
    Several {
        /// What was asked for.
        asked: String,
        /// Theirs.
        ids: String,
    },
    /// The VMDB's own.
    #[error(transparent)]
    Vmdb(#[from] VmdbError),
}

/// Reads the story of the event that `asked` means.
///
/// # Errors
/// See [`EventShowError`].
pub fn read(connection: &mut Connection, asked: &str) -> Result<Story, EventShowError> {
    let ids = trace::find(connection, asked)?;
    let story = match ids[..] {
        [] => None,
        [id] => trace::story(connection, id)?,
        _ => {
            let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            return Err(EventShowError::Several { asked: asked.to_owned(), ids });
        }
    };
    story.ok_or_else(|| EventShowError::Unknown(asked.to_owned()))
}

/// For machines: one JSON object.
pub fn json(story: &Story, switchboard: &Switchboard) -> String {
    let explanation = explain(story, switchboard);
    let resolved = explanation.resolved.as_ref();
    let resolved = resolved.map(|resolved| {
        json!({"domain": resolved.domain, "class": resolved.class, "instance": resolved.instance,
               "attributes": resolved.attributes})
    });
    let field = |run: &crate::switchboard::FieldRun| json!({"class": run.class, "field": run.field, "value": run.value});
    let steps: Vec<_> = steps(story)
        .iter()
        .map(|step| json!({"step": step.what, "at": step.at, "after_seconds": step.after.map(seconds)}))
        .collect();
    let mut told = json!(story);
    told["event"]["columns"] =
        story.event.columns.iter().map(|(name, value)| (*name, json!(value))).collect();
    // What is no JSON, which only another program can have stored, stays text.
    if let Some(full_data) = story.event.full_data.as_deref().and_then(|text| serde_json::from_str(text).ok())
    {
        told["event"]["full_data"] = full_data;
    }
    told["switchboard_now"] = json!({
        "resolved": resolved, "fields": explanation.fields.iter().map(field).collect::<Vec<_>>(),
        "calls": explanation.calls, "warnings": explanation.warnings, "aborted": explanation.aborted,
    });
    told["steps"] = json!(steps);
    format!("{told}\n")
}

/// For people.
pub fn text(story: &Story, switchboard: &Switchboard) -> String {
    let mut page = Page::default();
    tell_event(&mut page, story);
    tell_folded(&mut page, story);
    tell_relations(&mut page, story);
    tell_switchboard(&mut page, &explain(story, switchboard));
    page.section("Done for it besides refreshing", "nothing", story.actions.iter().map(action));
    let waiting = story.waiting.iter().map(waiting);
    let refreshes = story.refreshes.iter().map(refresh);
    let none = match story.event.work_id {
        None => "none asked for",
        Some(_) => "asked for, and done so long ago that its row is gone",
    };
    page.section("Work in the queue", "none", waiting);
    page.section("Refreshes", none, refreshes);
    page.section("Changed in the inventory", "nothing", story.changes.iter().map(change));
    page.section(
        "Other events of its chain, and policy events",
        "none",
        story.followers.iter().map(follower),
    );
    tell_steps(&mut page, story);
    page.0
}

fn explain(story: &Story, switchboard: &Switchboard) -> Explanation {
    switchboard.explain(&story.event.source, &story.event.event_type)
}

/// Text in sections; a terminal obeys nothing of what providers sent.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{}", one_line(text));
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("  {name:<20} {value}"));
    }

    fn section(&mut self, title: &str, when_empty: &str, lines: impl Iterator<Item = String>) {
        let lines: Vec<String> = lines.collect();
        self.0.push('\n');
        match lines.is_empty() {
            true => self.line(&format!("{title}: {when_empty}")),
            false => self.line(&format!("{title}:")),
        }
        lines.iter().for_each(|line| self.line(&format!("  {line}")));
    }
}

fn tell_event(page: &mut Page, story: &Story) {
    let event = &story.event;
    page.line(&format!("Event {}: {}", event.id, event.event_type));
    let ems = event.ems.clone().or_else(|| event.ems_id.map(|id| id.to_string()));
    page.fact("ems", &ems.unwrap_or_else(|| "none".to_owned()));
    page.fact("source", &event.source);
    page.fact("timestamp", &event.timestamp.map(time).unwrap_or_default());
    page.fact("created_on", &event.created_on.map(time).unwrap_or_default());
    let chain = event.chain_id.map(|chain| ("chain_id", chain.to_string()));
    for (column, value) in event.columns.iter().cloned().chain(chain) {
        page.fact(column, &value);
    }
    let full_data = event.full_data.as_deref().unwrap_or_default();
    let mut shown: String = full_data.chars().take(MOST_CHARACTERS).collect();
    if shown.len() < full_data.len() {
        shown.push_str(" … (all of it: --json)");
    }
    page.fact("full_data", &shown);
}

fn tell_folded(page: &mut Page, story: &Story) {
    let Some(folded) = &story.folded else { return };
    let (first, last) = (folded.first_timestamp.map(time), folded.last_timestamp.map(time));
    let count = format!(
        "{} repeats (flood control), all from {} until {}",
        folded.count,
        first.unwrap_or_default(),
        last.unwrap_or_default()
    );
    page.fact("folded into it", &count);
}

fn tell_relations(page: &mut Page, story: &Story) {
    let relation = |Relation { what, id, name }: &Relation| match (id, name) {
        (Some(id), Some(name)) => format!("{what} {name} ({id})"),
        (Some(id), None) => format!("{what} {id}"),
        (None, name) => format!("{what} {}, which inventory does not know", name.as_deref().unwrap_or("?")),
    };
    page.section("Related to", "nothing", story.relations.iter().map(relation));
    if !story.missing.is_empty() {
        let missing = story.missing.iter().map(|reference| {
            format!("{}: {} {}", reference.relation, reference.manager_key, reference.manager_ref)
        });
        page.section("Not in inventory yet; linked as soon as a refresh brings it", "", missing);
    }
}

fn tell_switchboard(page: &mut Page, explanation: &Explanation) {
    let mut lines = Vec::new();
    if let Some(resolved) = &explanation.resolved {
        lines.push(format!("answered by {} of {} in {}", resolved.instance, resolved.class, resolved.domain));
    }
    lines.extend(explanation.fields.iter().map(|run| format!("{} = {}", run.field, run.value)));
    for call in &explanation.calls {
        let params: Vec<_> = call.params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        lines.push(format!("calls {}{}", call.uri, params.concat()));
    }
    if explanation.calls.is_empty() {
        lines.push("calls nothing".to_owned());
    }
    lines.extend(explanation.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.extend(explanation.aborted.iter().map(|why| format!("ended before its time: {why}")));
    page.section("What the switchboard says now", "", lines.into_iter());
}

fn action(action: &Action) -> String {
    let mut text = format!("{} {}: {}", action.kind, action.name, action.state);
    if let Some(reason) = &action.reason {
        text += &format!(" ({reason})");
    }
    if let Some(rule) = action.rule.as_ref().filter(|rule| **rule != action.name) {
        text += &format!(", by rule {rule}");
    }
    if let Some(key) = &action.limit_key {
        text += &format!(", limited by {key}");
    }
    if action.attempts > 1 {
        text += &format!(", {} attempts", action.attempts);
    }
    if let Some(params) = action.params.as_ref().filter(|params| !matches!(params.as_str(), "{}" | "null")) {
        text += &format!(", {params}");
    }
    if let Some(requested_on) = action.requested_on {
        text += &format!(", asked for at {}", time(requested_on));
        if let Some(finished_on) = action.finished_on {
            text += &format!(", over after {}", clock::in_words(finished_on - requested_on));
        }
    }
    if let Some(queue_id) = action.queue_id.filter(|_| action.finished_on.is_none()) {
        text += &format!(", work {queue_id}");
    }
    text
}

fn waiting(work: &WaitingWork) -> String {
    let state = match work.state.as_str() {
        "ready" => "waits",
        "dequeue" => "is under way",
        other => other,
    };
    let mut text = format!("{} {} {state}", work.method, work.queue_id);
    if work.full {
        text += ", for the whole EMS";
    }
    if !work.targets.is_empty() {
        text += &format!(", for {}", work.targets.join(", "));
    }
    if let Some(requested_on) = work.requested_on {
        text += &format!(", since {}", time(requested_on));
    }
    if let Some(deliver_on) = work.deliver_on {
        text += &format!(", not before {}", time(deliver_on));
    }
    text
}

fn refresh(refresh: &Refresh) -> String {
    let targets = refresh.targets.unwrap_or_default();
    let mut text = format!("{} refresh, {targets} targets", refresh.kind);
    match &refresh.error {
        Some(error) => text += &format!(", failed: {error}"),
        None => text += ", done",
    }
    for (what, at) in [
        ("requested", refresh.requested_on),
        ("started", refresh.started_on),
        ("finished", refresh.finished_on),
    ] {
        text += &at.map(|at| format!(", {what} {}", time(at))).unwrap_or_default();
    }
    text
}

fn change(change: &StateChange) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let StateChange { resource_type, resource_id, attribute, before, after, changed_on, .. } = change;
    let at = time(*changed_on);
    format!("{resource_type} {resource_id}, {attribute}: {} → {} at {at}", side(before), side(after))
}

fn follower(follower: &Follower) -> String {
    let made_here = if follower.source == "EVM" { ", made by Catchall" } else { "" };
    let at = follower.timestamp.map(time).unwrap_or_default();
    format!("{} {} {} at {at}{made_here}", follower.id, follower.class_name, follower.event_type)
}

fn tell_steps(page: &mut Page, story: &Story) {
    let steps = steps(story);
    let line = |step: &Step| {
        let after = step.after.map(|after| format!("  after {}", clock::in_words(after))).unwrap_or_default();
        format!("{:<18} {}{after}", step.what, time(step.at))
    };
    page.section("How long it took", "", steps.iter().map(line));
    if let [first, .., last] = steps.as_slice() {
        page.line(&format!("  in all {}", clock::in_words(last.at - first.at)));
    }
}

fn seconds(span: chrono::TimeDelta) -> f64 {
    span.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}
