//! One line about the EMSs: who is caught, and who is not and why. The whole story is the pipeline page's.

use crate::http::html::Html;
use crate::http::layout::badge;
use crate::observe::{ActorKind, ActorState, Observe};
use crate::vmdb::ems::EmsRow;
use std::collections::BTreeMap;

/// More EMSs than this are counted, not named, unless something is wrong.
const NAMED: usize = 8;

/// What the event catcher of an EMS does, as this process knows it.
#[derive(Clone, Debug)]
struct State {
    class: &'static str,
    word: &'static str,
    error: Option<String>,
}

/// Writes the line.
pub(in crate::http) fn strip(html: &mut Html, all_ems: &[EmsRow], observe: &Observe) {
    if all_ems.is_empty() {
        return;
    }
    let catchers: BTreeMap<String, State> = observe
        .actors()
        .into_iter()
        .filter(|(kind, ..)| *kind == ActorKind::EventCatcher)
        .filter_map(|(_, name, figures)| {
            Some((name?.to_string(), running_state(figures.state(), figures.error())))
        })
        .collect();
    let mut states: Vec<(&EmsRow, State)> =
        all_ems.iter().map(|ems| (ems, state(ems, catchers.get(&ems.name)))).collect();
    // What is wrong stands first.
    states.sort_by_key(|(_, state)| {
        ["bad", "wait", "good", "detail"].iter().position(|class| *class == state.class)
    });
    html.raw("<ul class=\"systems\" aria-label=\"Systems (EMS)\">\n");
    for (ems, state) in states.iter().take(NAMED) {
        html.raw("<li>").link(format!("/providers/{}", ems.id), &ems.name).raw(" ");
        badge(html, state.class, state.word);
        for error in [&state.error, &ems.last_refresh_error].into_iter().flatten() {
            html.raw(" <span class=\"error\">").foreign(error).raw("</span>");
        }
        html.raw("</li>\n");
    }
    if states.len() > NAMED {
        let running = states.iter().filter(|(_, state)| state.class == "good").count();
        html.raw("<li><a href=\"/pipeline\">").count(running as i64).raw(" of ").count(states.len() as i64);
        html.raw(" running</a></li>\n");
    }
    html.raw("</ul>\n");
}

fn state(ems: &EmsRow, catcher: Option<&State>) -> State {
    let plain = |word| State { class: "detail", word, error: None };
    match catcher {
        _ if ems.paused => plain("paused"),
        _ if !ems.enabled => plain("not enabled"),
        None => plain("not caught by this process"),
        Some(state) => state.clone(),
    }
}

fn running_state(state: ActorState, error: Option<String>) -> State {
    let class = match state {
        ActorState::Running => "good",
        ActorState::Refused => "bad",
        ActorState::Stopped => "detail",
        _ => "wait",
    };
    let word = match state {
        ActorState::BackingOff => "backing off",
        ActorState::WaitingForVmdb => "waiting for the VMDB",
        other => other.label(),
    };
    State { class, word, error }
}
