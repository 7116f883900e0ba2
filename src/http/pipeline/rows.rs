//! The tables of the page: EMSs along the street, and the workers that the process has once.

use super::page::{Judged, ago, seconds, sentence};
use super::spark;
use super::status::{ActorStatus, EmsStatus, PipelineStatus};
use crate::http::html::Html;
use crate::http::layout::badge;
use chrono::{DateTime, Utc};

/// From left to right as an event goes.
pub(super) fn table<'a>(html: &mut Html, all: impl Iterator<Item = &'a Judged<'a>>, now: DateTime<Utc>) {
    html.raw(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"EMSs\"><table class=\"street\">",
    )
    .raw("<caption>From the provider to the inventory</caption><thead><tr>")
    .raw("<th scope=\"col\">EMS</th><th scope=\"col\">Event catcher</th><th scope=\"col\">Events</th>")
    .raw("<th scope=\"col\">VMDB</th><th scope=\"col\">Refresh</th></tr></thead>\n");
    for judged in all {
        html.raw("<tbody class=\"").raw(judged.severity.class()).raw("\"><tr><th scope=\"row\">");
        name(html, judged.ems);
        html.raw("</th><td data-label=\"Event catcher\">");
        catcher(html, judged, now);
        html.raw("</td><td data-label=\"Events\">");
        events(html, judged.ems, now);
        html.raw("</td><td data-label=\"VMDB\">");
        stored(html, judged.ems);
        html.raw("</td><td data-label=\"Refresh\">");
        refresh(html, judged.ems, now);
        html.raw("</td></tr>\n");
        if !judged.troubles.is_empty() {
            html.raw("<tr class=\"words\"><td colspan=\"5\"><ul>");
            for trouble in &judged.troubles {
                html.raw("<li>");
                sentence(html, trouble);
                html.raw("</li>");
            }
            html.raw("</ul></td></tr>\n");
        }
        html.raw("</tbody>\n");
    }
    html.raw("</table></div>\n");
}

fn name(html: &mut Html, ems: &EmsStatus) {
    match ems.id {
        Some(id) => html.link(format!("/providers/{id}"), &ems.name),
        None => html.foreign(&ems.name),
    };
    let class = ems.class_name.trim_start_matches("ManageIQ::Providers::").trim_end_matches("::CloudManager");
    html.raw("<span class=\"more\">").foreign(class).raw("</span>");
}

fn catcher(html: &mut Html, judged: &Judged<'_>, now: DateTime<Utc>) {
    let ems = judged.ems;
    let class = if ems.state == "running" { "good" } else { judged.severity.class() };
    badge(html, class, &ems.state.replace('_', " "));
    if let Some(on) = ems.last_poll_on {
        html.raw("<span class=\"more\">answered ");
        ago(html, Some(on), now);
        html.raw("</span>");
    }
    if ems.in_flight > 0 {
        html.raw("<span class=\"more\"><span class=\"number\">")
            .number(ems.in_flight)
            .raw("</span> under way</span>");
    }
}

fn events(html: &mut Html, ems: &EmsStatus, now: DateTime<Utc>) {
    spark::draw(html, &ems.events_of_minutes);
    html.raw(" <span class=\"number\">").text(rate(ems.events_per_second)).raw("</span>");
    if let Some(usual) = ems.usual_events_per_second {
        html.raw(" <span class=\"quiet\">usually ").text(rate(usual)).raw("</span>");
    }
    html.raw("<span class=\"more\">last ");
    ago(html, ems.last_event_on, now);
    if let Some(lag) = ems.lag_seconds {
        html.raw(", ").text(seconds(lag)).raw(" to its commit");
    }
    html.raw("</span>");
}

fn stored(html: &mut Html, ems: &EmsStatus) {
    let total = i64::try_from(ems.events_total).unwrap_or(i64::MAX);
    html.raw("<span class=\"number\">").number(total).raw("</span> since the start");
    for (count, one, many) in
        [(ems.dead_letters, " dead letter", " dead letters"), (ems.gaps, " gap", " gaps")]
    {
        if count > 0 {
            html.raw("<span class=\"more\"><span class=\"number\">").number(count).raw("</span>");
            html.raw(if count == 1 { one } else { many }).raw("</span>");
        }
    }
}

fn refresh(html: &mut Html, ems: &EmsStatus, now: DateTime<Utc>) {
    match ems.refresh_state.as_deref() {
        Some("running") | None => {}
        Some(state) => badge(html, "wait", &state.replace('_', " ")),
    }
    html.raw(" <span class=\"number\">")
        .number(ems.waiting_work)
        .raw("</span> waiting<span class=\"more\">last ");
    ago(html, ems.last_refresh_on, now);
    html.raw("</span>");
}

/// Those that exist once: the event handler, and what works off the queue.
pub(super) fn workers(html: &mut Html, status: &PipelineStatus) {
    let once: Vec<&ActorStatus> = status.actors.iter().filter(|actor| actor.ems.is_none()).collect();
    if once.is_empty() {
        return;
    }
    html.raw("<section aria-labelledby=\"workers\"><h2 id=\"workers\">What the process has once</h2>\n<table class=\"workers\">");
    html.raw("<thead><tr><th scope=\"col\">Actor</th><th scope=\"col\">State</th><th scope=\"col\">Done</th>")
        .raw("<th scope=\"col\">Failed</th><th scope=\"col\">Under way</th><th scope=\"col\">Replaced</th></tr></thead>\n<tbody>");
    for actor in once {
        html.raw("<tr><th scope=\"row\">")
            .text(actor.actor.replace('_', " "))
            .raw("</th><td data-label=\"State\">");
        badge(html, if actor.state == "running" { "good" } else { "wait" }, &actor.state.replace('_', " "));
        if let Some(error) = &actor.error {
            html.raw("<span class=\"more\">").foreign(error).raw("</span>");
        }
        html.raw("</td>");
        for (label, count) in [
            ("Done", i64::try_from(actor.handled).unwrap_or(i64::MAX)),
            ("Failed", i64::try_from(actor.failed).unwrap_or(i64::MAX)),
            ("Under way", actor.in_flight),
            ("Replaced", i64::try_from(actor.generation.saturating_sub(1)).unwrap_or(i64::MAX)),
        ] {
            html.raw("<td class=\"number\" data-label=\"").raw(label).raw("\">").number(count).raw("</td>");
        }
        html.raw("</tr>\n");
    }
    html.raw("</tbody></table></section>\n");
}

/// Events in the unit in which they can be counted: by second, minute, hour or day.
pub(super) fn rate(per_second: f64) -> String {
    let units = [("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)];
    if per_second <= 0.0 {
        return "0/min".to_owned();
    }
    let fits = units.into_iter().find(|(_, seconds)| per_second * seconds >= 0.95).unwrap_or(units[3]);
    let count = per_second * fits.1;
    if count < 9.95 { format!("{count:.1}/{}", fits.0) } else { format!("{count:.0}/{}", fits.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_said_in_the_unit_in_which_it_can_be_counted() {
        for (per_second, words) in [
            (0.0, "0/min"),
            (1234.4, "1234/s"),
            (2.04, "2.0/s"),
            (0.5, "30/min"),
            (1.0 / 60.0, "1.0/min"),
            (0.001, "3.6/h"),
            (1.0 / 100_000.0, "0.9/d"),
        ] {
            assert_eq!(rate(per_second), words);
        }
    }
}
