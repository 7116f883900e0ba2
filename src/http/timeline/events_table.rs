//! The list of events as a table: when, where, what, about which resource, and which refresh followed.

use super::filter::Filter;
use crate::clock;
use crate::http::html::Html;
use crate::http::layout::{badge, moment};
use crate::settings::EventGroups;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::timeline::refresh::{CausedRefresh, Progress};
use crate::vmdb::timeline::{EventResource, TimelineEvent};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Rows of a page.
pub(in crate::http) const ROWS: usize = 100;
/// Longer texts are cut in a table: a message may be as long as a provider likes.
const LONGEST: usize = 400;

/// What the table is made of.
pub(in crate::http) struct EventsTable<'a> {
    /// Where the page is, for links that filter it.
    pub(in crate::http) path: &'a str,
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    /// Names of the EMSs by id.
    pub(in crate::http) ems_names: &'a BTreeMap<i64, String>,
    pub(in crate::http) caption: &'a str,
    pub(in crate::http) now: DateTime<Utc>,
}

impl EventsTable<'_> {
    /// Writes the table, and links to the pages before and after. `events` holds one more than is shown when there are
    /// older ones.
    pub(in crate::http) fn write(&self, html: &mut Html, events: &[TimelineEvent]) {
        let shown = &events[..events.len().min(ROWS)];
        html.raw("<table>\n<caption>").text(self.caption).raw("</caption>\n<thead><tr>");
        html.raw("<th scope=\"col\">Time (UTC)</th><th scope=\"col\">EMS</th><th scope=\"col\">Event</th>");
        html.raw(
            "<th scope=\"col\">About</th><th scope=\"col\">Refresh it caused</th></tr></thead>\n<tbody>\n",
        );
        for event in shown {
            self.row(html, event);
        }
        html.raw("</tbody>\n</table>\n");
        let older = if events.len() > shown.len() { shown.last() } else { None };
        if older.is_none() && self.filter.before.is_none() {
            return;
        }
        html.raw("<nav class=\"pages\" aria-label=\"Pages of events\">");
        if self.filter.before.is_some() {
            html.link(self.filter.first_page().link(self.path), "Newest").raw(" ");
        }
        if let Some(last) = older {
            let next = Filter { before: Some(last.position), follow: false, ..self.filter.clone() };
            html.link(next.link(self.path), "Older");
        }
        html.raw("</nav>\n");
    }

    fn row(&self, html: &mut Html, event: &TimelineEvent) {
        html.raw("<tr><td class=\"when\" data-label=\"Time\">");
        moment(html, event.position.timestamp, self.now);
        html.raw("</td><td data-label=\"EMS\">");
        if let Some(id) = event.ems_id {
            let name = self.ems_names.get(&id).cloned().unwrap_or_else(|| id.to_string());
            html.link(path_of(ResourceKind::Ems, id), name);
        }
        html.raw("</td><td data-label=\"Event\">");
        self.what(html, event);
        html.raw("</td><td data-label=\"About\">");
        event.resources.iter().for_each(|resource| about(html, resource));
        html.raw("</td><td data-label=\"Refresh\">");
        refresh(html, event);
        html.raw("</td></tr>\n");
    }

    fn what(&self, html: &mut Html, event: &TimelineEvent) {
        let found = self.groups.group_and_level(&event.event_type);
        let only = Filter { event_type: Some(event.event_type.clone()), ..self.filter.first_page() };
        html.raw("<code>").link(only.link(self.path), cut(&event.event_type)).raw("</code> ");
        if event.folded > 0 {
            html.raw("<strong>").text(format!("×{}", event.folded + 1)).raw("</strong> ");
        }
        badge(html, level_class(found.level), found.level);
        html.raw("<span class=\"more\">").text(found.group_name).raw("</span>");
        if let Some(message) = event.message.as_deref().filter(|message| !message.is_empty()) {
            html.raw("<span class=\"more\">").foreign(cut(message)).raw("</span>");
        }
    }
}

/// The page of a resource.
pub(in crate::http) fn path_of(kind: ResourceKind, id: i64) -> String {
    let folder = match kind {
        ResourceKind::Vm => "vms",
        ResourceKind::Host => "hosts",
        ResourceKind::Cluster => "clusters",
        ResourceKind::Ems => "providers",
    };
    format!("/{folder}/{id}")
}

pub(in crate::http) fn level_class(level: &str) -> &'static str {
    match level {
        "critical" => "critical",
        "warning" => "warning",
        _ => "detail",
    }
}

fn about(html: &mut Html, resource: &EventResource) {
    html.raw("<div><span class=\"quiet\">");
    html.raw(match (resource.kind, resource.destination) {
        (ResourceKind::Vm, false) => "VM",
        (ResourceKind::Vm, true) => "to VM",
        (ResourceKind::Host, false) => "host",
        (ResourceKind::Host, true) => "to host",
        (ResourceKind::Cluster, false) => "cluster",
        (ResourceKind::Cluster, true) => "to cluster",
        (ResourceKind::Ems, _) => "EMS",
    });
    html.raw("</span> ");
    let name = resource.name.as_deref().map(cut);
    match resource.id {
        Some(id) => html.link(path_of(resource.kind, id), name.unwrap_or_else(|| id.to_string())),
        None => html.foreign(name.unwrap_or_default()),
    };
    html.raw("</div>");
}

fn refresh(html: &mut Html, event: &TimelineEvent) {
    let Some(CausedRefresh { kind, progress }) = &event.refresh else {
        html.raw("<span class=\"quiet\">none</span>");
        return;
    };
    let said = |words: &str| match kind {
        Some(kind) => format!("{kind}, {words}"),
        None => words.to_owned(),
    };
    match progress {
        Progress::Waiting => badge(html, "wait", "waiting"),
        Progress::Running => badge(html, "wait", "running"),
        Progress::Done(finished_on) => {
            badge(html, "good", &said("done"));
            let stored = event.created_on.unwrap_or(event.position.timestamp);
            html.raw("<span class=\"more\">").text(clock::in_words(*finished_on - stored));
            html.raw(" after the event was stored</span>");
        }
        Progress::Failed(error) => {
            badge(html, "bad", &said("failed"));
            html.raw("<span class=\"more\">").foreign(cut(error)).raw("</span>");
        }
        Progress::Retrying(error) => {
            badge(html, "wait", &said("failed, will be tried again"));
            html.raw("<span class=\"more\">").foreign(cut(error)).raw("</span>");
        }
        Progress::Past => {
            html.raw("<span class=\"quiet\">done, no longer recorded</span>");
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
