//! The list of events as a table: when, how bad, what, about which resource, and which refresh followed. Events of one chain
//! are one row that opens; changes of the inventory stand between the events where they happened.

use super::cells::{about, cut, path_of, refresh};
use super::chains;
use super::changes::{self, Changes};
use super::filter::Filter;
use crate::http::html::Html;
use crate::http::layout::{level_badge, moment};
use crate::settings::EventGroups;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::timeline::{TimelineEvent, TimelinePage};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Rows of a page.
pub(in crate::http) const ROWS: usize = 40;

/// What the table is made of.
pub(in crate::http) struct EventsTable<'a> {
    /// Where the page is, for links that filter it.
    pub(in crate::http) path: &'a str,
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    /// Names of the EMSs by id.
    pub(in crate::http) ems_names: &'a BTreeMap<i64, String>,
    /// What changed of the resource that the page is about.
    pub(in crate::http) changes: Changes<'a>,
    pub(in crate::http) now: DateTime<Utc>,
}

/// How a row belongs to a chain.
#[derive(Clone, Copy, Debug)]
enum InChain<'e> {
    /// Not, as far as this page shows.
    Alone,
    /// Its newest event; this is all of it, folded under that.
    Head(&'e [TimelineEvent]),
    /// Folded under another row.
    Folded,
    /// As `Folded`, and shown all the same.
    Unfolded,
}

impl EventsTable<'_> {
    /// Writes the table, and links to the pages before and after.
    pub(in crate::http) fn write(&self, html: &mut Html, page: &TimelinePage) {
        html.raw("<div class=\"scroll\"><table class=\"events\" id=\"table\">\n<thead><tr>");
        for heading in ["Time", "Level", "Event", "About", "EMS"] {
            html.raw("<th scope=\"col\">").raw(heading).raw("</th>");
        }
        html.raw("<th scope=\"col\" title=\"its time is counted from when the event was stored\">Refresh it caused</th></tr></thead>\n<tbody id=\"rows\">\n");
        let mut changes = self.changes.rows.iter().peekable();
        for chain in chains::folded(&page.events, |event| event.ems_id.zip(event.chain_id)) {
            while let Some(change) =
                changes.next_if(|change| change.changed_on >= chain[0].position.timestamp)
            {
                changes::row(html, change, self.changes.name, self.now);
            }
            self.write_row(
                html,
                &chain[0],
                if chain.len() > 1 { InChain::Head(chain) } else { InChain::Alone },
            );
            let others = if self.filter.unfolded { InChain::Unfolded } else { InChain::Folded };
            chain[1..].iter().for_each(|event| self.write_row(html, event, others));
        }
        changes.for_each(|change| changes::row(html, change, self.changes.name, self.now));
        html.raw("</tbody>\n</table></div>\n");
        self.pages(html, page);
    }

    /// One event's row, as it also comes live.
    pub(in crate::http) fn row(&self, html: &mut Html, event: &TimelineEvent) {
        self.write_row(html, event, InChain::Alone);
    }

    fn pages(&self, html: &mut Html, page: &TimelinePage) {
        if page.next.is_none() && self.filter.before.is_none() {
            return;
        }
        html.raw("<nav class=\"pages\" aria-label=\"Pages of events\">");
        if self.filter.before.is_some() {
            html.link(self.filter.first_page().link(self.path), "Newest").raw(" ");
        }
        if page.next.is_some() {
            let next = Filter { before: page.next, follow: false, ..self.filter.clone() };
            html.link(next.link(self.path), "Older");
        }
        if page.broken_off {
            html.raw(" <span class=\"quiet\">Looking further back took its time: <b>Older</b> goes on from there.</span>");
        }
        html.raw("</nav>\n");
    }

    fn write_row(&self, html: &mut Html, event: &TimelineEvent, in_chain: InChain<'_>) {
        let id = event.position.id.to_string();
        html.raw("<tr id=\"e").text(&id);
        html.raw(match in_chain {
            InChain::Alone => "\">",
            InChain::Head(_) => "\" class=\"head\">",
            InChain::Folded => "\" class=\"link\" hidden>",
            InChain::Unfolded => "\" class=\"link\">",
        });
        html.raw("<td class=\"when\"><a href=\"/events/").text(&id).raw("\">");
        moment(html, event.position.timestamp, self.now);
        html.raw("</a></td><td class=\"how\">");
        let found = self.groups.group_and_level(&event.event_type);
        level_badge(html, found.level);
        html.raw("</td><td class=\"what\">");
        self.what(html, event, found.group_name);
        let mut refreshed = event;
        if let InChain::Head(chain) = in_chain {
            self.fold(html, &id, chain.len() - 1);
            // What a chain made happen stands in its row, whichever of its events asked for it.
            refreshed = chain.iter().find(|event| event.refresh.is_some()).unwrap_or(event);
        }
        html.raw("</td><td class=\"about\">");
        event.resources.iter().for_each(|resource| about(html, resource));
        html.raw("</td><td class=\"ems\">");
        if let Some(id) = event.ems_id {
            let name = self.ems_names.get(&id).cloned().unwrap_or_else(|| id.to_string());
            html.link(path_of(ResourceKind::Ems, id), name);
        }
        html.raw("</td><td class=\"refresh\">");
        refresh(html, refreshed);
        html.raw("</td></tr>\n");
    }

    fn what(&self, html: &mut Html, event: &TimelineEvent, group_name: &str) {
        let only = Filter { event_type: Some(event.event_type.clone()), ..self.filter.first_page() };
        html.raw("<code>").link(only.link(self.path), cut(&event.event_type)).raw("</code> ");
        if event.folded > 0 {
            html.raw("<strong title=\"so many alike, folded by flood control\">×")
                .count(event.folded + 1)
                .raw("</strong> ");
        }
        html.raw("<span class=\"group\">").text(group_name).raw("</span>");
        if let Some(message) = event.message.as_deref().filter(|message| !message.is_empty()) {
            html.raw("<span class=\"more\">").foreign(cut(message)).raw("</span>");
        }
    }

    /// Opens the chain: at once with the script, by another page without.
    fn fold(&self, html: &mut Html, id: &str, others: usize) {
        let other = Filter { unfolded: !self.filter.unfolded, ..self.filter.clone() };
        html.raw("<a class=\"fold\" href=\"").text(other.link(self.path)).raw("#e").text(id);
        html.raw(if self.filter.unfolded {
            "\" aria-expanded=\"true\">"
        } else {
            "\" aria-expanded=\"false\">"
        });
        html.count(others as i64).raw(" more of this chain</a>");
    }
}
