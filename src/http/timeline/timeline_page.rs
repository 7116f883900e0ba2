//! `/`: the last 24 hours of all EMSs.

use super::events_table::{EventsTable, ROWS};
use super::filter::Filter;
use super::filter_form::{FilterForm, Totals};
use super::histogram;
use super::states::cards;
use crate::http::html::Html;
use crate::http::layout::{self, Frame};
use crate::observe::Observe;
use crate::settings::EventGroups;
use crate::vmdb::overview::{self, Overview};
use crate::vmdb::timeline::{self, TimelineEvent, TimelineQuery};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// What the page was asked for, and by which settings.
pub(in crate::http) struct TimelinePage<'a> {
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    pub(in crate::http) now: DateTime<Utc>,
}

/// What it shows.
pub(in crate::http) struct Shown {
    overview: Overview,
    events: Vec<TimelineEvent>,
}

impl TimelinePage<'_> {
    pub(in crate::http) fn read(&self, connection: &mut Connection) -> Result<Shown, VmdbError> {
        let overview = overview::read(connection, self.now)?;
        let ems_id = match &self.filter.ems {
            Some(name) => match overview.all_ems.iter().find(|ems| ems.ems.name == *name) {
                Some(ems) => Some(ems.ems.id.0),
                None => return Ok(Shown { overview, events: Vec::new() }),
            },
            None => None,
        };
        let types: BTreeSet<&str> = overview.hours.iter().map(|hour| hour.event_type.as_str()).collect();
        let chosen = types.into_iter().filter(|name| self.filter.shows(self.groups, name));
        let query = TimelineQuery {
            ems_id,
            event_types: self.filter.narrows_types().then(|| chosen.map(str::to_owned).collect()),
            since: Some(self.now - TimeDelta::hours(24)),
            before: self.filter.before,
            limit: ROWS + 1,
            ..TimelineQuery::default()
        };
        let events = timeline::events(connection, &query)?;
        Ok(Shown { overview, events })
    }

    pub(in crate::http) fn write(&self, shown: &Shown, observe: &Observe) -> String {
        let frame =
            Frame { title: "Timeline of the last 24 hours", now: self.now, follow: self.filter.follow };
        layout::page(&frame, |html| {
            html.raw("<section aria-labelledby=\"systems\"><h2 id=\"systems\">Systems (EMS)</h2>\n");
            cards(html, &shown.overview.all_ems, observe, self.now);
            html.raw(
                "</section>\n<section aria-labelledby=\"hours\"><h2 id=\"hours\">Events per hour</h2>\n",
            );
            let totals = Totals::new(self.filter, self.groups, &shown.overview);
            html.raw("<div class=\"panel\">");
            histogram::draw(html, &histogram::hours(self.now, &totals.by_hour));
            totals.legend(html, self.filter, self.groups);
            html.raw("</div></section>\n<section aria-labelledby=\"events\"><h2 id=\"events\">Latest events</h2>\n");
            let names: Vec<&str> = shown.overview.all_ems.iter().map(|ems| ems.ems.name.as_str()).collect();
            let types: BTreeSet<&str> =
                shown.overview.hours.iter().map(|hour| hour.event_type.as_str()).collect();
            FilterForm {
                path: "/",
                filter: self.filter,
                groups: self.groups,
                ems_names: &names,
                types: &types,
            }
            .write(html);
            self.events(html, shown);
            html.raw("</section>\n");
        })
    }

    fn events(&self, html: &mut Html, shown: &Shown) {
        if shown.events.is_empty() {
            empty(html, self.filter, shown.overview.all_ems.is_empty());
            return;
        }
        let names = shown.overview.all_ems.iter().map(|ems| (ems.ems.id.0, ems.ems.name.clone())).collect();
        let caption =
            if self.filter.is_narrow() { "Events that match, newest first" } else { "Newest first" };
        let (filter, groups, now) = (self.filter, self.groups, self.now);
        EventsTable { path: "/", filter, groups, ems_names: &names, caption, now }.write(html, &shown.events);
    }
}

/// Says why nothing is shown, and what to do.
fn empty(html: &mut Html, filter: &Filter, no_ems: bool) {
    html.raw("<div class=\"panel empty\"><p>");
    if no_ems {
        html.raw("No EMS is known yet. Add one to <code>ext_management_systems</code> in the settings; ");
        html.raw("<code>catchall check --connect</code> says whether it can be reached.");
    } else if filter.before.is_some() {
        html.raw("There are no older events in the last 24 hours. ");
        html.link(filter.first_page().link("/"), "Newest");
    } else if filter.is_narrow() {
        html.raw("No event of the last 24 hours matches. <a href=\"/\">Show all</a>");
    } else {
        html.raw("No event in the last 24 hours. If there should be some: <code>catchall status</code> tells what ");
        html.raw("each event catcher does, <code>catchall check --connect</code> whether its EMS answers.");
    }
    html.raw("</p></div>\n");
}
