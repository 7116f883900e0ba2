//! Server-sent events as text: a name, an id, data of one or more lines, an empty line.

use crate::clock;
use crate::http::html::Html;
use crate::http::timeline::changes::Changes;
use crate::http::timeline::events_table::EventsTable;
use crate::http::timeline::filter::Filter;
use crate::settings::EventGroups;
use crate::vmdb::timeline::{EventResource, TimelineEvent};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// In bytes; the whole message is at the event's page.
const LONGEST_MESSAGE: usize = 4000;

/// Writes rows as one client wants them.
pub(super) struct Writer {
    pub(super) filter: Filter,
    pub(super) json: bool,
    /// Of the EMSs, by id.
    pub(super) names: BTreeMap<i64, String>,
}

/// An event for programs.
#[derive(Serialize)]
struct LiveEvent<'a> {
    id: i64,
    ems_id: Option<i64>,
    ems: Option<&'a str>,
    event_type: &'a str,
    group: &'a str,
    level: &'static str,
    timestamp: DateTime<Utc>,
    created_on: Option<DateTime<Utc>>,
    message: Option<&'a str>,
    resources: Vec<LiveResource<'a>>,
    folded: i64,
}

#[derive(Serialize)]
struct LiveResource<'a> {
    kind: &'static str,
    id: Option<i64>,
    name: Option<&'a str>,
    destination: bool,
}

impl Writer {
    pub(super) fn row(&self, event: &TimelineEvent, groups: &EventGroups) -> String {
        let data = if self.json { self.json(event, groups) } else { self.html(event, groups) };
        text(Some("row"), Some(event.position.id), &data)
    }

    /// As it stands in the timeline's table.
    fn html(&self, event: &TimelineEvent, groups: &EventGroups) -> String {
        let mut html = Html::new();
        let table = EventsTable {
            path: "/",
            filter: &self.filter,
            groups,
            ems_names: &self.names,
            changes: Changes::default(),
            now: clock::now(),
        };
        table.row(&mut html, event);
        html.finish().trim_end().to_owned()
    }

    fn json(&self, event: &TimelineEvent, groups: &EventGroups) -> String {
        let found = groups.group_and_level(&event.event_type);
        let live = LiveEvent {
            id: event.position.id,
            ems_id: event.ems_id,
            ems: event.ems_id.and_then(|id| self.names.get(&id)).map(String::as_str),
            event_type: &event.event_type,
            group: found.group,
            level: found.level,
            timestamp: event.position.timestamp,
            created_on: event.created_on,
            message: event.message.as_deref().map(cut),
            resources: event.resources.iter().map(resource).collect(),
            folded: event.folded,
        };
        serde_json::to_string(&live).unwrap_or_default()
    }
}

/// A page of the longest messages must not put a client that reads well behind.
fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(LONGEST_MESSAGE)]
}

fn resource(resource: &EventResource) -> LiveResource<'_> {
    LiveResource {
        kind: resource.kind.noun(),
        id: resource.id,
        name: resource.name.as_deref(),
        destination: resource.destination,
    }
}

/// So many of a storm were passed over.
pub(super) fn passed(count: u64) -> String {
    text(Some("passed"), None, &count.to_string())
}

/// The first thing that is sent: from now on nothing is missed. Who loses the connection comes back after two seconds.
pub(super) fn begun() -> String {
    "retry: 2000\n: following\n\n".to_owned()
}

/// Nothing that a client acts upon.
pub(super) fn remark(words: &str) -> String {
    format!(": {}\n\n", words.replace(['\n', '\r'], " "))
}

/// Line ends within the data begin a new line of data: nobody can write an event into another's.
fn text(name: Option<&str>, id: Option<i64>, data: &str) -> String {
    let mut text = String::with_capacity(data.len() + 64);
    if let Some(name) = name {
        text.push_str(&format!("event: {name}\n"));
    }
    if let Some(id) = id {
        text.push_str(&format!("id: {id}\n"));
    }
    for line in data.split(['\n', '\r']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_provider_sends_ends_an_event_or_begins_another() {
        let evil = "a\n\nevent: passed\rdata: 7\r\nb";
        let sent = text(Some("row"), Some(7), evil);
        assert_eq!(
            sent,
            "event: row\nid: 7\ndata: a\ndata: \ndata: event: passed\ndata: data: 7\ndata: \ndata: b\n\n"
        );
        assert_eq!(remark("no\n\nevent: row"), ": no  event: row\n\n");
    }
}
