//! Where a stream stands, as `ems_cursors` stores it, and from where the next query reads. Pure.

use super::super::parser;
use crate::provider::Cursor;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How far before its position a query begins: events become visible up to 120 s late.
pub(super) const OVERLAP: TimeDelta = TimeDelta::seconds(130);
/// A query that began longer ago is not gone on with: its clock is the most that the position may come to, so all that
/// happened since would be read twice.
const LONG_AGO: TimeDelta = TimeDelta::minutes(10);

/// The position in a [`Cursor`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// min(newest `time` read so far, `Date` of the query's first page); `null` is the oldest event.
    pub time: Option<DateTime<Utc>>,
    /// Nothing before this is wanted (`initial_history`); left out once the overlap lies behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// While there is no `time` yet: the newest event of the second that the server's clock still told. No position, but
    /// enough to notice that history was lost since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<DateTime<Utc>>,
    /// The query that was being read; left out between queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// A query in the middle: where its successor goes on. Without it every failure would cost the whole overlap, and a stream
/// that fails more often than the overlap has pages would never come to new events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    /// The server's clock at the query's first page.
    pub date: DateTime<Utc>,
    /// The newest time that it has read.
    pub tip: DateTime<Utc>,
}

impl Position {
    /// The start of a new EMS that wants events from `time` on.
    pub(super) fn starting_at(time: DateTime<Utc>) -> Self {
        Self { time: Some(time), from: Some(time), ..Self::default() }
    }

    /// Moves to `newest`, never back. Tells whether it moved.
    pub(super) fn advance(&mut self, newest: DateTime<Utc>) -> bool {
        if self.time.is_some_and(|time| time >= newest) {
            return false;
        }
        self.time = Some(newest);
        self.begun = None;
        if before(newest) > self.from {
            self.from = None;
        }
        true
    }

    /// Until when all was read, as far as history that is lost is concerned.
    pub(super) fn reached(&self) -> Option<DateTime<Utc>> {
        self.time.or(self.begun)
    }

    /// `since` of the next query: the overlap before the position, but not before what the EMS wants, nor before
    /// `oldest`, which goes back to the server verbatim. `None` is the oldest event.
    pub(super) fn since(&self, oldest: Option<&str>) -> Option<String> {
        let wanted = before(self.reached()?).max(self.from)?;
        match oldest {
            Some(text) if parser::time(text).is_ok_and(|oldest| oldest > wanted) => Some(text.to_owned()),
            _ => Some(text(wanted)),
        }
    }

    /// Whether the query that was being read began long before `date`, the server's clock.
    pub(super) fn is_long_ago(&self, date: DateTime<Utc>) -> bool {
        self.reading.as_ref().is_some_and(|reading| date - reading.date > LONG_AGO)
    }

    pub(super) fn cursor(&self, source: &str) -> Cursor {
        // invariant: two optional times always serialize.
        Cursor { source: source.to_owned(), position: serde_json::to_value(self).unwrap_or_default() }
    }
}

fn before(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    time.checked_sub_signed(OVERLAP)
}

/// A time as the API wants it.
pub(super) fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        parser::time(text).unwrap()
    }

    #[test]
    fn a_query_begins_130_seconds_before_the_position_but_not_before_the_oldest_event() {
        let mut position = Position::default();
        assert_eq!(position.since(Some("2026-11-22T10:00:00Z")), None);
        assert!(position.advance(at("2026-11-22T10:26:10.123456789Z")));
        assert!(!position.advance(at("2026-11-22T10:26:09Z")));
        assert_eq!(position.since(None).unwrap(), "2026-11-22T10:24:00.123456789Z");
        assert_eq!(position.since(Some("2026-11-22T10:25:00+00:00")).unwrap(), "2026-11-22T10:25:00+00:00");
        assert_eq!(position.since(Some("2026-11-22T10:20:00Z")).unwrap(), "2026-11-22T10:24:00.123456789Z");
    }

    #[test]
    fn what_an_ems_does_not_want_is_not_asked_for_until_it_lies_behind() {
        let mut position = Position::starting_at(at("2026-11-22T10:00:00Z"));
        position.advance(at("2026-11-22T10:01:00Z"));
        assert_eq!(position.since(None).unwrap(), "2026-11-22T10:00:00.000000000Z");
        position.advance(at("2026-11-22T10:03:00Z"));
        assert_eq!(
            (position.since(None).unwrap().as_str(), position.from),
            ("2026-11-22T10:00:50.000000000Z", None)
        );
    }

    #[test]
    fn a_stored_position_is_read_as_it_was() {
        let mut position = Position::starting_at(at("2026-11-22T10:00:00.123456789Z"));
        let earlier = serde_json::json!({"time": position.time, "from": position.from});
        assert_eq!(serde_json::from_value::<Position>(earlier).unwrap(), position);
        let (date, tip) = (at("2026-11-22T10:00:03Z"), at("2026-11-22T10:00:02.5Z"));
        position.reading = Some(Reading { date, tip });
        let cursor = position.cursor("s");
        assert_eq!(serde_json::from_value::<Position>(cursor.position).unwrap(), position);
        assert!(serde_json::from_value::<Position>(serde_json::json!({"sequence": 7, "time": 5})).is_err());
    }
}
