//! `catchall events`: the latest events that meet the filters, newest last, as in a log.

use super::ems_names::{self, Names, name_of};
use super::event_filter::{EventFilter, FilterError};
use super::event_line;
use super::table::{Align, Cell, Column, fitted};
use super::terminal::Screen;
use crate::clock;
use crate::settings::EventGroups;
use crate::vmdb::timeline::{self, TimelineEvent, TimelineQuery};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};

/// Which are shown.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Only those that meet it.
    pub filter: EventFilter,
    /// At most so many, the latest.
    pub limit: usize,
}

/// Events with what is needed to tell them.
#[derive(Clone, Debug)]
pub struct Found {
    /// Oldest first.
    pub events: Vec<TimelineEvent>,
    /// Of the EMSs.
    pub names: Names,
}

/// Reads them.
///
/// # Errors
/// See [`FilterError`].
pub fn read(
    connection: &mut Connection,
    chosen: &Chosen,
    groups: &EventGroups,
) -> Result<Found, FilterError> {
    let query = chosen.filter.query(connection, groups, chosen.limit)?;
    let mut events = latest(connection, query)?;
    events.reverse();
    Ok(Found { events, names: ems_names::all(connection)? })
}

/// The latest events of a query, newest first, over as many pages as its limit takes.
///
/// # Errors
/// See [`VmdbError`].
pub fn latest(connection: &mut Connection, query: TimelineQuery) -> Result<Vec<TimelineEvent>, VmdbError> {
    let (limit, mut query, mut events) = (query.limit, query, Vec::new());
    while events.len() < limit {
        query.limit = limit - events.len();
        let page = timeline::page(connection, &query)?;
        events.extend(page.events);
        match page.next {
            Some(next) => query.before = Some(next),
            None => break,
        }
    }
    Ok(events)
}

const COLUMNS: [Column; 9] = [
    Column::new("ID", Align::Right, 0),
    Column::new("TIME", Align::Left, 0),
    Column::new("AGE", Align::Right, 3),
    Column::new("LEVEL", Align::Left, 2),
    Column::new("EMS", Align::Left, 0),
    Column::new("EVENT TYPE", Align::Left, 0),
    Column::new("ABOUT", Align::Left, 0),
    Column::new("REFRESH", Align::Left, 0),
    Column::new("MESSAGE", Align::Left, 0),
];

/// What is told where there are none.
pub fn none(chosen: &Chosen) -> &'static str {
    match chosen.filter.is_narrow() {
        true => "No event meets all that was asked for; `catchall events` shows the latest of all.\n",
        false => "No events. `catchall status` tells when each EMS was last heard.\n",
    }
}

/// For people.
pub fn text(found: &Found, groups: &EventGroups, now: DateTime<Utc>, screen: &Screen) -> String {
    let row = |event: &TimelineEvent| {
        let level = groups.group_and_level(&event.event_type).level;
        vec![
            event.position.id.to_string().into(),
            event_line::time(event.position.timestamp).into(),
            clock::in_words(now - event.position.timestamp).into(),
            Cell::new(level, event_line::tone(level)),
            name_of(&found.names, event.ems_id).into(),
            event_line::times(event).into(),
            event_line::about(event).into(),
            event_line::refresh(event).into(),
            event.message.clone().unwrap_or_default().into(),
        ]
    };
    // What an event says is not cut to the width of a terminal.
    fitted(&COLUMNS, found.events.iter().map(row).collect(), &Screen { columns: None, ..*screen })
}

/// For machines: one JSON object on each line.
pub fn json_lines(found: &Found, groups: &EventGroups) -> String {
    found.events.iter().map(|event| format!("{}\n", event_line::json(event, &found.names, groups))).collect()
}
