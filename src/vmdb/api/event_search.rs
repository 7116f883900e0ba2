//! Searches `event_streams` in the order of time or of ids, however many rows there are.
//!
//! What an index finds is asked for at once. Everything else is looked for in windows of the newest rows, one after the
//! other, until the page is full or the time is used up; then the search says where it broke off.

use super::{Comparison, Condition, Operand};
use crate::vmdb::{Connection, Fields, Value, VmdbError};
use chrono::{DateTime, Utc};
use std::time::{Duration, Instant};

/// A search that finds little ends after this.
const BUDGET: Duration = Duration::from_secs(2);
/// The first window, in rows.
const FIRST_WINDOW: i64 = 20_000;
/// And the largest.
const LARGEST_WINDOW: i64 = 200_000;

/// By what events are walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// `timestamp` and id, or id alone.
    pub by_time: bool,
    /// Newest first.
    pub descending: bool,
}

/// Where a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// `event_streams.timestamp`; what is walked by id has none.
    pub timestamp: Option<DateTime<Utc>>,
    /// `event_streams.id`
    pub id: i64,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Search<'q> {
    /// Which events.
    pub condition: &'q Condition,
    /// In which order.
    pub walk: Walk,
    /// Behind this place.
    pub after: Option<Place>,
    /// So many are passed over.
    pub offset: i64,
    /// At most so many.
    pub limit: i64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In the order of the walk.
    pub ids: Vec<i64>,
    /// Where to go on; `None`: there is no more.
    pub next: Option<Place>,
    /// Whether the search ended before its page was full though there may be more.
    pub broken_off: bool,
}

/// Whether [`super::count`] finds this by an index, so that it may be asked for of ten million rows.
pub fn is_counted(condition: &Condition) -> bool {
    let (_, rest) = split(condition);
    rest.is_empty()
}

/// Whether an index leaves no more than [`super::MOST_COUNTED`] rows, so that they may be sorted.
///
/// # Errors
/// See [`VmdbError`].
pub fn is_small(connection: &mut Connection, condition: &Condition) -> Result<bool, VmdbError> {
    let (indexed, _) = split(condition);
    let indexed = Condition::All(indexed.into_iter().cloned().collect());
    Ok(super::count(connection, "event_streams", &indexed)?.is_some())
}

/// Looks for events.
///
/// # Errors
/// See [`VmdbError`].
pub fn search(connection: &mut Connection, search: &Search<'_>) -> Result<Found, VmdbError> {
    let (indexed, rest) = split(search.condition);
    let wanted = usize::try_from(search.offset + search.limit + 1).unwrap_or(usize::MAX);
    let (mut places, mut after, mut window) = (Vec::new(), search.after, FIRST_WINDOW);
    let began = Instant::now();
    let mut broken_off = None;
    loop {
        let step = Step { indexed: &indexed, rest: &rest, walk: search.walk, after, window };
        let missing = (wanted - places.len()) as i64;
        places.extend(step.matching(connection, missing)?);
        let end = if places.len() < wanted && !rest.is_empty() { step.end(connection)? } else { None };
        let Some(end) = end else { break };
        if began.elapsed() > BUDGET {
            broken_off = Some(end);
            break;
        }
        (after, window) = (Some(end), (window * 3).min(LARGEST_WINDOW));
    }
    let full = places.len() == wanted;
    places.truncate(wanted - 1);
    let last = places.last().copied();
    let ids = places.iter().skip(usize::try_from(search.offset).unwrap_or_default()).map(|place| place.id);
    Ok(Found {
        ids: ids.collect(),
        next: if full { last } else { broken_off },
        broken_off: broken_off.is_some(),
    })
}

/// Columns by which an index finds rows in the order of time, or of ids.
const INDEXED: [&str; 5] = ["id", "timestamp", "ems_id", "vm_or_template_id", "host_id"];

/// What an index answers, and the rest.
fn split(condition: &Condition) -> (Vec<&Condition>, Vec<&Condition>) {
    let parts: Vec<&Condition> = match condition {
        Condition::All(parts) => parts.iter().collect(),
        other => vec![other],
    };
    parts.into_iter().partition(|part| match part {
        Condition::Is("id" | "timestamp", comparison, _) => *comparison != Comparison::NotEqual,
        Condition::Is(column, Comparison::Equal, Operand::Integer(_)) => INDEXED.contains(column),
        Condition::Is("type", Comparison::Equal, Operand::Text(text)) => text == "EmsEvent",
        _ => false,
    })
}

/// One window.
struct Step<'s> {
    indexed: &'s [&'s Condition],
    rest: &'s [&'s Condition],
    walk: Walk,
    after: Option<Place>,
    window: i64,
}

impl<'s> Step<'s> {
    /// Those of the window that meet everything; without a rest, of all rows.
    fn matching(&self, connection: &mut Connection, limit: i64) -> Result<Vec<Place>, VmdbError> {
        let mut values = Vec::new();
        let mut sql = String::from("SELECT id, timestamp FROM ");
        if self.rest.is_empty() {
            sql.push_str("event_streams WHERE ");
            self.write_range(&mut sql, &mut values);
        } else {
            // The inner limit keeps a planner from an index of its own choice, which may hold millions.
            let mut columns = vec!["id", "timestamp"];
            for column in self.rest.iter().flat_map(|part| part.columns()) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            sql.push_str(&format!("(SELECT {} FROM event_streams WHERE ", columns.join(", ")));
            self.write_range(&mut sql, &mut values);
            sql.push_str(&format!("{} LIMIT ?) AS walked WHERE ", self.order()));
            values.push(self.window.into());
            write_all(self.rest, &mut sql, &mut values);
        }
        sql.push_str(&format!("{} LIMIT ?", self.order()));
        values.push(limit.into());
        let rows = connection.rows(&sql, &values)?;
        rows.iter().map(|row| place(row, self.walk)).collect()
    }

    /// The last row of the window; `None` when it reaches to the end of the table.
    fn end(&self, connection: &mut Connection) -> Result<Option<Place>, VmdbError> {
        let mut values = Vec::new();
        let mut sql = String::from("SELECT id, timestamp FROM event_streams WHERE ");
        self.write_range(&mut sql, &mut values);
        sql.push_str(&format!("{} LIMIT 1 OFFSET ?", self.order()));
        values.push((self.window - 1).into());
        connection.rows(&sql, &values)?.first().map(|row| place(row, self.walk)).transpose()
    }

    fn write_range(&self, sql: &mut String, values: &mut Vec<Value<'s>>) {
        write_all(self.indexed, sql, values);
        let beyond = if self.walk.descending { "<" } else { ">" };
        match self.after {
            Some(Place { timestamp: Some(timestamp), id }) => {
                sql.push_str(&format!(
                    " AND timestamp {beyond}= ? AND (timestamp {beyond} ? OR id {beyond} ?)"
                ));
                values.extend([Value::from(timestamp), timestamp.into(), id.into()]);
            }
            Some(Place { timestamp: None, id }) => {
                sql.push_str(&format!(" AND id {beyond} ?"));
                values.push(id.into());
            }
            None => {}
        }
    }

    fn order(&self) -> &'static str {
        match (self.walk.by_time, self.walk.descending) {
            (true, true) => " ORDER BY timestamp DESC, id DESC",
            (true, false) => " ORDER BY timestamp, id",
            (false, true) => " ORDER BY id DESC",
            (false, false) => " ORDER BY id",
        }
    }
}

fn write_all<'c>(parts: &[&'c Condition], sql: &mut String, values: &mut Vec<Value<'c>>) {
    sql.push_str("1 = 1");
    for part in parts {
        sql.push_str(" AND ");
        part.write(sql, values);
    }
}

fn place(row: &Fields, walk: Walk) -> Result<Place, VmdbError> {
    Ok(Place { id: row.id(0)?, timestamp: row.time(1).filter(|_| walk.by_time) })
}
