//! The list of EMSs, and below it what is wrong with the one that is chosen.

use super::draw::{Paint, said};
use super::state::State;
use crate::cli::pipeline::EmsState;
use crate::cli::standing::{self, Row as Standing};
use crate::cli::table::{self, Align, Cell, Column};
use crate::cli::terminal::{self, Tone};
use crate::cli::times::{ago, rate, seconds};
use crate::cli::troubles::troubles;
use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Row, Table, Wrap};

const COLUMNS: [Column; 10] = [
    Column::new("EMS", Align::Left, 0),
    Column::new("STATE", Align::Left, 0),
    Column::new("EV/S", Align::Right, 1),
    Column::new("LAG", Align::Right, 4),
    Column::new("LAST EVENT", Align::Right, 0),
    Column::new("WAITING", Align::Right, 3),
    Column::new("DEAD", Align::Right, 1),
    Column::new("GAPS", Align::Right, 2),
    Column::new("RESTARTS", Align::Right, 5),
    Column::new("USUAL EV/S", Align::Right, 6),
];
/// What the error needs to be worth its column.
const ERROR: usize = 20;
const MARK: &str = "› ";

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, paint: Paint, now: DateTime<Utc>) {
    let shown: Vec<EmsState> = state.shown().into_iter().cloned().collect();
    if shown.is_empty() {
        return frame.render_widget(Paragraph::new(nothing(state)).wrap(Wrap { trim: true }), area);
    }
    let wrong = state.chosen().map(|ems| troubles(&Standing { ems: ems.clone(), overview: None }, now));
    let wrong = wrong.filter(|troubles| !troubles.is_empty() && area.height >= 10);
    let wrong = wrong.map(|wrong| format!("{}: {}", wrong.name, wrong.lines.join(" · ")));
    let wrapped =
        wrong.as_ref().map_or(0, |text| terminal::width(text).div_ceil(usize::from(area.width).max(1)) + 1);
    let wrapped = u16::try_from(wrapped).unwrap_or(u16::MAX).min(area.height / 3);
    let [list, below] = Layout::vertical([Constraint::Min(3), Constraint::Length(wrapped)]).areas(area);
    draw_table(frame, list, state, (&shown, paint, now));
    if let Some(text) = wrong {
        frame.render_widget(
            Paragraph::new(said(&text, Tone::Warning, paint)).wrap(Wrap { trim: true }),
            below,
        );
    }
}

/// Says why the list is empty.
fn nothing(state: &State) -> String {
    match &state.look {
        None => String::new(),
        Some(_) if !state.filter.is_empty() => "No EMS meets the filter; Esc shows all.".to_owned(),
        Some(look) if look.vmdb_error.is_some() => {
            "Neither a process nor the VMDB tells of any EMS.".to_owned()
        }
        Some(_) => {
            "No EMS is known yet. Add one to ext_management_systems in the settings, then `catchall run`."
                .to_owned()
        }
    }
}

fn draw_table(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &mut State,
    (shown, paint, now): (&[EmsState], Paint, DateTime<Utc>),
) {
    let mut cells: Vec<Vec<Cell>> = shown.iter().map(|ems| cells(ems, now)).collect();
    let room = usize::from(area.width).saturating_sub(terminal::width(MARK));
    let columns = table::layout(&COLUMNS, &mut cells, Some(room));
    let left = room.saturating_sub(table::taken(&columns) + 2);
    let errors = left >= ERROR && shown.iter().any(|ems| error(ems).is_some());
    let mut widths: Vec<_> = columns.iter().map(|(_, width)| Constraint::Length(*width as u16)).collect();
    widths.extend(errors.then_some(Constraint::Length(left as u16)));
    let rows = shown.iter().zip(&cells).map(|(ems, cells)| {
        let mut line: Vec<Text<'_>> =
            columns.iter().map(|(at, width)| text(&cells[*at], COLUMNS[*at].align, *width, paint)).collect();
        line.extend(errors.then(|| text(&error(ems).unwrap_or_default().into(), Align::Left, left, paint)));
        Row::new(line)
    });
    let heading = columns.iter().map(|(at, width)| {
        let cell = Cell::from(COLUMNS[*at].heading);
        let sorted = COLUMNS[*at].heading == state.order.heading();
        let style = if sorted { Modifier::BOLD | Modifier::UNDERLINED } else { Modifier::DIM };
        text(&cell, COLUMNS[*at].align, *width, paint).style(Style::new().add_modifier(style))
    });
    let heading =
        heading.chain(errors.then(|| Text::styled("ERROR", Style::new().add_modifier(Modifier::DIM))));
    let table = Table::new(rows, widths)
        .header(Row::new(heading))
        .column_spacing(2)
        .highlight_symbol(MARK)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    state.list.select(shown.iter().position(|ems| state.chosen.as_ref() == Some(&ems.name)));
    frame.render_stateful_widget(table, area, &mut state.list);
}

/// One that runs has none, whatever it had.
fn error(ems: &EmsState) -> Option<&str> {
    ems.error
        .as_deref()
        .filter(|_| standing::tone(&ems.state) != Tone::Good)
        .or(ems.last_refresh_error.as_deref())
}

fn text(cell: &Cell, align: Align, width: usize, paint: Paint) -> Text<'static> {
    let short = terminal::shortened(&terminal::one_line(&cell.text), width);
    let align = match align {
        Align::Left => Alignment::Left,
        Align::Right => Alignment::Right,
    };
    Text::from(Line::from(said(&short, cell.tone, paint)).alignment(align))
}

fn cells(ems: &EmsState, now: DateTime<Utc>) -> Vec<Cell> {
    let known = |number: Option<String>| Cell::from(number.unwrap_or_else(|| "-".to_owned()));
    let counted = |count: Option<i64>, tone| match count.filter(|count| *count > 0) {
        Some(count) => Cell::new(count.to_string(), tone),
        None => known(count.map(|count| count.to_string())),
    };
    let silent = if standing::is_silent(ems) { Tone::Warning } else { Tone::Plain };
    vec![
        ems.name.as_str().into(),
        Cell::new(standing::in_words(&ems.state), standing::tone(&ems.state)),
        known(ems.events_per_second.map(rate)),
        known(ems.lag_seconds.map(seconds)),
        Cell::new(ago(ems.last_event_on, now), silent),
        known(ems.waiting_work.map(|count| count.to_string())),
        counted(ems.dead_letters, Tone::Bad),
        counted(ems.gaps, Tone::Warning),
        known(ems.restarts.map(|count| count.to_string())),
        known(ems.usual_events_per_second.map(rate)),
    ]
}
