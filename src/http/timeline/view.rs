//! What every timeline shows, of everything or of one resource: the stretch of time, its histogram, what can be chosen, and
//! the events.

use super::bands_list::{self, NamedBand};
use super::changes::Changes;
use super::choice::Choice;
use super::events_table::{EventsTable, ROWS};
use super::facets;
use super::filter::{Filter, WantedResource};
use super::filter_form::FilterForm;
use super::lanes::{BARS, Lanes};
use super::plot;
use super::window::Window;
use super::window_bar;
use crate::http::html::Html;
use crate::provider::EmsId;
use crate::settings::EventGroups;
use crate::vmdb::ems::{self, EmsRow};
use crate::vmdb::resource::{self, Fact, Resource, ResourceKind};
use crate::vmdb::resource_search::FoundResource;
use crate::vmdb::state_changes::{self, StateChange};
use crate::vmdb::timeline::bands::{self, Band};
use crate::vmdb::timeline::counts::{self, CountQuery, Counts};
use crate::vmdb::timeline::{self, TimelinePage, TimelineQuery};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// What was asked for, and by which settings.
pub(in crate::http) struct View<'a> {
    /// Where the page is.
    pub(in crate::http) path: &'a str,
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    /// The stretch of time when none is asked for.
    pub(in crate::http) own_window: Window,
    /// The one resource that the page is about.
    pub(in crate::http) about: Option<(ResourceKind, i64)>,
    pub(in crate::http) now: DateTime<Utc>,
}

/// What it shows.
pub(in crate::http) struct Shown {
    pub(in crate::http) all_ems: Vec<EmsRow>,
    /// The resource that was chosen or that the page is about.
    pub(in crate::http) resource: Option<Resource>,
    choice: Choice,
    counts: Counts,
    bands: Vec<Band>,
    page: TimelinePage,
    changes: Vec<StateChange>,
    /// When nothing is in the stretch: the newest event before it.
    before: Option<DateTime<Utc>>,
}

impl View<'_> {
    fn window(&self) -> Window {
        self.filter.window_or(self.own_window)
    }

    fn ends(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        self.window().ends(self.now)
    }

    /// Its filter as other addresses understand it, which know no page of a resource.
    fn whole_filter(&self) -> Filter {
        let filter = self.filter.within(self.window());
        match self.about {
            Some((ResourceKind::Ems, _)) | None => filter,
            Some((kind, id)) => filter.about(kind, id),
        }
    }

    pub(in crate::http) fn read(&self, connection: &mut Connection) -> Result<Shown, VmdbError> {
        let (since, until) = self.ends();
        let mut choice = self.filter.choose(connection, self.groups, (since, until))?;
        if let Some(query) = &mut choice.query {
            query.resource = self.about.or(query.resource);
            query.limit = ROWS;
        }
        let all_ems = ems::list(connection)?;
        let Some(query) = &choice.query else { return Ok(Shown::nothing(choice, all_ems)) };
        let resource = match query.resource {
            Some((kind, id)) => resource::find(connection, kind, id)?,
            None => None,
        };
        if let (None, Some((kind, id)), Some(resource)) = (self.about, query.resource, &resource) {
            choice.resources = vec![FoundResource { kind, id, name: resource.name.clone(), ems: None }];
        }
        if self.about.is_some() && resource.is_none() {
            return Ok(Shown::nothing(choice, all_ems));
        }
        let of_ems = match (query.resource, &resource) {
            (Some((ResourceKind::Ems, id)), _) => Some(id),
            (_, Some(resource)) => ems_of(resource),
            (_, None) => query.ems_id,
        };
        // Levels, groups and types are counted too as if they were not filtered.
        let counted = CountQuery {
            resource: query.resource,
            ems_id: query.ems_id,
            event_types: None,
            since,
            until,
            bars: BARS,
        };
        let page = timeline::page(connection, query)?;
        let before = if page.events.is_empty() { newest_before(connection, query, since)? } else { None };
        Ok(Shown {
            changes: self.changes(connection, query, &page)?,
            counts: counts::counts(connection, &counted)?,
            bands: bands::bands(connection, of_ems.map(EmsId), since, until)?,
            resource,
            all_ems,
            page,
            before,
            choice,
        })
    }

    /// Whether it is about an EMS, whose changes are those of many resources.
    fn is_of_ems(shown: &Shown) -> bool {
        let resource = shown.choice.query.as_ref().and_then(|query| query.resource);
        resource.is_some_and(|(kind, _)| kind == ResourceKind::Ems)
    }

    /// What changed of the resource within the time that the page of events covers.
    fn changes(
        &self,
        connection: &mut Connection,
        query: &TimelineQuery,
        page: &TimelinePage,
    ) -> Result<Vec<StateChange>, VmdbError> {
        let Some(resource) = query.resource else { return Ok(Vec::new()) };
        let (since, until) = self.ends();
        let from = page.next.map_or(since, |oldest| oldest.timestamp);
        let to = query.before.map_or(until, |newest| newest.timestamp);
        state_changes::of(connection, resource, (from, to), ROWS)
    }

    pub(in crate::http) fn write(&self, html: &mut Html, shown: &Shown) {
        let lanes = Lanes::new(&shown.counts, self.ends(), self.filter, self.groups);
        html.raw("<section class=\"plot\" id=\"plot\" aria-labelledby=\"plot-title\">\n<h2 class=\"spoken\" id=\"plot-title\">");
        html.raw("How many events, and when</h2>\n");
        window_bar::write(html, self.path, self.filter, self.window(), self.now);
        self.histogram(html, shown, &lanes);
        html.raw("</section>\n<section aria-labelledby=\"events\">\n<h2 class=\"spoken\" id=\"events\">Events</h2>\n");
        let names: Vec<&str> = shown.all_ems.iter().map(|ems| ems.name.as_str()).collect();
        let (path, filter, groups) = (self.path, self.filter, self.groups);
        let ems_names = if self.about.is_none() { &names[..] } else { &[] };
        FilterForm { path, filter, groups, ems_names, types: &lanes.types }.write(html);
        facets::chips(html, path, filter, &shown.choice, groups);
        if shown.page.events.is_empty() && shown.changes.is_empty() {
            self.empty(html, shown);
        } else {
            self.tools(html);
            let ems_names: BTreeMap<i64, String> =
                shown.all_ems.iter().map(|ems| (ems.id.0, ems.name.clone())).collect();
            let resource = shown.resource.as_ref().filter(|_| !Self::is_of_ems(shown));
            let changes =
                Changes { rows: &shown.changes, name: resource.map(|resource| resource.name.as_str()) };
            let (ems_names, now) = (&ems_names, self.now);
            EventsTable { path, filter, groups, ems_names, changes, now }.write(html, &shown.page);
        }
        html.raw("</section>\n");
    }

    fn histogram(&self, html: &mut Html, shown: &Shown, lanes: &Lanes) {
        let names: BTreeMap<EmsId, &str> =
            shown.all_ems.iter().map(|ems| (ems.id, ems.name.as_str())).collect();
        let named = |band: &Band| {
            let ems =
                names.get(&band.ems_id).map_or_else(|| band.ems_id.to_string(), |name| (*name).to_owned());
            NamedBand { ems, band: band.clone() }
        };
        let bands: Vec<NamedBand> = shown.bands.iter().map(named).collect();
        html.raw("<div class=\"lanes\">\n");
        facets::lane_names(html, self.path, self.filter, lanes);
        let zoomed = |since, until| self.filter.within(Window::Between(since, until)).link(self.path);
        plot::draw(html, lanes, &bands, &zoomed);
        html.raw("</div>\n<div class=\"under\">");
        facets::levels(html, self.path, self.filter, lanes);
        html.raw("<p class=\"quiet\"><b>").count(lanes.total()).raw("</b> events, a bar is ");
        html.text(super::window::length_in_words(lanes.width)).raw(", each lane has its own scale");
        if self.filter.text.is_some() {
            html.raw(". Bars count events whatever text they hold");
        }
        html.raw("</p></div>\n");
        facets::other_groups(html, self.path, self.filter, lanes);
        bands_list::write(html, &bands, self.now);
    }

    /// Following, and taking the events elsewhere.
    fn tools(&self, html: &mut Html) {
        let whole = self.whole_filter();
        html.raw("<div class=\"tools\"><p class=\"quiet\">Newest first</p>");
        if self.window().is_open() && self.filter.before.is_none() {
            html.raw("<button type=\"button\" id=\"live\" hidden aria-pressed=\"false\" data-href=\"");
            html.text(whole.link("/live")).raw("\">Live</button>");
            let other = Filter { follow: !self.filter.follow, ..self.filter.clone() };
            html.raw("<noscript>");
            let words = if self.filter.follow { "Stop reloading" } else { "Reload every 5 s" };
            html.link(other.link(self.path), words).raw("</noscript>");
        }
        html.raw("<a href=\"").text(whole.link("/export.csv")).raw("\" download>CSV</a><a href=\"");
        html.text(whole.link("/export.json")).raw("\" download>JSON</a>");
        html.raw("<button type=\"button\" id=\"help\" hidden aria-haspopup=\"dialog\">Keys <kbd>?</kbd></button></div>\n");
    }

    /// Says why nothing is shown, and what to do.
    fn empty(&self, html: &mut Html, shown: &Shown) {
        html.raw("<div class=\"panel empty\"><p>");
        if shown.choice.query.is_none() && !shown.choice.resources.is_empty() {
            self.which_one(html, shown);
        } else if shown.all_ems.is_empty() {
            html.raw("No EMS is known yet. Add one to <code>ext_management_systems</code> in the settings; ");
            html.raw("<code>catchall check --connect</code> says whether it can be reached.");
        } else if self.filter.before.is_some() {
            html.raw("There are no older events in this time. ");
            html.link(self.filter.first_page().link(self.path), "Newest");
        } else if self.filter.is_narrow() {
            html.raw("No event of this time matches. ").link(self.filter.wide().link(self.path), "Show all");
        } else {
            html.raw("No event in this time. If there should be some: <a href=\"/pipeline\">Pipeline</a> tells what ");
            html.raw(
                "each event catcher does, <code>catchall check --connect</code> whether its EMS answers.",
            );
        }
        if let Some(before) = shown.before {
            let around = Window::Last((self.now - before) + TimeDelta::hours(1));
            html.raw(" The newest one before: ").raw("<a href=\"");
            html.text(self.filter.within(around).link(self.path)).raw("\">");
            crate::http::layout::moment(html, before, self.now);
            html.raw("</a>.");
        }
        html.raw("</p></div>\n");
    }

    fn which_one(&self, html: &mut Html, shown: &Shown) {
        let name = match &self.filter.resource {
            Some(WantedResource::Named(name)) => name.as_str(),
            _ => "",
        };
        html.raw("Which ").foreign(name).raw(" is meant?</p>\n<ul class=\"which\">");
        for found in &shown.choice.resources {
            html.raw("<li><span class=\"kind\">").raw(found.kind.noun()).raw("</span> ");
            html.link(self.filter.about(found.kind, found.id).link(self.path), &found.name);
            if let Some(ems) = &found.ems {
                html.raw(" <span class=\"quiet\">").foreign(ems).raw("</span>");
            }
            html.raw("</li>\n");
        }
        html.raw("</ul><p>");
    }
}

impl Shown {
    fn nothing(choice: Choice, all_ems: Vec<EmsRow>) -> Self {
        Self {
            all_ems,
            choice,
            resource: None,
            counts: Counts { width: TimeDelta::hours(1), bars: Vec::new() },
            bands: Vec::new(),
            page: TimelinePage::default(),
            changes: Vec::new(),
            before: None,
        }
    }
}

fn ems_of(resource: &Resource) -> Option<i64> {
    resource.facts.iter().find_map(|(_, fact)| match fact {
        Fact::Link(ResourceKind::Ems, id, _) => Some(*id),
        _ => None,
    })
}

fn newest_before(
    connection: &mut Connection,
    query: &TimelineQuery,
    since: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, VmdbError> {
    if query.before.is_some() {
        return Ok(None);
    }
    let older = TimelineQuery { since: None, until: Some(since), limit: 1, ..query.clone() };
    Ok(timeline::page(connection, &older)?.events.first().map(|event| event.position.timestamp))
}
