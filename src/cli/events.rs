//! `catchall events`: the latest events, or the dead letters with their native text.

use super::status::ago;
use super::table::{Align, one_line, table};
use crate::clock;
use crate::provider::EmsId;
use crate::vmdb::dead_letters::{self, StoredDeadLetter};
use crate::vmdb::timeline::refresh::Progress;
use crate::vmdb::timeline::{self, EventResource, TimelineEvent, TimelineQuery};
use crate::vmdb::{Connection, VmdbError, ems};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Which are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Only of this EMS.
    pub ems_id: Option<EmsId>,
    /// At most so many, the latest.
    pub limit: usize,
}

/// The id of the EMS called `name`.
///
/// # Errors
/// See [`VmdbError`].
pub fn ems_called(connection: &mut Connection, name: &str) -> Result<Option<EmsId>, VmdbError> {
    Ok(ems::list(connection)?.into_iter().find(|ems| ems.name == name).map(|ems| ems.id))
}

/// The latest events for people, newest last, as in a log.
///
/// # Errors
/// See [`VmdbError`].
pub fn text(connection: &mut Connection, chosen: &Chosen, now: DateTime<Utc>) -> Result<String, VmdbError> {
    let (events, names) = read(connection, chosen)?;
    if events.is_empty() {
        return Ok("No events. `catchall status` tells when each EMS was last heard.\n".to_owned());
    }
    let headings = [
        ("ID", Align::Right),
        ("TIME (UTC)", Align::Left),
        ("AGE", Align::Right),
        ("EMS", Align::Left),
        ("EVENT TYPE", Align::Left),
        ("ABOUT", Align::Left),
        ("REFRESH", Align::Left),
        ("MESSAGE", Align::Left),
    ];
    let row = |event: &TimelineEvent| {
        let timestamp = event.position.timestamp;
        [
            event.position.id.to_string(),
            timestamp.format("%Y-%m-%d %H:%M:%S").to_string(),
            clock::in_words(now - timestamp),
            name_of(&names, event.ems_id),
            times(event),
            event.resources.iter().map(about).collect::<Vec<_>>().join(", "),
            refresh(event),
            event.message.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = events.iter().rev().map(row).collect();
    Ok(table(headings, &rows))
}

/// The latest events for machines: one JSON object on each line, newest last.
///
/// # Errors
/// See [`VmdbError`].
pub fn json_lines(connection: &mut Connection, chosen: &Chosen) -> Result<String, VmdbError> {
    let (events, names) = read(connection, chosen)?;
    let line = |event: &TimelineEvent| {
        let resource = |resource: &EventResource| {
            json!({"kind": resource.kind.noun(), "id": resource.id, "name": resource.name,
                   "destination": resource.destination})
        };
        let resources: Vec<Json> = event.resources.iter().map(resource).collect();
        let line = json!({
            "id": event.position.id, "timestamp": event.position.timestamp, "created_on": event.created_on,
            "ems_id": event.ems_id, "ems": name_of(&names, event.ems_id), "event_type": event.event_type,
            "folded": event.folded, "message": event.message, "resources": resources, "refresh": refresh(event),
        });
        format!("{line}\n")
    };
    Ok(events.iter().rev().map(line).collect())
}

type Names = BTreeMap<i64, String>;

fn read(connection: &mut Connection, chosen: &Chosen) -> Result<(Vec<TimelineEvent>, Names), VmdbError> {
    let ems_id = chosen.ems_id.map(|id| id.0);
    let query = TimelineQuery { ems_id, limit: chosen.limit, ..TimelineQuery::default() };
    Ok((timeline::events(connection, &query)?, names(connection)?))
}

fn names(connection: &mut Connection) -> Result<Names, VmdbError> {
    Ok(ems::list(connection)?.into_iter().map(|ems| (ems.id.0, ems.name)).collect())
}

fn name_of(names: &Names, ems_id: Option<i64>) -> String {
    ems_id.map_or_else(String::new, |id| names.get(&id).cloned().unwrap_or_else(|| id.to_string()))
}

/// Its type, and how often it came when repeats were folded into it.
fn times(event: &TimelineEvent) -> String {
    match event.folded {
        0 => event.event_type.clone(),
        folded => format!("{} ×{}", event.event_type, folded + 1),
    }
}

fn about(resource: &EventResource) -> String {
    let towards = if resource.destination { "to " } else { "" };
    let name = resource.name.clone().or(resource.id.map(|id| id.to_string())).unwrap_or_default();
    format!("{towards}{} {name}", resource.kind.noun())
}

fn refresh(event: &TimelineEvent) -> String {
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

/// The latest dead letters for people: the reason, and the native text as it came.
///
/// # Errors
/// See [`VmdbError`].
pub fn dead_text(
    connection: &mut Connection,
    chosen: &Chosen,
    now: DateTime<Utc>,
) -> Result<String, VmdbError> {
    let (letters, names) = read_dead(connection, chosen)?;
    if letters.is_empty() {
        return Ok("No dead letters.\n".to_owned());
    }
    let letter = |letter: &StoredDeadLetter| {
        format!(
            "{}  {}, met {}, tried again {} times\n  reason: {}\n  native: {}\n\n",
            letter.id,
            one_line(&name_of(&names, Some(letter.ems_id.0))),
            ago(Some(letter.created_on), now),
            letter.attempts,
            one_line(&letter.letter.reason),
            one_line(&letter.letter.native)
        )
    };
    Ok(letters.iter().map(letter).collect::<String>()
        + "`catchall events --dead --retry` parses them again.\n")
}

/// The latest dead letters for machines: one JSON object on each line.
///
/// # Errors
/// See [`VmdbError`].
pub fn dead_json_lines(connection: &mut Connection, chosen: &Chosen) -> Result<String, VmdbError> {
    let (letters, names) = read_dead(connection, chosen)?;
    let line = |letter: &StoredDeadLetter| {
        let line = json!({
            "id": letter.id, "ems_id": letter.ems_id, "ems": name_of(&names, Some(letter.ems_id.0)),
            "event_uid": letter.letter.event_uid, "reason": letter.letter.reason, "native": letter.letter.native,
            "created_on": letter.created_on, "attempts": letter.attempts,
        });
        format!("{line}\n")
    };
    Ok(letters.iter().map(line).collect())
}

fn read_dead(
    connection: &mut Connection,
    chosen: &Chosen,
) -> Result<(Vec<StoredDeadLetter>, Names), VmdbError> {
    let limit = i64::try_from(chosen.limit).unwrap_or(i64::MAX);
    let letters = match chosen.ems_id {
        Some(ems_id) => dead_letters::list_of(connection, ems_id, limit)?,
        None => dead_letters::list(connection, limit)?,
    };
    Ok((letters, names(connection)?))
}
