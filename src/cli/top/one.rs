//! One EMS: how it stands, what is wrong, its actors, and its latest events.

use super::draw::{Paint, said};
use super::look::{Latest, Look};
use super::state::State;
use crate::cli::event_line;
use crate::cli::pipeline::{ActorRow, EmsState};
use crate::cli::standing::{self, Row as Standing};
use crate::cli::terminal::{self, Tone, one_line};
use crate::cli::times::{ago, rate, seconds};
use crate::cli::troubles::troubles;
use crate::vmdb::timeline::TimelineEvent;
use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Wrap};

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, paint: Paint, now: DateTime<Utc>) {
    let (Some(look), Some(ems)) = (&state.look, state.chosen()) else { return };
    let facts = facts(ems, (paint, now), usize::from(area.width));
    let wrong = troubles(&Standing { ems: ems.clone(), overview: None }, now);
    let width = usize::from(area.width).max(1);
    let wrapped: usize = wrong.lines.iter().map(|line| terminal::width(line).div_ceil(width)).sum();
    let most_wrong = usize::from(area.height / 4).max(1);
    let wrong: Vec<Line<'_>> =
        wrong.lines.iter().map(|line| Line::from(said(line, Tone::Warning, paint))).collect();
    let wrong = Paragraph::new(Text::from(wrong)).wrap(Wrap { trim: true });
    let actors = actors(look, ems, paint);
    let lines = |count: usize| Constraint::Length(u16::try_from(count).unwrap_or(u16::MAX));
    let [at_top, below, street, events] = Layout::vertical([
        lines(facts.len()),
        lines(wrapped.min(most_wrong)),
        lines(actors.len()),
        Constraint::Min(2),
    ])
    .areas(area);
    frame.render_widget(Text::from(facts), at_top);
    frame.render_widget(wrong, below);
    frame.render_widget(Text::from(actors), street);
    let latest = look.latest.as_ref().filter(|latest| Some(latest.ems_id) == ems.id);
    let lines = events_lines(latest, paint);
    // Not further than to the last line.
    let most = lines.len().saturating_sub(usize::from(events.height));
    let scrolled = state.scrolled.min(most);
    let lines: Vec<Line<'_>> = lines
        .into_iter()
        .enumerate()
        .filter(|(at, _)| *at == 0 || *at > scrolled)
        .map(|(_, line)| line)
        .collect();
    frame.render_widget(Text::from(lines), events);
    state.scrolled = scrolled;
}

fn heading(text: &str) -> Line<'static> {
    Line::styled(text.to_owned(), Style::new().add_modifier(Modifier::BOLD))
}

fn facts(ems: &EmsState, (paint, now): (Paint, DateTime<Utc>), width: usize) -> Vec<Line<'static>> {
    let count = |what: &str, count: Option<i64>| count.map(|count| format!("{what} {count}"));
    let catching = [
        Some(format!("last event {}", ago(ems.last_event_on, now))),
        ems.last_poll_on.map(|at| format!("asked {}", ago(Some(at), now))),
        ems.lag_seconds.map(|lag| format!("lag {}", seconds(lag))),
        ems.events_per_second.map(|events| format!("{} ev/s", rate(events))),
        ems.usual_events_per_second.map(|events| format!("usually {}", rate(events))),
    ];
    let process = [
        ems.events_total.map(|count| format!("events {count}")),
        count("on their way", ems.in_flight),
        ems.restarts.map(|count| format!("restarts {count}")),
    ];
    let refreshing = [
        ems.refresh_state.as_deref().map(|state| format!("refresh {}", standing::in_words(state))),
        Some(format!("refreshed {}", ago(ems.last_refresh_on, now))),
        count("work waiting", ems.waiting_work),
        count("dead letters", ems.dead_letters),
        count("gaps", ems.gaps),
    ];
    let joined = |facts: &[Option<String>]| {
        Line::from(facts.iter().flatten().cloned().collect::<Vec<_>>().join(" · "))
    };
    let mut lines = vec![
        Line::from(vec![
            Span::styled(one_line(&ems.name), Style::new().add_modifier(Modifier::BOLD)),
            Span::raw("  "),
            said(&standing::in_words(&ems.state), standing::tone(&ems.state), paint),
            said(&format!("  {}", ems.class_name), Tone::Quiet, paint),
        ]),
        joined(&catching),
        joined(&refreshing),
    ];
    lines.extend(process.iter().any(Option::is_some).then(|| joined(&process)));
    let minutes = &ems.events_of_minutes;
    if !minutes.is_empty() {
        let label = format!("events/min, at most {}  ", minutes.iter().max().copied().unwrap_or_default());
        // Where there is no room for an hour, its end counts.
        let room = width.saturating_sub(label.len()).min(minutes.len());
        let bars = Span::styled(bars(&minutes[minutes.len() - room..]), paint.style(Tone::Good));
        lines.push(Line::from(vec![Span::raw(label), bars]));
    }
    lines
}

/// One character for each count, as high as it is compared to the greatest.
fn bars(counts: &[u32]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().max().copied().unwrap_or_default().max(1) as usize;
    let bar = |count: &u32| match *count as usize {
        0 => ' ',
        count => HEIGHTS[(count * HEIGHTS.len()).div_ceil(most).clamp(1, HEIGHTS.len()) - 1],
    };
    counts.iter().map(bar).collect()
}

/// The actors that work for it alone.
fn actors(look: &Look, ems: &EmsState, paint: Paint) -> Vec<Line<'static>> {
    let all = look.process.iter().flat_map(|pipeline| &pipeline.actors);
    let its: Vec<&ActorRow> = all.filter(|actor| actor.ems.as_ref() == Some(&ems.name)).collect();
    if its.is_empty() {
        return Vec::new();
    }
    let line = |actor: &&ActorRow| {
        let number =
            |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_else(|| "-".to_owned());
        Line::from(vec![
            Span::raw(format!("  {:<16}", one_line(&actor.actor))),
            said(&format!("{:<16}", standing::in_words(&actor.state)), standing::tone(&actor.state), paint),
            Span::raw(format!(
                "{:>9} {:>9} {:>6} {:>7}  ",
                number(actor.in_flight.and_then(|count| u64::try_from(count).ok())),
                number(actor.handled),
                number(actor.failed),
                actor.mailbox_wait_seconds.map(seconds).unwrap_or_else(|| "-".to_owned()),
            )),
            said(actor.error.as_deref().unwrap_or_default(), Tone::Quiet, paint),
        ])
    };
    let title = format!(
        "{:<18}{:<16}{:>9} {:>9} {:>6} {:>7}",
        "ACTOR", "STATE", "IN FLIGHT", "HANDLED", "FAILED", "WAITED"
    );
    [Line::default(), heading(&title)].into_iter().chain(its.iter().map(line)).collect()
}

fn events_lines(latest: Option<&Latest>, paint: Paint) -> Vec<Line<'static>> {
    let Some(latest) = latest else {
        return vec![heading("LATEST EVENTS"), Line::from("  reading them …")];
    };
    if latest.events.is_empty() {
        return vec![heading("LATEST EVENTS"), Line::from("  none")];
    }
    let wide = latest.events.iter().map(|event| terminal::width(&one_line(&event_line::times(event)))).max();
    let wide = wide.unwrap_or_default().min(44);
    let line = |event: &TimelineEvent| {
        let about = [event_line::about(event), event.message.clone().unwrap_or_default()];
        let about: Vec<String> = about.into_iter().filter(|text| !text.is_empty()).collect();
        let event_type = terminal::shortened(&one_line(&event_line::times(event)), wide);
        let gap = " ".repeat(wide.saturating_sub(terminal::width(&event_type)));
        Line::from(vec![
            said(&format!("  {}  ", event_line::time(event.position.timestamp)), Tone::Quiet, paint),
            Span::raw(format!("{event_type}{gap}  ")),
            Span::raw(one_line(&about.join(": "))),
        ])
    };
    [heading("LATEST EVENTS")].into_iter().chain(latest.events.iter().map(line)).collect()
}
