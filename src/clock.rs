//! Our clock, the one place that reads it; and how spans of time are said.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Now, in the microseconds that the VMDB can hold.
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A length of time as people say it, in one unit: `240 ms`, `1.2 s`, `45 s`, `3 min`, `5 h`, `12 d`. Never negative.
pub fn in_words(span: TimeDelta) -> String {
    let milliseconds = span.num_milliseconds().max(0);
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..10 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        10..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_said_in_one_unit() {
        for (milliseconds, words) in [
            (-5_000, "0 ms"),
            (240, "240 ms"),
            (1_200, "1.2 s"),
            (45_900, "45 s"),
            (180_000, "3 min"),
            (5 * 3_600_000, "5 h"),
            (12 * 86_400_000, "12 d"),
        ] {
            assert_eq!(in_words(TimeDelta::milliseconds(milliseconds)), words);
        }
    }
}
