//! Adds up counts of a window: those that the database keeps, and rows where it keeps none.

use super::TimelineQuery;
use super::conditions::{By, Conditions, arms};
use super::counts::{BarCount, CountQuery, Counts};
use super::pieces::{HOUR, Piece, Source, floor, pieces};
use crate::vmdb::{Connection, Fields, Value, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// So many rows at an edge of the window, in which only a part of an hour lies, are looked at one by one.
const FEW_AT_EDGE: i64 = 30_000;

/// What is counted on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    EmsAndTypes,
    Types,
}

impl Apart {
    /// The column that tells the EMS, if any.
    fn ems(self) -> &'static str {
        match self {
            Self::EmsAndTypes => ", ems_id",
            Self::Types => "",
        }
    }
}

/// Counts as they come in.
pub(super) struct Tally<'q> {
    query: &'q CountQuery,
    /// The same as the conditions want it.
    conditions: TimelineQuery,
    apart: Apart,
    width: TimeDelta,
    /// By the bar's number since 1970, EMS and type.
    counts: BTreeMap<(i64, i64, String), i64>,
}

impl<'q> Tally<'q> {
    pub(super) fn new(query: &'q CountQuery, apart: Apart, width: TimeDelta) -> Self {
        let conditions = TimelineQuery {
            resource: query.resource,
            ems_id: query.ems_id,
            event_types: query.event_types.clone(),
            ..TimelineQuery::default()
        };
        Self { query, conditions, apart, width, counts: BTreeMap::new() }
    }

    pub(super) fn finish(self) -> Counts {
        let width = self.width;
        let bar = |((bar, ems_id, event_type), count)| {
            let starts = DateTime::from_timestamp(bar * width.num_seconds(), 0)?;
            Some(BarCount { starts, ems_id, event_type, count })
        };
        Counts { width, bars: self.counts.into_iter().filter_map(bar).collect() }
    }

    /// From what the database has counted, and at the edges from rows.
    pub(super) fn add_up(&mut self, connection: &mut Connection) -> Result<(), VmdbError> {
        for piece in pieces(self.query.since, self.query.until, self.width) {
            match piece.source {
                Source::Days => self.counted(connection, "day", piece)?,
                Source::Hours => self.counted(connection, "hour", piece)?,
                Source::Rows => self.edge(connection, piece)?,
            }
        }
        Ok(())
    }

    fn edge(&mut self, connection: &mut Connection, piece: Piece) -> Result<(), VmdbError> {
        let hour = floor(piece.since, HOUR);
        let sql = "SELECT CAST(sum(count) AS bigint) FROM event_counts_by_hour WHERE hour = ?";
        let rows = connection.rows(sql, &[hour.into()])?;
        if rows.first().and_then(|row| row.integer(0)).unwrap_or_default() > FEW_AT_EDGE {
            let hour = Piece { source: Source::Hours, since: hour, until: hour + HOUR };
            return self.counted(connection, "hour", hour);
        }
        let by = if self.conditions.asked_ems().is_some() { By::Ems } else { By::Time };
        self.rows(connection, by, piece.since, piece.until)
    }

    fn counted(&mut self, connection: &mut Connection, unit: &str, piece: Piece) -> Result<(), VmdbError> {
        let mut sql = format!(
            "SELECT {unit}, event_type, CAST(sum(count) AS bigint){ems} FROM event_counts_by_{unit} \
             WHERE {unit} >= ? AND {unit} < ?",
            ems = self.apart.ems()
        );
        let mut values = vec![piece.since.into(), piece.until.into()];
        if let Some(ems_id) = self.conditions.asked_ems() {
            sql.push_str(" AND ems_id = ?");
            values.push(ems_id.into());
        }
        if let Some(types) = &self.query.event_types {
            sql.push_str(" AND event_type ?");
            values.push(Value::Texts(types.iter().map(String::as_str).collect()));
        }
        sql.push_str(&format!(" GROUP BY {unit}, event_type{}", self.apart.ems()));
        let rows = connection.rows(&sql, &values)?;
        let seconds = self.width.num_seconds();
        add(&mut self.counts, &rows, |row| Some(row.time(0)?.timestamp().div_euclid(seconds)));
        Ok(())
    }

    pub(super) fn rows(
        &mut self,
        connection: &mut Connection,
        by: By,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<(), VmdbError> {
        let bar = connection.seconds_of("timestamp");
        let arms = arms(self.query.resource).map_or_else(|| vec![None], |arms| arms.map(Some).to_vec());
        for arm in arms {
            let mut values = vec![self.width.num_seconds().into()];
            let mut sql = format!(
                "SELECT {bar} / ?, event_type, CAST(count(*) AS bigint){ems} FROM event_streams WHERE ",
                ems = self.apart.ems()
            );
            if let Some(mut arm) = arm {
                sql.push_str(&format!("{} AND ", arm.sql));
                values.append(&mut arm.values);
            }
            let mut own = Conditions::of(&self.conditions, by, None);
            own.and("timestamp >= ? AND timestamp < ?", [since.into(), until.into()]);
            sql.push_str(&format!(
                "{} AND ems_id IS NOT NULL AND event_type IS NOT NULL GROUP BY 1, 2{}",
                own.sql,
                self.apart.ems()
            ));
            values.append(&mut own.values);
            let rows = connection.rows(&sql, &values)?;
            add(&mut self.counts, &rows, |row| row.integer(0));
        }
        Ok(())
    }
}

/// Rows of (bar, type, count, EMS if apart).
fn add(
    counts: &mut BTreeMap<(i64, i64, String), i64>,
    rows: &[Fields],
    bar: impl Fn(&Fields) -> Option<i64>,
) {
    let counted = |row: &Fields| {
        let ems_id = row.integer(3).unwrap_or_default();
        Some(((bar(row)?, ems_id, row.string(1)?), row.integer(2)?))
    };
    for (key, count) in rows.iter().filter_map(counted) {
        *counts.entry(key).or_default() += count;
    }
}
