//! The part of an event's story that tells what was done for it: handlers, rules and webhooks, work that waits, and refreshes.

use crate::clock;
use crate::http::html::Html;
use crate::http::layout::{badge, moment};
use crate::vmdb::trace::Story;
use crate::vmdb::trace_work::{Action, Refresh, WaitingWork};
use chrono::{DateTime, Utc};

/// Writes it.
pub(in crate::http) fn write(html: &mut Html, story: &Story, now: DateTime<Utc>) {
    html.raw("<h3>Rules, and what was done</h3>\n");
    if story.actions.is_empty() {
        html.raw("<p class=\"quiet\">No rule and no handler did anything besides refreshing.</p>\n");
    } else {
        html.raw("<ul>\n");
        story.actions.iter().for_each(|done| action(html, done));
        html.raw("</ul>\n");
    }
    html.raw("<h3>Refresh it caused</h3>\n");
    match (story.refreshes.is_empty() && story.waiting.is_empty(), story.event.work_id) {
        (true, None) => drop(html.raw("<p class=\"quiet\">None asked for.</p>\n")),
        (true, Some(_)) => drop(html.raw("<p class=\"quiet\">Done so long ago that its row is gone.</p>\n")),
        (false, _) => {
            html.raw("<ul>\n");
            story.waiting.iter().for_each(|work| waiting(html, work, now));
            story.refreshes.iter().for_each(|made| refresh(html, made));
            html.raw("</ul>\n");
        }
    }
}

fn action(html: &mut Html, action: &Action) {
    let class = match action.state.as_str() {
        "done" => "good",
        "failed" | "dead" => "bad",
        "waiting" => "wait",
        _ => "detail",
    };
    html.raw("<li><span class=\"kind\">").text(&action.kind).raw("</span> ").foreign(&action.name).raw(" ");
    badge(html, class, &action.state);
    if let Some(rule) = action.rule.as_ref().filter(|rule| **rule != action.name) {
        html.raw(" <span class=\"quiet\">by rule</span> ").foreign(rule);
    }
    if let (Some(requested_on), Some(finished_on)) = (action.requested_on, action.finished_on) {
        html.raw(" <span class=\"quiet\">in</span> <b>")
            .text(clock::in_words(finished_on - requested_on))
            .raw("</b>");
    }
    if action.attempts > 1 {
        html.raw(" <span class=\"quiet\">").count(action.attempts).raw(" attempts</span>");
    }
    for more in [&action.reason, &action.limit_key].into_iter().flatten() {
        html.raw("<span class=\"more\">").foreign(more).raw("</span>");
    }
    if let Some(params) = action.params.as_ref().filter(|params| !matches!(params.as_str(), "{}" | "null")) {
        html.raw("<span class=\"more\"><code>").foreign(params).raw("</code></span>");
    }
    html.raw("</li>\n");
}

fn waiting(html: &mut Html, work: &WaitingWork, now: DateTime<Utc>) {
    html.raw("<li>");
    let words = match work.state.as_str() {
        "ready" => "waiting",
        "dequeue" => "under way",
        other => other,
    };
    badge(html, "wait", words);
    html.raw(" ").text(&work.method).raw(if work.full { ", for the whole EMS" } else { "" });
    for target in &work.targets {
        html.raw(" ").foreign(target);
    }
    if let Some(requested_on) = work.requested_on {
        html.raw(", since ");
        moment(html, requested_on, now);
    }
    html.raw("</li>\n");
}

fn refresh(html: &mut Html, refresh: &Refresh) {
    html.raw("<li>");
    match &refresh.error {
        None => badge(html, "good", "done"),
        Some(_) => badge(html, "bad", "failed"),
    }
    html.raw(" ").text(&refresh.kind);
    if let Some(targets) = refresh.targets {
        html.raw(", ").count(targets).raw(if targets == 1 { " target" } else { " targets" });
    }
    if let (Some(started_on), Some(finished_on)) = (refresh.started_on, refresh.finished_on) {
        html.raw(", the provider was asked and the inventory saved in <b>");
        html.text(clock::in_words(finished_on - started_on)).raw("</b>");
    }
    if let Some(error) = &refresh.error {
        html.raw("<span class=\"more\">").foreign(error).raw("</span>");
    }
    html.raw("</li>\n");
}
