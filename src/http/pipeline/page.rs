//! The page: totals on top, then a row for each EMS that reads as the street does, the worst first, with its troubles in words
//! below.

use super::query::{Query, Sort};
use super::rows;
use super::status::{EmsStatus, PipelineStatus};
use super::trouble::{Severity, Trouble, severity, troubles};
use crate::clock;
use crate::http::html::Html;
use crate::http::layout::{self, Frame, age, badge};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// So many EMSs stand on a page; the rest is counted and linked.
pub(super) const ROWS: usize = 200;

/// An EMS as the page shows it.
pub(super) struct Judged<'a> {
    pub(super) ems: &'a EmsStatus,
    pub(super) severity: Severity,
    pub(super) troubles: Vec<Trouble>,
}

/// The whole page.
pub(super) fn write(status: &PipelineStatus, query: &Query) -> String {
    let now = status.as_of;
    let shown = judged(status, query);
    layout::page(&Frame { title: "Pipeline", now, follow: false }, |html| {
        super::assets::link(html);
        if let Some(error) = &status.vmdb.error {
            vmdb_away(html, error);
        }
        totals(html, status);
        states(html, status, query);
        if shown.is_empty() {
            nobody(html, status.ems.is_empty());
        } else {
            orders(html, query);
            let page = shown.iter().skip(query.from).take(ROWS);
            rows::table(html, page, now);
            rest(html, query, shown.len());
        }
        rows::workers(html, status);
    })
}

fn judged<'a>(status: &'a PipelineStatus, query: &Query) -> Vec<Judged<'a>> {
    let wanted = |ems: &&EmsStatus| query.state.as_deref().is_none_or(|state| state == ems.state);
    let judge = |ems| {
        let troubles = troubles(ems, status.as_of);
        Judged { ems, severity: severity(ems, &troubles), troubles }
    };
    let mut all: Vec<_> = status.ems.iter().filter(wanted).map(judge).collect();
    let descending = |value: Option<f64>| Reverse((value.unwrap_or(-1.0) * 1e6) as i64);
    // They come by name, which stays the order among equals.
    match query.sort {
        Sort::Name => {}
        Sort::Worst => all.sort_by_key(|judged| Reverse((judged.severity, judged.troubles.len()))),
        Sort::Rate => all.sort_by_key(|judged| descending(Some(judged.ems.events_per_second))),
        Sort::Lag => all.sort_by_key(|judged| descending(judged.ems.lag_seconds)),
        Sort::Silence => all.sort_by_key(|judged| descending(judged.ems.silence_ratio)),
    }
    all
}

fn vmdb_away(html: &mut Html, error: &str) {
    html.raw("<div class=\"panel alert\" role=\"alert\"><p><strong>The VMDB does not answer or takes no commits:</strong> ");
    html.foreign(error)
        .raw("</p><p>Event catchers hold what they caught and acknowledge nothing, so nothing is lost. ");
    html.raw("Waiting work, gaps and dead letters below are as they were when it last answered.</p></div>\n");
}

fn totals(html: &mut Html, status: &PipelineStatus) {
    let ems = &status.ems;
    let running = ems.iter().filter(|ems| ems.state == "running").count();
    let sum = |count: fn(&EmsStatus) -> i64| ems.iter().map(count).sum::<i64>();
    html.raw("<section aria-label=\"Totals\"><dl class=\"totals\">");
    let mut total = |name: &'static str, value: String| {
        html.raw("<div><dt>").raw(name).raw("</dt><dd>").text(value).raw("</dd></div>");
    };
    total("running", format!("{running} of {}", ems.len()));
    total("events", rows::rate(ems.iter().map(|ems| ems.events_per_second).sum()));
    total("waiting work", sum(|ems| ems.waiting_work).to_string());
    total("dead letters", sum(|ems| ems.dead_letters).to_string());
    total("gaps", sum(|ems| ems.gaps).to_string());
    if let Some(bytes) = status.process.resident_memory_bytes {
        total("memory", format!("{} MiB", bytes >> 20));
    }
    if let Some(cores) = status.process.cores_used {
        total("cores", format!("{cores:.2}"));
    }
    if let Some(started) = status.process.started_on {
        html.raw("<div><dt>started</dt><dd>");
        age(html, started, status.as_of);
        html.raw("</dd></div>");
    }
    html.raw("</dl></section>\n");
}

/// How many are in each state, as links that show only these.
fn states(html: &mut Html, status: &PipelineStatus, query: &Query) {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for ems in &status.ems {
        *counts.entry(&ems.state).or_default() += 1;
    }
    html.raw("<nav aria-label=\"State\"><ul class=\"legend choices\">");
    choice(html, &query.in_state(None), query.state.is_none(), "all", Some(status.ems.len() as i64));
    for (state, count) in counts {
        let is_chosen = query.state.as_deref() == Some(state);
        choice(html, &query.in_state(Some(state)), is_chosen, &state.replace('_', " "), Some(count));
    }
    html.raw("</ul></nav>\n");
}

fn orders(html: &mut Html, query: &Query) {
    html.raw("<nav aria-label=\"Order\"><ul class=\"legend choices\"><li class=\"quiet\">first</li>");
    for sort in Sort::ALL {
        choice(html, &query.sorted(sort), query.sort == sort, sort.word(), None);
    }
    html.raw("</ul></nav>\n");
}

fn choice(html: &mut Html, to: &Query, is_chosen: bool, word: &str, count: Option<i64>) {
    html.raw("<li><a href=\"").text(to.link()).raw(if is_chosen {
        "\" aria-current=\"true\">"
    } else {
        "\">"
    });
    html.text(word).raw("</a>");
    if let Some(count) = count {
        html.raw(" <span class=\"number\">").number(count).raw("</span>");
    }
    html.raw("</li>");
}

fn rest(html: &mut Html, query: &Query, all: usize) {
    let end = (query.from + ROWS).min(all);
    if query.from == 0 && end == all {
        return;
    }
    html.raw("<nav class=\"pages\" aria-label=\"More EMSs\">");
    if query.from > 0 {
        let before = Query { from: query.from.saturating_sub(ROWS), ..query.clone() };
        html.raw("<a href=\"").text(before.link()).raw("\">Those before</a>");
    }
    if end < all {
        let next = Query { from: end, ..query.clone() };
        html.raw("<a href=\"").text(next.link()).raw("\">").text((all - end).to_string()).raw(" more</a>");
    }
    html.raw("</nav>\n");
}

fn nobody(html: &mut Html, no_ems: bool) {
    html.raw("<div class=\"panel empty\"><p>");
    if no_ems {
        html.raw("No EMS is known yet. Add one to <code>ext_management_systems</code> in the settings; ");
        html.raw("<code>catchall check --connect</code> says whether it can be reached.");
    } else {
        html.raw("No EMS is in this state. <a href=\"/pipeline\">Show all</a>");
    }
    html.raw("</p></div>\n");
}

/// Badge and sentence of one trouble; commands in backticks become code.
pub(super) fn sentence(html: &mut Html, trouble: &Trouble) {
    badge(html, trouble.severity.class(), trouble.severity.word());
    html.raw(" ").foreign(&trouble.what).raw(" <span class=\"advice\">");
    for (at, part) in trouble.advice.split('`').enumerate() {
        if at % 2 == 1 {
            html.raw("<code>").text(part).raw("</code>");
        } else {
            html.text(part);
        }
    }
    html.raw("</span>");
}

/// `3 s ago`, or that it never was.
pub(super) fn ago(html: &mut Html, time: Option<DateTime<Utc>>, now: DateTime<Utc>) {
    match time {
        Some(time) => age(html, time, now),
        None => drop(html.raw("never")),
    }
}

/// A length of time in seconds, as people say it.
pub(super) fn seconds(seconds: f64) -> String {
    clock::in_words(chrono::TimeDelta::milliseconds((seconds * 1000.0) as i64))
}
