//! How many events came in each of the last 60 minutes: what a rate and a sparkline are made of. 60 numbers for each EMS,
//! however many events there are.

use super::figures::lock;
use chrono::{DateTime, Utc};
use std::sync::Mutex;

/// So many minutes are remembered.
pub const MINUTES: usize = 60;

/// Counts by minute.
#[derive(Debug)]
pub struct MinuteCounts(Mutex<Ring>);

#[derive(Debug)]
struct Ring {
    counts: [u32; MINUTES],
    /// The latest minute, since 1970; its count stands at its rest by `MINUTES`.
    latest: i64,
}

impl Default for MinuteCounts {
    fn default() -> Self {
        Self(Mutex::new(Ring { counts: [0; MINUTES], latest: 0 }))
    }
}

impl Ring {
    /// Forgets what is an hour old. A clock that was set back counts on in the latest minute.
    fn go_on_to(&mut self, minute: i64) {
        let passed = usize::try_from(minute - self.latest).unwrap_or(0).min(MINUTES);
        for ahead in 1..=passed as i64 {
            self.counts[place(self.latest + ahead)] = 0;
        }
        self.latest = self.latest.max(minute);
    }
}

fn place(minute: i64) -> usize {
    minute.rem_euclid(MINUTES as i64) as usize
}

impl MinuteCounts {
    /// So many came now.
    pub fn add(&self, count: usize, now: DateTime<Utc>) {
        let mut ring = lock(&self.0);
        ring.go_on_to(now.timestamp().div_euclid(60));
        let latest = place(ring.latest);
        ring.counts[latest] = ring.counts[latest].saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Those of the last 60 minutes, oldest first; the last one is not over yet.
    pub fn last_hour(&self, now: DateTime<Utc>) -> [u32; MINUTES] {
        let mut ring = lock(&self.0);
        ring.go_on_to(now.timestamp().div_euclid(60));
        let oldest = ring.latest + 1;
        std::array::from_fn(|index| ring.counts[place(oldest + index as i64)])
    }

    /// Events per second over the last minute: the minute that is not over yet, and as much of the one before as is missing.
    pub fn per_second(&self, now: DateTime<Utc>) -> f64 {
        let counts = self.last_hour(now);
        let missing = 1.0 - now.timestamp_millis().rem_euclid(60_000) as f64 / 60_000.0;
        (f64::from(counts[MINUTES - 1]) + f64::from(counts[MINUTES - 2]) * missing) / 60.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone};

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
    }

    #[test]
    fn each_minute_has_its_count_for_an_hour_and_then_is_forgotten() {
        let counts = MinuteCounts::default();
        counts.add(3, noon());
        counts.add(4, noon() + TimeDelta::seconds(59));
        counts.add(5, noon() + TimeDelta::minutes(2));
        let hour = counts.last_hour(noon() + TimeDelta::minutes(2));
        assert_eq!(hour[MINUTES - 3..], [7, 0, 5]);
        assert_eq!(hour.iter().sum::<u32>(), 12);
        assert_eq!(counts.last_hour(noon() + TimeDelta::minutes(59))[0], 7);
        assert_eq!(counts.last_hour(noon() + TimeDelta::minutes(60)).iter().sum::<u32>(), 5);
        assert_eq!(counts.last_hour(noon() + TimeDelta::days(3)), [0; MINUTES]);
    }

    #[test]
    fn the_rate_follows_the_last_minute_without_a_jump_at_its_end() {
        let counts = MinuteCounts::default();
        counts.add(60, noon() + TimeDelta::seconds(30));
        let rate = |seconds| counts.per_second(noon() + TimeDelta::seconds(seconds));
        assert_eq!([rate(30), rate(59), rate(60), rate(90), rate(120)], [1.0, 1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_clock_that_was_set_back_loses_no_count() {
        let counts = MinuteCounts::default();
        counts.add(1, noon());
        counts.add(1, noon() - TimeDelta::minutes(5));
        assert_eq!(counts.last_hour(noon())[MINUTES - 1], 2);
    }
}
