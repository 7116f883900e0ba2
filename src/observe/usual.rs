//! What an EMS usually sends, learned from what it sent: so many events in each hour of the day. A silence is judged by it,
//! so that an EMS that sleeps at night is not taken for one that is ill.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

const HOURS: usize = 24;
/// Longer silences are as long as this: what was learned is not older either.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// Events per hour, by the hour of the day in UTC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualRate([f64; HOURS]);

impl UsualRate {
    /// Learned from the counts of whole hours, each with when it began, of the time from `since` to `until`; hours without
    /// a count had none. The hours before the first count are not looked at: the EMS may be new. `None` when there is no
    /// count at all.
    pub fn learn(counts: &[(DateTime<Utc>, f64)], until: DateTime<Utc>) -> Option<Self> {
        let first = counts.iter().map(|(starts, _)| *starts).min()?;
        let (mut events, mut hours) = ([0.0; HOURS], [0.0; HOURS]);
        for (starts, count) in counts {
            events[starts.hour() as usize] += count;
        }
        let seen = (until - first).num_hours().max(1);
        for hour in 0..seen {
            hours[(first + TimeDelta::hours(hour)).hour() as usize] += 1.0;
        }
        let average = events.iter().sum::<f64>() / seen as f64;
        // An hour of the day that was not seen yet is like the others.
        Some(Self(std::array::from_fn(|at| if hours[at] > 0.0 { events[at] / hours[at] } else { average })))
    }

    /// Over the whole day.
    pub fn per_second(&self) -> f64 {
        self.0.iter().sum::<f64>() / HOURS as f64 / 3600.0
    }

    /// How many events there usually are from `since` to `now`.
    pub fn expected(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
        let mut from = since.max(now - LONGEST);
        let mut expected = 0.0;
        while from < now {
            let to_next_hour = 3600 - i64::from(from.minute() * 60 + from.second());
            let to = (from + TimeDelta::seconds(to_next_hour.max(1))).min(now);
            expected += self.0[from.hour() as usize] * (to - from).as_seconds_f64() / 3600.0;
            from = to;
        }
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, day, hour, minute, 0).unwrap()
    }

    #[test]
    fn an_ems_that_sleeps_at_night_is_expected_to() {
        let awake = (1..8).flat_map(|day| (8..18).map(move |hour| (at(day, hour, 0), 120.0)));
        let usual = UsualRate::learn(&awake.collect::<Vec<_>>(), at(8, 8, 0)).unwrap();
        assert_eq!(usual.expected(at(8, 18, 0), at(9, 8, 0)), 0.0);
        assert_eq!(usual.expected(at(8, 9, 0), at(8, 9, 30)), 60.0);
        assert_eq!(usual.expected(at(8, 17, 30), at(9, 8, 15)), 90.0);
        assert!((usual.per_second() - 10.0 * 120.0 / 86_400.0).abs() < 1e-9);
    }

    #[test]
    fn what_was_not_seen_yet_is_like_what_was() {
        let usual = UsualRate::learn(&[(at(8, 10, 0), 30.0), (at(8, 11, 0), 90.0)], at(8, 12, 0)).unwrap();
        assert_eq!(usual.expected(at(8, 12, 0), at(8, 13, 0)), 60.0);
        assert_eq!(UsualRate::learn(&[], at(8, 12, 0)), None);
    }

    #[test]
    fn a_silence_of_years_is_as_long_as_what_was_learned() {
        let usual = UsualRate::learn(&[(at(8, 10, 0), 1.0)], at(8, 11, 0)).unwrap();
        let years = Utc.with_ymd_and_hms(1970, 1, 1, 0, 0, 0).unwrap();
        assert!((usual.expected(years, at(8, 11, 0)) - 168.0).abs() < 1e-6);
        assert_eq!(usual.expected(at(9, 0, 0), at(8, 0, 0)), 0.0);
    }
}
