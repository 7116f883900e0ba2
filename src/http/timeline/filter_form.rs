//! How a timeline is filtered: a plain form, and a legend with counts whose entries are links.

use super::events_table::level_class;
use super::filter::Filter;
use crate::http::html::Html;
use crate::http::layout::badge;
use crate::settings::EventGroups;
use crate::settings::event_groups::LEVELS;
use crate::vmdb::overview::Overview;
use std::collections::{BTreeMap, BTreeSet};

/// More event types than this are not offered; they can still be typed.
const OFFERED_TYPES: usize = 300;

/// The form above the events.
pub(in crate::http) struct FilterForm<'a> {
    pub(in crate::http) path: &'a str,
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    /// Offered when there are any: a resource's page has one EMS.
    pub(in crate::http) ems_names: &'a [&'a str],
    pub(in crate::http) types: &'a BTreeSet<&'a str>,
}

impl FilterForm<'_> {
    pub(in crate::http) fn write(&self, html: &mut Html) {
        let filter = self.filter;
        html.raw("<form class=\"filter\" method=\"get\" action=\"").text(self.path).raw("\">\n");
        if !self.ems_names.is_empty() {
            let names = self.ems_names.iter().map(|name| (*name, *name));
            select(html, ("ems", "EMS"), filter.ems.as_deref(), names);
        }
        select(html, ("level", "Level"), filter.level, LEVELS.into_iter().map(|level| (level, level)));
        let named = self.groups.names.iter().map(|(key, name)| (key.as_str(), name.as_str()));
        let groups = named.chain([("other", "Other")]);
        select(html, ("group", "Group"), filter.group.as_deref(), groups);
        html.raw("<label>Event type<input name=\"type\" list=\"types\" autocomplete=\"off\" value=\"");
        html.text(filter.event_type.as_deref().unwrap_or_default()).raw("\"></label><datalist id=\"types\">");
        for event_type in self.types.iter().take(OFFERED_TYPES) {
            html.raw("<option value=\"").text(event_type).raw("\">");
        }
        html.raw("</datalist>\n<button>Filter</button>\n");
        if filter.is_narrow() {
            html.link(self.path, "Show all").raw("\n");
        }
        let other = Filter { follow: !filter.follow, ..filter.first_page() };
        let words = if filter.follow { "Stop following" } else { "Follow (reload every 5 s)" };
        html.link(other.link(self.path), words).raw("\n</form>\n");
    }
}

fn select<'o>(
    html: &mut Html,
    (name, label): (&'static str, &'static str),
    selected: Option<&str>,
    options: impl Iterator<Item = (&'o str, &'o str)>,
) {
    html.raw("<label>").raw(label).raw("<select name=\"").raw(name).raw("\"><option value=\"\">all</option>");
    for (value, words) in options {
        html.raw("<option value=\"").text(value).raw("\"");
        if selected == Some(value) {
            html.raw(" selected");
        }
        html.raw(">").text(words).raw("</option>");
    }
    html.raw("</select></label>\n");
}

/// How many events there were in the last 24 hours.
pub(in crate::http) struct Totals<'a> {
    /// Of what the filter shows, by hour and level.
    pub(in crate::http) by_hour: BTreeMap<(String, &'static str), i64>,
    by_level: BTreeMap<&'static str, i64>,
    by_group: BTreeMap<&'a str, i64>,
}

impl<'a> Totals<'a> {
    pub(in crate::http) fn new(filter: &Filter, groups: &'a EventGroups, overview: &Overview) -> Self {
        let only = filter.ems.as_ref().map(|name| {
            overview.all_ems.iter().find(|ems| ems.ems.name == *name).map_or(i64::MIN, |ems| ems.ems.id.0)
        });
        let mut totals = Self { by_hour: [].into(), by_level: [].into(), by_group: [].into() };
        for hour in overview.hours.iter().filter(|hour| only.is_none_or(|ems_id| hour.ems_id == ems_id)) {
            let found = groups.group_and_level(&hour.event_type);
            *totals.by_level.entry(found.level).or_default() += hour.count;
            *totals.by_group.entry(found.group).or_default() += hour.count;
            if filter.shows(groups, &hour.event_type) {
                *totals.by_hour.entry((hour.hour.clone(), found.level)).or_default() += hour.count;
            }
        }
        totals
    }

    /// Levels and groups that occurred, with their counts.
    pub(in crate::http) fn legend(&self, html: &mut Html, filter: &Filter, groups: &EventGroups) {
        html.raw("<ul class=\"legend\" aria-label=\"Levels and groups\">\n");
        for level in LEVELS {
            let count = self.by_level.get(level).copied().unwrap_or_default();
            let only = Filter { level: Some(level), ..filter.first_page() };
            html.raw("<li>");
            badge(html, level_class(level), level);
            html.raw(" ").link(only.link("/"), count.to_string()).raw("</li>\n");
        }
        for (group, count) in &self.by_group {
            let name = groups.names.iter().find(|(key, _)| key == group).map_or("Other", |(_, name)| name);
            let only = Filter { group: Some((*group).to_owned()), ..filter.first_page() };
            html.raw("<li>").text(name).raw(" ").link(only.link("/"), count.to_string()).raw("</li>\n");
        }
        html.raw("</ul>\n");
    }
}
