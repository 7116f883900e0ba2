//! `/vms/:id`, `/hosts/:id`, `/providers/:id`: one resource, its facts and all its events.

use super::events_table::{EventsTable, ROWS, path_of};
use super::filter::Filter;
use super::filter_form::FilterForm;
use crate::http::html::Html;
use crate::http::layout::{self, Frame, age};
use crate::settings::EventGroups;
use crate::vmdb::resource::{self, Fact, Resource, ResourceKind};
use crate::vmdb::timeline::{self, TimelineEvent, TimelineQuery};
use crate::vmdb::{Connection, VmdbError, ems};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What the page was asked for, and by which settings.
pub(in crate::http) struct ResourcePage<'a> {
    pub(in crate::http) kind: ResourceKind,
    pub(in crate::http) id: i64,
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    pub(in crate::http) now: DateTime<Utc>,
}

/// What it shows.
pub(in crate::http) struct Shown {
    resource: Resource,
    events: Vec<TimelineEvent>,
    types: Vec<String>,
    ems_names: BTreeMap<i64, String>,
}

impl ResourcePage<'_> {
    /// `None`: there is no such resource.
    pub(in crate::http) fn read(&self, connection: &mut Connection) -> Result<Option<Shown>, VmdbError> {
        let Some(resource) = resource::find(connection, self.kind, self.id)? else { return Ok(None) };
        let types = timeline::event_types(connection)?;
        let chosen = types.iter().filter(|name| self.filter.shows(self.groups, name));
        let query = TimelineQuery {
            resource: Some((self.kind, self.id)),
            event_types: self.filter.narrows_types().then(|| chosen.cloned().collect()),
            before: self.filter.before,
            limit: ROWS + 1,
            ..TimelineQuery::default()
        };
        let events = timeline::events(connection, &query)?;
        let ems_names = ems::list(connection)?.into_iter().map(|ems| (ems.id.0, ems.name)).collect();
        Ok(Some(Shown { resource, events, types, ems_names }))
    }

    pub(in crate::http) fn write(&self, shown: &Shown) -> String {
        let frame = Frame { title: &shown.resource.name, now: self.now, follow: self.filter.follow };
        let path = path_of(self.kind, self.id);
        layout::page(&frame, |html| {
            self.facts(html, &shown.resource);
            html.raw("<section aria-labelledby=\"events\"><h2 id=\"events\">Events</h2>\n");
            let types: BTreeSet<&str> = shown.types.iter().map(String::as_str).collect();
            let (filter, groups) = (self.filter, self.groups);
            FilterForm { path: &path, filter, groups, ems_names: &[], types: &types }.write(html);
            if shown.events.is_empty() {
                self.empty(html, &path);
            } else {
                let table = EventsTable {
                    path: &path,
                    filter,
                    groups,
                    ems_names: &shown.ems_names,
                    caption: "Newest first",
                    now: self.now,
                };
                table.write(html, &shown.events);
            }
            html.raw("</section>\n");
        })
    }

    fn facts(&self, html: &mut Html, resource: &Resource) {
        html.raw("<section class=\"panel\" aria-label=\"Facts\"><dl class=\"facts\">\n<dt>Kind</dt><dd>");
        html.raw(self.kind.noun()).raw("</dd>\n");
        for (label, fact) in &resource.facts {
            html.raw("<dt>").raw(label).raw("</dt><dd>");
            match fact {
                Fact::Text(text) => drop(html.foreign(text)),
                Fact::Time(time) => age(html, *time, self.now),
                Fact::Link(kind, id, name) => drop(html.link(path_of(*kind, *id), name)),
            }
            html.raw("</dd>\n");
        }
        html.raw("</dl></section>\n");
    }

    fn empty(&self, html: &mut Html, path: &str) {
        html.raw("<div class=\"panel empty\"><p>");
        if self.filter.is_narrow() || self.filter.before.is_some() {
            html.raw("No event here matches. ").link(path, "Show all");
        } else {
            html.raw("No event names this ")
                .raw(self.kind.noun())
                .raw(" yet. New ones appear here when it changes.");
        }
        html.raw("</p></div>\n");
    }
}
