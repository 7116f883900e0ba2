//! How one event is told: its columns for people, and its JSON for machines. `events`, `tail` and `top` share them.

use super::ems_names::{Names, name_of};
use super::terminal::Tone;
use crate::clock;
use crate::settings::EventGroups;
use crate::vmdb::timeline::refresh::{CausedRefresh, Progress};
use crate::vmdb::timeline::{EventResource, TimelineEvent};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

/// For machines.
pub fn json(event: &TimelineEvent, names: &Names, groups: &EventGroups) -> Json {
    let resource = |resource: &EventResource| {
        json!({"kind": resource.kind.noun(), "id": resource.id, "name": resource.name,
               "destination": resource.destination})
    };
    let found = groups.group_and_level(&event.event_type);
    json!({
        "id": event.position.id, "timestamp": event.position.timestamp, "created_on": event.created_on,
        "ems_id": event.ems_id, "ems": name_of(names, event.ems_id), "event_type": event.event_type,
        "group": found.group, "level": found.level, "folded": event.folded, "message": event.message,
        "resources": event.resources.iter().map(resource).collect::<Vec<_>>(),
        "refresh": event.refresh.as_ref().map(refresh_json),
    })
}

fn refresh_json(refresh: &CausedRefresh) -> Json {
    let (state, finished_on, error) = match &refresh.progress {
        Progress::Waiting => ("waiting", None, None),
        Progress::Running => ("running", None, None),
        Progress::Done(finished_on) => ("done", Some(finished_on), None),
        Progress::Failed(error) => ("failed", None, Some(error)),
        Progress::Retrying(error) => ("retrying", None, Some(error)),
        Progress::Past => ("done", None, None),
    };
    json!({"kind": refresh.kind, "state": state, "finished_on": finished_on, "error": error})
}

/// Its type, and how often it came when repeats were folded into it.
pub fn times(event: &TimelineEvent) -> String {
    match event.folded {
        0 => event.event_type.clone(),
        folded => format!("{} ×{}", event.event_type, folded + 1),
    }
}

/// What it names.
pub fn about(event: &TimelineEvent) -> String {
    let one = |resource: &EventResource| {
        let towards = if resource.destination { "to " } else { "" };
        let name = resource.name.clone().or(resource.id.map(|id| id.to_string())).unwrap_or_default();
        format!("{towards}{} {name}", resource.kind.noun())
    };
    event.resources.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The refresh that followed, in words.
pub fn refresh(event: &TimelineEvent) -> String {
    let Some(refresh) = &event.refresh else { return "none".to_owned() };
    let progress = match &refresh.progress {
        Progress::Waiting => "waiting".to_owned(),
        Progress::Running => "running".to_owned(),
        Progress::Done(finished_on) => {
            let stored = event.created_on.unwrap_or(event.position.timestamp);
            format!("done after {}", clock::in_words(*finished_on - stored))
        }
        Progress::Failed(error) => format!("failed: {error}"),
        Progress::Retrying(error) => format!("waiting after it failed: {error}"),
        Progress::Past => "done".to_owned(),
    };
    match &refresh.kind {
        Some(kind) => format!("{kind}, {progress}"),
        None => progress,
    }
}

/// `2026-11-24 15:04:05Z`
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// How a level is meant.
pub fn tone(level: &str) -> Tone {
    match level {
        "critical" => Tone::Bad,
        "warning" => Tone::Warning,
        _ => Tone::Plain,
    }
}
