//! State → widgets: the head, the list of EMSs or the one that is open, and the keys at the foot.

use super::look::Look;
use super::state::State;
use super::{list, one};
use crate::cli::pipeline::EmsState;
use crate::cli::standing;
use crate::cli::terminal::{Tone, one_line, shortened};
use crate::cli::times::{bytes, rate};
use crate::clock;
use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Sparkline;
use std::collections::BTreeMap;

/// With which means is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    /// Without them nothing but bold, dim and reversed.
    pub colours: bool,
}

impl Paint {
    /// The style of a tone.
    pub fn style(self, tone: Tone) -> Style {
        let colour = match tone {
            Tone::Plain => return Style::new(),
            Tone::Quiet => return Style::new().add_modifier(Modifier::DIM),
            Tone::Good => Color::Green,
            Tone::Warning => Color::Yellow,
            Tone::Bad => Color::Red,
        };
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}

/// Text that a terminal obeys nothing of, in its tone.
pub fn said(text: &str, tone: Tone, paint: Paint) -> Span<'static> {
    Span::styled(one_line(text), paint.style(tone))
}

/// Draws all.
pub fn draw(frame: &mut Frame<'_>, state: &mut State, paint: Paint, now: DateTime<Utc>) {
    let head = if frame.area().height >= 16 { 4 } else { 2 };
    let [top, middle, foot] =
        Layout::vertical([Constraint::Length(head), Constraint::Min(1), Constraint::Length(1)])
            .areas(frame.area());
    draw_head(frame, top, state, paint);
    if state.open {
        one::draw(frame, middle, state, paint, now);
    } else {
        list::draw(frame, middle, state, paint, now);
    }
    frame.render_widget(foot_line(state, paint), foot);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, state: &State, paint: Paint) {
    let Some(look) = &state.look else {
        return frame.render_widget(Line::from("Looking for Catchall …"), area);
    };
    let row = |at: u16| Rect { y: area.y + at, height: u16::from(at < area.height), ..area };
    frame.render_widget(process_line(look, paint, area.width), row(0));
    frame.render_widget(totals_line(look, paint), row(1));
    if area.height > 2 {
        draw_rates(frame, row(2), state, paint);
    }
}

/// The process, or a banner that there is none.
fn process_line(look: &Look, paint: Paint, width: u16) -> Line<'static> {
    let at = look.at.format("%H:%M:%SZ").to_string();
    let (left, banner) = match &look.process {
        Ok(pipeline) => {
            let mut parts = vec![
                format!("Catchall {}", pipeline.version.as_deref().unwrap_or_default()).trim_end().to_owned(),
            ];
            let process = &pipeline.process;
            parts.extend(
                process.started_on.map(|started_on| format!("up {}", clock::in_words(look.at - started_on))),
            );
            parts.extend(process.resident_memory_bytes.map(bytes));
            parts.extend(process.cores_used.map(|cores| format!("{cores:.2} cores")));
            parts.push(match (&pipeline.vmdb.error, pipeline.vmdb.answers) {
                (_, true) => "VMDB answers".to_owned(),
                (Some(error), false) => format!("VMDB is away: {error}"),
                (None, false) => "VMDB is away".to_owned(),
            });
            (parts.join(" · "), !pipeline.vmdb.answers)
        }
        Err(why) => (format!("Told by the VMDB alone: {why}"), true),
    };
    let room = usize::from(width).saturating_sub(at.len() + 1);
    let left = shortened(&one_line(&left), room);
    let style = match banner {
        true => paint.style(Tone::Warning).add_modifier(Modifier::REVERSED),
        false => Style::new().add_modifier(Modifier::BOLD),
    };
    let gap = " ".repeat(usize::from(width).saturating_sub(at.len() + Span::raw(left.as_str()).width()));
    Line::from(vec![Span::styled(left, style), Span::raw(gap), said(&at, Tone::Quiet, paint)])
}

/// All EMSs together.
fn totals_line(look: &Look, paint: Paint) -> Line<'static> {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for ems in &look.all_ems {
        *states.entry(&ems.state).or_default() += 1;
    }
    let noun = if look.all_ems.len() == 1 { "EMS" } else { "EMSs" };
    let mut spans = vec![Span::raw(format!("{} {noun}", look.all_ems.len()))];
    let mut states: Vec<_> = states.into_iter().collect();
    states.sort_by_key(|(state, _)| standing::rank(state));
    for (at, (state, count)) in states.into_iter().enumerate() {
        spans.push(Span::raw(if at == 0 { ": " } else { ", " }));
        spans.push(said(&format!("{count} {}", standing::in_words(state)), standing::tone(state), paint));
    }
    let sum = |of: fn(&EmsState) -> Option<i64>| look.all_ems.iter().filter_map(of).sum::<i64>();
    let rates: Vec<f64> = look.all_ems.iter().filter_map(|ems| ems.events_per_second).collect();
    if !rates.is_empty() {
        spans.push(Span::raw(format!(" · {} ev/s", rate(rates.iter().sum()))));
    }
    spans.push(Span::raw(format!(" · waiting {}", sum(|ems| ems.waiting_work))));
    for (count, what, tone) in
        [(sum(|ems| ems.dead_letters), "dead", Tone::Bad), (sum(|ems| ems.gaps), "gaps", Tone::Warning)]
    {
        spans.push(Span::raw(" · "));
        spans.push(said(&format!("{what} {count}"), if count > 0 { tone } else { Tone::Plain }, paint));
    }
    if let Some(error) = &look.vmdb_error {
        spans.push(said(&format!(" · {error}"), Tone::Bad, paint));
    }
    Line::from(spans)
}

/// Events per second of all, a look each, the latest at the right.
fn draw_rates(frame: &mut Frame<'_>, area: Rect, state: &State, paint: Paint) {
    let most = state.rates.iter().max().copied().unwrap_or_default();
    let label = format!("events/s, at most {most}  ");
    let [left, right] =
        Layout::horizontal([Constraint::Length(label.len() as u16), Constraint::Min(0)]).areas(area);
    frame.render_widget(Line::from(said(&label, Tone::Quiet, paint)), left);
    let latest = state.rates.iter().rev().take(usize::from(right.width)).rev();
    let line = Sparkline::default().data(latest.copied().collect::<Vec<_>>()).max(most.max(1));
    frame.render_widget(line.style(paint.style(Tone::Good)), right);
}

fn foot_line(state: &State, paint: Paint) -> Line<'static> {
    let key = |key: &str, does: &str| {
        [
            Span::styled(key.to_owned(), Style::new().add_modifier(Modifier::BOLD)),
            said(&format!(" {does}  "), Tone::Quiet, paint),
        ]
    };
    if state.editing {
        let filter = Span::raw(format!("/{}▏  ", one_line(&state.filter)));
        return Line::from_iter(
            [filter].into_iter().chain(key("Enter", "keep")).chain(key("Esc", "show all")),
        );
    }
    if state.open {
        return Line::from_iter([key("Esc", "back"), key("↑↓", "scroll events"), key("q", "quit")].concat());
    }
    let reversed = if state.reversed { ", reversed" } else { "" };
    let mut keys = vec![
        key("q", "quit"),
        key("↑↓", "choose"),
        key("Enter", "look at one"),
        key("s", &format!("{}{reversed}", state.order.label())),
        key("r", "reverse"),
    ];
    keys.push(match state.filter.is_empty() {
        true => key("/", "filter"),
        false => key(&format!("/{}", one_line(&state.filter)), "Esc shows all"),
    });
    Line::from_iter(keys.concat())
}
