//! A window of time as pieces: whole days and hours, which are counted already, and what is left over at its edges. Pure.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

pub(super) const HOUR: TimeDelta = TimeDelta::hours(1);
pub(super) const DAY: TimeDelta = TimeDelta::days(1);

/// What a piece is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `event_streams`: a part of one hour.
    Rows,
    /// `event_counts_by_hour`
    Hours,
    /// `event_counts_by_day`
    Days,
}

/// A piece: from `since`, before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) source: Source,
    pub(super) since: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

/// The pieces of a window whose bars have this width, in order.
pub(super) fn pieces(since: DateTime<Utc>, until: DateTime<Utc>, width: TimeDelta) -> Vec<Piece> {
    let (first_hour, last_hour) = (ceiling(since, HOUR), floor(until, HOUR));
    let (first_day, last_day) = (ceiling(first_hour, DAY), floor(last_hour, DAY));
    let cuts = if width >= DAY && first_day < last_day {
        vec![
            (Source::Rows, first_hour),
            (Source::Hours, first_day),
            (Source::Days, last_day),
            (Source::Hours, last_hour),
            (Source::Rows, until),
        ]
    } else {
        vec![(Source::Rows, first_hour), (Source::Hours, last_hour), (Source::Rows, until)]
    };
    let mut pieces = Vec::new();
    let mut from = since;
    for (source, to) in cuts {
        let to = to.min(until);
        if from < to {
            pieces.push(Piece { source, since: from, until: to });
            from = to;
        }
    }
    pieces
}

/// Its beginning. A time before the year 1678 or after 2261 is left as it is.
pub(super) fn floor(time: DateTime<Utc>, unit: TimeDelta) -> DateTime<Utc> {
    time.duration_trunc(unit).unwrap_or(time)
}

fn ceiling(time: DateTime<Utc>, unit: TimeDelta) -> DateTime<Utc> {
    let floor = floor(time, unit);
    if floor == time { time } else { floor + unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}:00Z").parse().unwrap()
    }

    fn cut(since: &str, until: &str, width: TimeDelta) -> Vec<(Source, DateTime<Utc>)> {
        pieces(at(since), at(until), width).iter().map(|piece| (piece.source, piece.until)).collect()
    }

    #[test]
    fn whole_days_and_hours_lie_between_the_edges() {
        assert_eq!(
            cut("01T22:30", "04T02:15", DAY),
            [
                (Source::Rows, at("01T23:00")),
                (Source::Hours, at("02T00:00")),
                (Source::Days, at("04T00:00")),
                (Source::Hours, at("04T02:00")),
                (Source::Rows, at("04T02:15")),
            ]
        );
        assert_eq!(cut("01T22:00", "03T00:00", HOUR), [(Source::Hours, at("03T00:00"))]);
    }

    #[test]
    fn a_short_window_has_edges_alone_each_of_one_hour() {
        assert_eq!(cut("01T22:10", "01T22:50", HOUR), [(Source::Rows, at("01T22:50"))]);
        assert_eq!(
            cut("01T22:10", "01T23:50", HOUR),
            [(Source::Rows, at("01T23:00")), (Source::Rows, at("01T23:50"))]
        );
    }
}
