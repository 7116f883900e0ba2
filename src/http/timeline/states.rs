//! A card for each EMS: what its event catcher does, how old its last event is, what waits and what went wrong.

use crate::http::html::Html;
use crate::http::layout::{age, badge};
use crate::observe::{ActorKind, ActorState, Observe};
use crate::vmdb::overview::EmsOverview;
use chrono::{DateTime, Utc};

pub(in crate::http) fn cards(
    html: &mut Html,
    all_ems: &[EmsOverview],
    observe: &Observe,
    now: DateTime<Utc>,
) {
    if all_ems.is_empty() {
        html.raw("<p class=\"quiet\">None yet.</p>\n");
        return;
    }
    html.raw("<ul class=\"cards\">\n");
    for ems in all_ems {
        card(html, ems, observe, now);
    }
    html.raw("</ul>\n");
}

/// What the event catcher of an EMS does, as this process knows it.
struct State {
    class: &'static str,
    word: &'static str,
    error: Option<String>,
}

fn state(ems: &EmsOverview, observe: &Observe) -> State {
    let catcher = observe.actors().into_iter().find_map(|(kind, name, figures)| {
        (kind == ActorKind::EventCatcher && name.as_ref() == Some(&ems.ems.name)).then_some(figures)
    });
    let plain = |word| State { class: "detail", word, error: None };
    match catcher {
        _ if ems.ems.paused => plain("paused"),
        _ if !ems.ems.enabled => plain("not enabled"),
        None => plain("not caught by this process"),
        Some(figures) => {
            let state = figures.state();
            let class = match state {
                ActorState::Running => "good",
                ActorState::Refused => "bad",
                ActorState::Stopped => "detail",
                _ => "wait",
            };
            State { class, word: words(state), error: figures.error() }
        }
    }
}

fn words(state: ActorState) -> &'static str {
    match state {
        ActorState::BackingOff => "backing off",
        ActorState::WaitingForVmdb => "waiting for the VMDB",
        other => other.label(),
    }
}

fn card(html: &mut Html, ems: &EmsOverview, observe: &Observe, now: DateTime<Utc>) {
    html.raw("<li class=\"card\"><h3>").link(format!("/providers/{}", ems.ems.id), &ems.ems.name);
    html.raw("</h3> ");
    let state = state(ems, observe);
    badge(html, state.class, state.word);
    html.raw("<p><span class=\"number\">").number(ems.events_of_last_day).raw("</span> events in 24 h, ");
    match ems.last_event {
        Some(last) => {
            html.raw("last ");
            age(html, last, now);
        }
        None => drop(html.raw("none ever")),
    }
    html.raw("</p>\n");
    if let Some(refreshed) = ems.ems.last_refresh_success_date {
        html.raw("<p class=\"quiet\">refreshed ");
        age(html, refreshed, now);
        html.raw("</p>\n");
    }
    for (count, one, many) in [
        (ems.waiting_work, " refresh waits", " refreshes wait"),
        (
            ems.dead_letters,
            " dead letter; see catchall events --dead",
            " dead letters; see catchall events --dead",
        ),
        (ems.gaps, " gap: events were lost at the provider", " gaps: events were lost at the provider"),
    ] {
        if count > 0 {
            html.raw("<p><span class=\"number\">").number(count).raw("</span>").raw(if count == 1 {
                one
            } else {
                many
            });
            html.raw("</p>\n");
        }
    }
    for error in [&state.error, &ems.ems.last_refresh_error].into_iter().flatten() {
        html.raw("<p>");
        badge(html, "bad", "error");
        html.raw(" ").foreign(error).raw("</p>\n");
    }
    html.raw("</li>\n");
}
