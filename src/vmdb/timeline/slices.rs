//! Cuts a stretch of the timeline into slices, newest first, of which none makes a statement look at many more than
//! [`ROWS`] rows. Where event types are asked for, the counts by day and hour say where there are any; else the index that
//! leads says where the next some thousand rows end.

use super::conditions::{By, Conditions, Range, arms};
use super::pieces::{DAY, HOUR, floor};
use super::{Position, TimelineQuery};
use crate::vmdb::{Connection, Value, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};

/// Rows that a slice is to make a statement look at: some milliseconds.
const ROWS: i64 = 4_000;
/// Days of counts that are read at once.
const DAYS: i32 = 31;

/// What is left of the stretch.
pub(super) enum Slices<'q> {
    /// By places in the index that leads; no range once there is nothing left.
    Probed { by: By, leading: Conditions<'q>, left: Option<Range> },
    /// By counts.
    Counted(Counted<'q>),
}

impl<'q> Slices<'q> {
    /// All of `range`.
    pub(super) fn new(
        connection: &mut Connection,
        query: &'q TimelineQuery,
        range: Range,
    ) -> Result<Self, VmdbError> {
        if let Some([arm, _]) = arms(query.resource) {
            return Ok(Self::Probed { by: By::Resource, leading: arm, left: Some(range) });
        }
        if let Some(types) = &query.event_types {
            return Counted::new(connection, (query.asked_ems(), types), range).map(Self::Counted);
        }
        let mut leading = Conditions::default();
        let by = match query.asked_ems() {
            Some(ems_id) => {
                leading.and("ems_id = ?", [ems_id.into()]);
                By::Ems
            }
            None => By::Time,
        };
        Ok(Self::Probed { by, leading, left: Some(range) })
    }

    /// The index to go by.
    pub(super) fn by(&self) -> By {
        match self {
            Self::Probed { by, .. } => *by,
            Self::Counted(counted) => counted.by,
        }
    }

    /// The next older one.
    pub(super) fn next(&mut self, connection: &mut Connection) -> Result<Option<Range>, VmdbError> {
        let (leading, left) = match self {
            Self::Probed { leading, left, .. } => (leading, left),
            Self::Counted(counted) => return counted.next(connection),
        };
        let Some(range) = *left else { return Ok(None) };
        let mut probe = leading.clone();
        probe.within(&range);
        let sql = format!(
            "SELECT timestamp, id FROM event_streams WHERE {} ORDER BY timestamp DESC, id DESC LIMIT 1 OFFSET ?",
            probe.sql
        );
        probe.values.push((ROWS - 1).into());
        let rows = connection.rows(&sql, &probe.values)?;
        let end =
            rows.first().and_then(|row| Some(Position { timestamp: row.time(0)?, id: row.integer(1)? }));
        *left = end.map(|until| Range { until, ..range });
        Ok(Some(end.map_or(range, |end| Range { from: Some(end), ..range })))
    }
}

/// Slices by `event_counts_by_day` and, where a day holds much, `event_counts_by_hour`.
pub(super) struct Counted<'q> {
    by: By,
    ems_id: Option<i64>,
    types: &'q [String],
    range: Range,
    /// The newest is the last.
    cells: Vec<Cell>,
    /// Days from this on were read.
    read: DateTime<Utc>,
    /// The first day to read.
    oldest: DateTime<Utc>,
}

/// A stretch of time that holds what is looked for, and how many rows of the index that leads.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    starts: DateTime<Utc>,
    ends: DateTime<Utc>,
    rows: i64,
}

impl<'q> Counted<'q> {
    fn new(
        connection: &mut Connection,
        (ems_id, types): (Option<i64>, &'q [String]),
        range: Range,
    ) -> Result<Self, VmdbError> {
        let rows = connection.rows("SELECT min(day), max(day) FROM event_counts_by_day", &[])?;
        let known = |index| rows.first().and_then(|row| row.time(index));
        let newest = known(1).map_or(range.until.timestamp, |day| day.min(range.until.timestamp));
        let read = floor(newest, DAY) + DAY;
        let first = known(0).unwrap_or(read);
        let oldest = range.from.map_or(first, |from| floor(from.timestamp, DAY).max(first));
        let mut this = Self { by: By::Types, ems_id, types, range, cells: Vec::new(), read, oldest };
        if let Some(ems_id) = ems_id {
            let sql = "SELECT CAST(sum(CASE WHEN ems_id = ? THEN count ELSE 0 END) AS bigint), \
                       CAST(sum(CASE WHEN event_type ? THEN count ELSE 0 END) AS bigint) \
                       FROM event_counts_by_day WHERE day >= ? AND day < ?";
            let values = [ems_id.into(), this.texts(), (read - DAY * DAYS).into(), read.into()];
            let rows = connection.rows(sql, &values)?;
            let sum = |index| rows.first().and_then(|row| row.integer(index)).unwrap_or_default();
            this.by = if sum(0) < sum(1) { By::Ems } else { By::Types };
        }
        Ok(this)
    }

    fn texts(&self) -> Value<'q> {
        Value::Texts(self.types.iter().map(String::as_str).collect())
    }

    fn next(&mut self, connection: &mut Connection) -> Result<Option<Range>, VmdbError> {
        loop {
            let Some(newest) = self.cells.pop() else {
                if self.read <= self.oldest {
                    return Ok(None);
                }
                let from = (self.read - DAY * DAYS).max(self.oldest);
                self.cells = self.cells_of(connection, "day", from, self.read)?;
                self.read = from;
                continue;
            };
            if newest.rows > ROWS && newest.ends - newest.starts > HOUR {
                let mut hours = self.cells_of(connection, "hour", newest.starts, newest.ends)?;
                self.cells.append(&mut hours);
                continue;
            }
            if newest.rows > ROWS && newest.ends - newest.starts > TimeDelta::seconds(1) {
                self.cells.extend(newest.parts());
                continue;
            }
            let all = self.merged(newest);
            if let Some(slice) = self.clipped(all) {
                return Ok(Some(slice));
            }
        }
    }

    /// Together with the older ones that one statement can look at as well.
    fn merged(&mut self, newest: Cell) -> Cell {
        // What lies between costs nothing, unless the index that leads knows but one of the two that are asked for.
        let gaps_are_free = self.ems_id.is_none();
        let mut all = newest;
        while let Some(older) = self.cells.last().copied() {
            if all.rows + older.rows > ROWS || (older.ends != all.starts && !gaps_are_free) {
                break;
            }
            self.cells.pop();
            all = Cell { starts: older.starts, ends: all.ends, rows: all.rows + older.rows };
        }
        all
    }

    /// What of it is asked for.
    fn clipped(&self, cell: Cell) -> Option<Range> {
        let from = Position::before_all_of(cell.starts);
        let from = self.range.from.map_or(from, |asked| asked.max(from));
        let slice =
            Range { from: Some(from), until: Position::before_all_of(cell.ends).min(self.range.until) };
        (!slice.is_empty()).then_some(slice)
    }

    /// The days or hours that hold what is looked for, oldest first.
    fn cells_of(
        &self,
        connection: &mut Connection,
        unit: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Cell>, VmdbError> {
        let mut values = vec![from.into(), until.into()];
        let (led, asked) = match (self.by, self.ems_id) {
            (By::Ems, Some(ems_id)) => {
                values.extend([ems_id.into(), self.texts()]);
                ("ems_id = ?", "CASE WHEN event_type ? THEN count ELSE 0 END")
            }
            (_, Some(ems_id)) => {
                values.extend([self.texts(), ems_id.into()]);
                ("event_type ?", "CASE WHEN ems_id = ? THEN count ELSE 0 END")
            }
            (_, None) => {
                values.push(self.texts());
                ("event_type ?", "count")
            }
        };
        let sql = format!(
            "SELECT {unit}, CAST(sum(count) AS bigint) FROM event_counts_by_{unit} WHERE {unit} >= ? AND {unit} < ? \
             AND {led} GROUP BY {unit} HAVING sum({asked}) > 0 ORDER BY {unit}"
        );
        let length = if unit == "day" { DAY } else { HOUR };
        let rows = connection.rows(&sql, &values)?;
        let cell = |row: &crate::vmdb::Fields| {
            let starts = row.time(0)?;
            Some(Cell { starts, ends: starts + length, rows: row.integer(1)? })
        };
        Ok(rows.iter().filter_map(cell).collect())
    }
}

impl Cell {
    /// Equal parts, oldest first, that hold few enough if its rows are spread evenly.
    fn parts(self) -> Vec<Self> {
        let parts = (self.rows / ROWS + 1).min(1_000) as i32;
        let part = (self.ends - self.starts) / parts;
        let rows = (self.rows / i64::from(parts)).min(ROWS);
        let starts = |number| self.starts + part * number;
        let ends = |number| if number + 1 == parts { self.ends } else { starts(number + 1) };
        (0..parts).map(|number| Self { starts: starts(number), ends: ends(number), rows }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_hour_leave_nothing_out() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let parts = Cell { starts: at(0), ends: at(3600), rows: 7 * ROWS - 1 }.parts();
        assert_eq!((parts.len(), parts[0].starts, parts[6].ends), (7, at(0), at(3600)));
        assert!(parts.windows(2).all(|pair| pair[0].ends == pair[1].starts));
    }
}
