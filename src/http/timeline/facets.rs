//! What can be chosen with one click: levels and groups with their counts, and what is chosen as chips that can be removed.

use super::choice::Choice;
use super::filter::{Filter, WantedResource};
use super::lanes::Lanes;
use crate::http::html::Html;
use crate::settings::EventGroups;
use crate::settings::event_groups::LEVELS;

/// Levels with their counts; each is put in or left out by its link.
pub(in crate::http) fn levels(html: &mut Html, path: &str, filter: &Filter, lanes: &Lanes) {
    html.raw("<ul class=\"levels\" aria-label=\"Levels\">\n");
    for (level, count) in LEVELS.into_iter().zip(lanes.by_level) {
        html.raw("<li><a class=\"badge level ").raw(level).raw("\" href=\"");
        html.text(filter.toggled_level(level).link(path)).raw("\"");
        if filter.levels.contains(level) {
            html.raw(" aria-current=\"true\"");
        }
        html.raw(">").raw(level).raw(" ").count(count).raw("</a></li>\n");
    }
    html.raw("</ul>\n");
}

/// The names of the lanes beside them, each with its scale.
pub(in crate::http) fn lane_names(html: &mut Html, path: &str, filter: &Filter, lanes: &Lanes) {
    html.raw("<ol class=\"lane-names\" aria-label=\"Groups\">\n");
    for lane in &lanes.lanes {
        html.raw("<li>");
        group(html, (path, filter), (&lane.group, &lane.name), lane.totals().iter().sum());
        html.raw("<small>highest bar ").count(lane.most()).raw("</small></li>\n");
    }
    html.raw("</ol>\n");
}

/// Groups that are left out and could be put in.
pub(in crate::http) fn other_groups(html: &mut Html, path: &str, filter: &Filter, lanes: &Lanes) {
    let is_shown = |key: &str| lanes.lanes.iter().any(|lane| lane.group == key);
    let others: Vec<_> = lanes.by_group.iter().filter(|(key, ..)| !is_shown(key)).collect();
    if others.is_empty() {
        return;
    }
    html.raw("<p class=\"others\">Left out: ");
    for (key, name, count) in others {
        group(html, (path, filter), (key, name), *count);
        html.raw(" ");
    }
    html.raw("</p>\n");
}

fn group(html: &mut Html, (path, filter): (&str, &Filter), (key, name): (&str, &str), count: i64) {
    html.raw("<a href=\"").text(filter.toggled_group(key).link(path)).raw("\"");
    if filter.groups.contains(key) {
        html.raw(" aria-current=\"true\"");
    }
    html.raw(">").text(name).raw("</a> <b>").count(count).raw("</b>");
}

/// What is chosen: each chip is a link to the page without it.
pub(in crate::http) fn chips(
    html: &mut Html,
    path: &str,
    filter: &Filter,
    choice: &Choice,
    groups: &EventGroups,
) {
    let mut chips: Vec<(&'static str, String, Filter)> = Vec::new();
    let first = filter.first_page();
    if let Some(name) = &filter.ems {
        chips.push(("EMS", name.clone(), Filter { ems: None, ..first.clone() }));
    }
    if let Some(resource) = &filter.resource {
        let found = choice.resources.first().filter(|_| choice.query.is_some());
        let (kind, name) = match (resource, found) {
            (_, Some(found)) => (found.kind.noun(), found.name.clone()),
            (WantedResource::Named(name), None) => ("resource", name.clone()),
            (WantedResource::Row(kind, id), None) => (kind.noun(), id.to_string()),
        };
        chips.push((kind, name, Filter { resource: None, ..first.clone() }));
    }
    for level in &filter.levels {
        chips.push(("level", (*level).to_owned(), first.toggled_level(level)));
    }
    for key in &filter.groups {
        let name = groups.names.iter().find(|(known, _)| known == key).map(|(_, name)| name.clone());
        chips.push(("group", name.unwrap_or_else(|| key.clone()), first.toggled_group(key)));
    }
    if let Some(event_type) = &filter.event_type {
        chips.push(("type", event_type.clone(), Filter { event_type: None, ..first.clone() }));
    }
    if let Some(text) = &filter.text {
        chips.push(("text", text.clone(), Filter { text: None, ..first.clone() }));
    }
    if chips.is_empty() {
        return;
    }
    html.raw("<ul class=\"chips\" aria-label=\"Chosen\">\n");
    for (kind, value, without) in &chips {
        html.raw("<li><a class=\"chip\" href=\"")
            .text(without.link(path))
            .raw("\"><span class=\"kind\">")
            .raw(kind);
        html.raw("</span> ").foreign(value).raw("<span class=\"spoken\"> (remove)</span></a></li>\n");
    }
    html.raw("<li><a href=\"").text(first.wide().link(path)).raw("\">Show all</a></li>\n</ul>\n");
}
