//! The marks of a time axis: at round times, not too many, each with the words for it. Pure, and in UTC; a script writes them
//! anew for local time.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

/// More marks would run into each other.
const MOST: i64 = 9;
/// Distances that people count in, in seconds.
const LADDER: [i64; 19] = [
    1,
    5,
    10,
    30,
    60,
    300,
    600,
    900,
    1_800,
    3_600,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    2_592_000,
    31_536_000,
    157_680_000,
];

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Mark {
    /// Where it stands.
    pub(in crate::http) at: DateTime<Utc>,
    /// Where the next one would stand.
    pub(in crate::http) next: DateTime<Utc>,
    /// What it says.
    pub(in crate::http) words: String,
}

/// The marks between two points in time.
pub(in crate::http) fn marks(since: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Mark> {
    let span = (until - since).num_seconds().max(1);
    let step = LADDER.into_iter().find(|step| span / step < MOST).unwrap_or(span);
    let first = since.timestamp().div_euclid(step) + i64::from(since.timestamp().rem_euclid(step) > 0);
    let mut marks = Vec::new();
    for number in first..first + MOST + 1 {
        let Some(at) = DateTime::from_timestamp(number * step, 0).filter(|at| *at < until) else { break };
        let words = at.format(format_of(at, step)).to_string();
        marks.push(Mark { at, next: at + TimeDelta::seconds(step), words });
    }
    marks
}

fn format_of(at: DateTime<Utc>, step: i64) -> &'static str {
    let is_midnight = at.timestamp() % 86_400 == 0;
    match step {
        _ if step >= 2_592_000 || (is_midnight && at.ordinal() == 1) => "%b %Y",
        _ if step >= 86_400 || is_midnight => "%d %b",
        _ if step >= 60 => "%H:%M",
        _ => "%H:%M:%S",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn words(hours: i64, minutes: i64) -> Vec<String> {
        let since = Utc.with_ymd_and_hms(2026, 11, 23, 14, 20, 0).unwrap();
        let until = since + TimeDelta::minutes(hours * 60 + minutes);
        marks(since, until).into_iter().map(|mark| mark.words).collect()
    }

    #[test]
    fn marks_stand_at_round_times_and_a_day_is_told_where_it_begins() {
        assert_eq!(words(24, 0), ["15:00", "18:00", "21:00", "24 Nov", "03:00", "06:00", "09:00", "12:00"]);
        assert_eq!(words(1, 0), ["14:20", "14:30", "14:40", "14:50", "15:00", "15:10"]);
        assert_eq!(words(24 * 7, 0), ["24 Nov", "25 Nov", "26 Nov", "27 Nov", "28 Nov", "29 Nov", "30 Nov"]);
        assert_eq!(words(0, 1), ["14:20:00", "14:20:10", "14:20:20", "14:20:30", "14:20:40", "14:20:50"]);
    }

    #[test]
    fn there_are_never_more_than_a_few_whatever_the_stretch() {
        let since = Utc.with_ymd_and_hms(2026, 11, 23, 14, 20, 7).unwrap();
        for power in 0..29 {
            let marks = marks(since, since + TimeDelta::seconds(1 << power));
            assert!(marks.len() <= 10, "{power}: {}", marks.len());
            assert!(marks.windows(2).all(|pair| pair[0].next == pair[1].at));
        }
    }
}
