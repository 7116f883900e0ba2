//! The story of one event as an article: what it is and names, how long each step took, what was done for it, its chain, and
//! what the provider sent. A page of its own shows it; the script opens it under the event's row.

use super::cells::path_of;
use super::changes;
use super::indented::indented;
use super::story_work;
use crate::clock;
use crate::http::html::Html;
use crate::http::layout::{level_badge, moment};
use crate::settings::EventGroups;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::state_changes::StateChange;
use crate::vmdb::trace::{Follower, Relation, Story};
use crate::vmdb::trace_steps::steps;
use chrono::{DateTime, Utc};

/// More of what the provider sent is not shown here.
const MOST_CHARACTERS: usize = 20_000;

/// Writes the article.
pub(in crate::http) fn write(html: &mut Html, story: &Story, groups: &EventGroups, now: DateTime<Utc>) {
    html.raw("<article class=\"story\" id=\"story\">\n");
    let found = groups.group_and_level(&story.event.event_type);
    html.raw("<p>");
    level_badge(html, found.level);
    html.raw(" <span class=\"quiet\">").text(found.group_name).raw("</span></p>\n");
    if let Some((_, message)) = story.event.columns.iter().find(|(column, _)| *column == "message") {
        html.raw("<p class=\"message\">").foreign(message).raw("</p>\n");
    }
    html.raw("<div class=\"story-columns\"><div>");
    way(html, story, now);
    story_work::write(html, story, now);
    changes(html, &story.changes);
    html.raw("</div><div>");
    facts(html, story, now);
    relations(html, story);
    followers(html, &story.followers, now);
    html.raw("</div></div>\n");
    native(html, story.event.full_data.as_deref());
    html.raw("</article>\n");
}

/// Each step, and how long it took.
fn way(html: &mut Html, story: &Story, now: DateTime<Utc>) {
    let steps = steps(story);
    html.raw("<h3>How long it took</h3>\n<ol class=\"way\">\n");
    for step in &steps {
        html.raw("<li><span>").raw(step.what).raw("</span> ");
        moment(html, step.at, now);
        if let Some(after) = step.after {
            html.raw(" <b>+").text(clock::in_words(after)).raw("</b>");
        }
        html.raw("</li>\n");
    }
    html.raw("</ol>\n");
    if let [first, _, .., last] = steps.as_slice() {
        html.raw("<p class=\"quiet\">in all <b>").text(clock::in_words(last.at - first.at)).raw("</b></p>\n");
    }
}

/// What its handlers and refreshes changed.
fn changes(html: &mut Html, changes: &[StateChange]) {
    if changes.is_empty() {
        return;
    }
    html.raw("<h3>Changed in the inventory</h3>\n<ul>\n");
    for change in changes {
        html.raw("<li>");
        changes::resource(html, change, None);
        html.raw(" ");
        changes::words(html, change);
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

fn facts(html: &mut Html, story: &Story, now: DateTime<Utc>) {
    let event = &story.event;
    html.raw("<h3>Event</h3>\n<dl class=\"columns\">\n");
    if let Some(id) = event.ems_id {
        html.raw("<dt>ems</dt><dd>");
        html.link(path_of(ResourceKind::Ems, id), event.ems.clone().unwrap_or_else(|| id.to_string()));
        html.raw("</dd>\n");
    }
    for (name, time) in [("timestamp", event.timestamp), ("created_on", event.created_on)] {
        if let Some(time) = time {
            html.raw("<dt>").raw(name).raw("</dt><dd>");
            moment(html, time, now);
            html.raw("</dd>\n");
        }
    }
    html.raw("<dt>source</dt><dd>").foreign(&event.source).raw("</dd>\n");
    let chain = event.chain_id.map(|chain| ("chain_id", chain.to_string()));
    let columns = event.columns.iter().filter(|(column, _)| *column != "message").cloned();
    for (column, value) in columns.chain(chain) {
        html.raw("<dt>").raw(column).raw("</dt><dd>").foreign(value).raw("</dd>\n");
    }
    if let Some(folded) = &story.folded {
        html.raw("<dt>folded into it</dt><dd>").count(folded.count).raw(" repeats (flood control)</dd>\n");
    }
    html.raw("</dl>\n");
}

fn relations(html: &mut Html, story: &Story) {
    if story.relations.is_empty() && story.missing.is_empty() {
        return;
    }
    html.raw("<h3>Related to</h3>\n<ul>\n");
    for Relation { what, id, name } in &story.relations {
        html.raw("<li><span class=\"kind\">").raw(what).raw("</span> ");
        let name = name.clone().or_else(|| id.map(|id| id.to_string())).unwrap_or_default();
        match (kind_of(what), id) {
            (Some(kind), Some(id)) => html.link(path_of(kind, *id), name),
            (_, Some(_)) => html.foreign(name),
            (_, None) => html.foreign(name).raw(", which inventory does not know"),
        };
        html.raw("</li>\n");
    }
    for missing in &story.missing {
        html.raw("<li><span class=\"kind\">")
            .text(&missing.relation)
            .raw("</span> ")
            .text(&missing.manager_key)
            .raw(" ");
        html.foreign(&missing.manager_ref)
            .raw(" <span class=\"quiet\">not in inventory yet; a refresh that brings it ");
        html.raw("links it</span></li>\n");
    }
    html.raw("</ul>\n");
}

/// What has a page of its own.
fn kind_of(what: &str) -> Option<ResourceKind> {
    match what {
        "VM" | "destination VM" => Some(ResourceKind::Vm),
        "host" | "destination host" => Some(ResourceKind::Host),
        "cluster" | "destination cluster" => Some(ResourceKind::Cluster),
        _ => None,
    }
}

fn followers(html: &mut Html, followers: &[Follower], now: DateTime<Utc>) {
    if followers.is_empty() {
        return;
    }
    html.raw("<h3>Its chain, and policy events</h3>\n<ul>\n");
    for follower in followers {
        html.raw("<li><code>").link(format!("/events/{}", follower.id), &follower.event_type).raw("</code> ");
        if let Some(at) = follower.timestamp {
            moment(html, at, now);
        }
        if follower.source == "EVM" {
            html.raw(" <span class=\"quiet\">made by Catchall</span>");
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

/// What the provider sent.
fn native(html: &mut Html, full_data: Option<&str>) {
    let Some(full_data) = full_data.filter(|text| !text.is_empty()) else { return };
    let text = indented(full_data);
    html.raw("<h3 id=\"native\">What the provider sent</h3>\n<pre tabindex=\"0\" aria-labelledby=\"native\"><code>");
    match text.char_indices().nth(MOST_CHARACTERS) {
        None => html.text(&text),
        Some((end, _)) => html.text(&text[..end]).raw("\n… (all of it: <b>catchall events show --json</b>)"),
    };
    html.raw("</code></pre>\n");
}
