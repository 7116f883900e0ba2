//! Finds the positions of the events that a query asks for, newest first. Where an index leads straight to them, one statement
//! does; else the timeline is walked from the newest in slices of some thousand rows, until there are enough or time is up.

use super::conditions::{By, Conditions, Range, arms, pattern};
use super::slices::Slices;
use super::{Position, TimelineQuery};
use crate::vmdb::{Connection, Value, VmdbError};
use std::time::{Duration, Instant};

const NEWEST_FIRST: &str = "ORDER BY timestamp DESC, id DESC LIMIT ?";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Newest first.
    pub(super) positions: Vec<Position>,
    /// Where the walk was broken off: what is not older than this was looked at.
    pub(super) broken_off: Option<Position>,
}

/// At most `limit` of what `query` asks for; `budget` is the time after which no further slice is looked at.
pub(super) fn find(
    connection: &mut Connection,
    query: &TimelineQuery,
    limit: usize,
    budget: Option<Duration>,
) -> Result<Found, VmdbError> {
    let range = Range::of(query);
    if range.is_empty() || query.event_types.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Found::default());
    }
    let pattern = query.text.as_deref().filter(|text| !text.is_empty()).map(pattern);
    let search = Search { query, pattern: pattern.as_deref() };
    if let Some(by) = search.straight() {
        let positions = search.straight_to(connection, by, &range, limit)?;
        return Ok(Found { positions, broken_off: None });
    }
    let began = Instant::now();
    let mut slices = Slices::new(connection, query, range)?;
    let mut positions = Vec::new();
    while let Some(slice) = slices.next(connection)? {
        positions.append(&mut search.among(connection, slices.by(), &slice, limit - positions.len())?);
        if positions.len() >= limit {
            break;
        }
        if slice.from != range.from && budget.is_some_and(|budget| began.elapsed() > budget) {
            return Ok(Found { positions, broken_off: slice.from });
        }
    }
    Ok(Found { positions, broken_off: None })
}

struct Search<'q> {
    query: &'q TimelineQuery,
    pattern: Option<&'q str>,
}

impl Search<'_> {
    /// The index in which the events stand one after the other, if there is one.
    fn straight(&self) -> Option<By> {
        if self.pattern.is_some() {
            return None;
        }
        let ems = self.query.asked_ems().is_some();
        match (arms(self.query.resource), self.query.event_types.as_deref()) {
            (Some(_), None) if !ems => Some(By::Resource),
            (Some(_), _) => None,
            (None, None) => Some(if ems { By::Ems } else { By::Time }),
            (None, Some([_])) if !ems => Some(By::Types),
            (None, Some(_)) => None,
        }
    }

    /// The newest in `range`, by an index that has them in this order.
    fn straight_to(
        &self,
        connection: &mut Connection,
        by: By,
        range: &Range,
        limit: usize,
    ) -> Result<Vec<Position>, VmdbError> {
        let mut arms = self.arms(by, range);
        for arm in &mut arms {
            let newest = format!("SELECT timestamp, id FROM event_streams WHERE {} {NEWEST_FIRST}", arm.sql);
            arm.sql = format!("SELECT * FROM ({newest}) AS arm");
            arm.values.push((limit as i64).into());
        }
        let mut all = joined(arms);
        all.sql = format!("{} {NEWEST_FIRST}", all.sql);
        positions(connection, all, limit)
    }

    /// The newest in a slice, all of whose rows are looked at.
    fn among(
        &self,
        connection: &mut Connection,
        by: By,
        slice: &Range,
        limit: usize,
    ) -> Result<Vec<Position>, VmdbError> {
        let mut arms = self.arms(by, slice);
        for arm in &mut arms {
            arm.sql = format!("SELECT timestamp, id FROM event_streams WHERE {}", arm.sql);
        }
        let mut all = joined(arms);
        // Ordering by time at once would tempt a planner to walk through everybody's events.
        all.sql =
            format!("WITH mine AS MATERIALIZED ({}) SELECT timestamp, id FROM mine {NEWEST_FIRST}", all.sql);
        positions(connection, all, limit)
    }

    fn arms(&self, by: By, range: &Range) -> Vec<Conditions<'_>> {
        let own = Conditions::of(self.query, by, self.pattern);
        let within = |arm: Conditions<'static>| {
            let mut values: Vec<Value<'_>> = arm.values;
            values.extend(own.values.iter().cloned());
            let mut all = Conditions { sql: format!("{} AND {}", arm.sql, own.sql), values };
            all.within(range);
            all
        };
        match arms(self.query.resource) {
            Some(arms) => arms.into_iter().map(within).collect(),
            None => {
                let mut all = own.clone();
                all.within(range);
                vec![all]
            }
        }
    }
}

/// All of them, of which no event is in two.
fn joined(arms: Vec<Conditions<'_>>) -> Conditions<'_> {
    let mut all = Conditions::default();
    for mut arm in arms {
        if !all.sql.is_empty() {
            all.sql.push_str(" UNION ALL ");
        }
        all.sql.push_str(&arm.sql);
        all.values.append(&mut arm.values);
    }
    all
}

fn positions(
    connection: &mut Connection,
    mut statement: Conditions<'_>,
    limit: usize,
) -> Result<Vec<Position>, VmdbError> {
    statement.values.push((limit as i64).into());
    let rows = connection.rows(&statement.sql, &statement.values)?;
    Ok(rows
        .iter()
        .filter_map(|row| Some(Position { timestamp: row.time(0)?, id: row.integer(1)? }))
        .collect())
}
