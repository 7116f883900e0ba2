//! Times, rates and sizes in few characters, as tables of the terminal have them; and times as people write them.

use super::CliError;
use crate::clock;
use crate::settings::values;
use chrono::{DateTime, TimeDelta, Utc};

/// `3 min ago`, or `never`.
pub fn ago(time: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| format!("{} ago", clock::in_words(now - time)))
}

/// The time that is written behind `option`: `2026-11-24T10:00:00Z`, or so far back from `now`, such as `24.hours`.
///
/// # Errors
/// Wrong use, when it is neither.
pub fn written(option: &str, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, CliError> {
    let back = values::duration(text).and_then(|back| TimeDelta::from_std(back).ok());
    let back = back.and_then(|back| now.checked_sub_signed(back));
    back.or_else(|| text.parse().ok()).ok_or_else(|| {
        CliError::Usage(format!(
            "{option} {text}: wanted a time such as 2026-11-24T10:00:00Z, or such as 24.hours"
        ))
    })
}

/// A length of time that is known in seconds, in one unit: `240 ms`, `45 s`.
pub fn seconds(seconds: f64) -> String {
    clock::in_words(TimeDelta::milliseconds((seconds * 1e3) as i64))
}

/// Events per second, with as many digits as say something: `0`, `0.02`, `3.1`, `420`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        none if none < 0.005 => "0".to_owned(),
        few if few < 1.0 => format!("{few:.2}"),
        some if some < 100.0 => format!("{some:.1}"),
        many => format!("{many:.0}"),
    }
}

/// `512 kB`, `64 MB`, `1.2 GB`, in powers of 1024.
pub fn bytes(bytes: u64) -> String {
    const MEGABYTE: f64 = 1024.0 * 1024.0;
    match bytes as f64 {
        few if few < MEGABYTE => format!("{:.0} kB", few / 1024.0),
        some if some < 1024.0 * MEGABYTE => format!("{:.0} MB", some / MEGABYTE),
        many => format!("{:.1} GB", many / MEGABYTE / 1024.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_few_characters() {
        let rates = [0.0, 0.001, 0.02, 0.5, 1.0, 99.94, 420.4].map(rate);
        assert_eq!(rates, ["0", "0", "0.02", "0.50", "1.0", "99.9", "420"]);
        let sizes = [512 << 10, 64 << 20, 1288490189].map(bytes);
        assert_eq!(sizes, ["512 kB", "64 MB", "1.2 GB"]);
        assert_eq!((seconds(0.24), seconds(45.0)), ("240 ms".to_owned(), "45 s".to_owned()));
    }

    #[test]
    fn a_time_is_written_as_itself_or_as_so_far_back() {
        let now = clock::now();
        let read = |text| written("--since", text, now);
        assert_eq!(read("10.minutes").unwrap(), now - TimeDelta::minutes(10));
        assert_eq!(read("2026-11-24T10:00:00Z").unwrap().to_rfc3339(), "2026-11-24T10:00:00+00:00");
        assert_eq!(read("2026-11-24T12:00:00+02:00").unwrap().to_rfc3339(), "2026-11-24T10:00:00+00:00");
        for wrong in ["yesterday", "", "999999999999.years"] {
            assert!(
                read(wrong).unwrap_err().to_string().starts_with(&format!("--since {wrong}: wanted a time"))
            );
        }
    }
}
