//! Values as people write them: durations and sizes in ManageIQ's manner, YAML 1.1 booleans, whole numbers.
//!
//! Pure text → value. Says nothing about keys and places; the caller does.

use std::time::Duration;

/// Seconds of a month and a year as ActiveSupport counts them, so that `6.months` is what ManageIQ keeps.
const MONTH: f64 = 2_629_746.0;
const YEAR: f64 = 31_556_952.0;
/// Longer durations are a slip of the pen, and would overflow dates further on.
const LONGEST: f64 = 100.0 * YEAR;

/// What to write for a duration.
pub const DURATION_WANTED: &str = "15.seconds, 10.minutes, 24.hours, 6.months or a plain number of seconds";
/// What to write for a size.
pub const SIZE_WANTED: &str = "500.megabytes, 2.gigabytes or a plain number of bytes";

/// `15.seconds`, `1.5.hours`, `6.months`; plain numbers are seconds. `None` when it is none, negative, or longer
/// than 100 years.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = amount(text)?;
    let unit = match unit.map(|unit| unit.strip_suffix('s').unwrap_or(unit)) {
        None | Some("second") => 1.0,
        Some("minute") => 60.0,
        Some("hour") => 3_600.0,
        Some("day") => 86_400.0,
        Some("week") => 604_800.0,
        Some("fortnight") => 1_209_600.0,
        Some("month") => MONTH,
        Some("year") => YEAR,
        Some(_) => return None,
    };
    let seconds = number * unit;
    if seconds > LONGEST {
        return None;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// `2.gigabytes`, binary multiples as in ActiveSupport; plain numbers are bytes.
pub fn size(text: &str) -> Option<u64> {
    let (number, unit) = amount(text)?;
    let power = match unit.map(|unit| unit.strip_suffix('s').unwrap_or(unit)) {
        None | Some("byte") => 0,
        Some("kilobyte") => 1,
        Some("megabyte") => 2,
        Some("gigabyte") => 3,
        Some("terabyte") => 4,
        Some(_) => return None,
    };
    let bytes = (number * 1024_f64.powi(power)).round();
    // Beyond 2^53 a float no longer counts single bytes; no setting means so much.
    (bytes <= 9_007_199_254_740_992.0).then_some(bytes as u64)
}

/// `true`, `yes`, `on`, `1` and their opposites, in any case, plain or as a Ruby symbol.
pub fn boolean(text: &str) -> Option<bool> {
    match word(text).to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number that is not negative; underscores between digits as in Ruby (`1_000`).
pub fn whole_number(text: &str) -> Option<u64> {
    let text = word(text);
    let digits = text.chars().all(|c| c.is_ascii_digit() || c == '_');
    if !digits || text.starts_with('_') {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// A word without the colon that makes it a Ruby symbol.
pub fn word(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix(':').unwrap_or(text)
}

/// `1.5.hours` → (1.5, Some("hours")).
fn amount(text: &str) -> Option<(f64, Option<&str>)> {
    let text = word(text);
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (number, unit) = match unit.is_empty() {
        true => (number, None),
        false => (number.strip_suffix('.')?, Some(unit)),
    };
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '_');
    if !plain || !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some((number.replace('_', "").parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_manageiq_writes_them() {
        let seconds = |text| duration(text).map(|found| found.as_secs_f64());
        assert_eq!(seconds("15.seconds"), Some(15.0));
        assert_eq!(seconds("1.second"), Some(1.0));
        assert_eq!(seconds("10.minutes"), Some(600.0));
        assert_eq!(seconds("24.hours"), Some(86_400.0));
        assert_eq!(seconds("1.day"), Some(86_400.0));
        assert_eq!(seconds("1.week"), Some(604_800.0));
        assert_eq!(seconds("6.months"), Some(6.0 * 2_629_746.0));
        assert_eq!(seconds("1.year"), Some(31_556_952.0));
        assert_eq!(seconds("1.5.hours"), Some(5_400.0));
        assert_eq!(seconds("0.25"), Some(0.25));
        assert_eq!(seconds("60"), Some(60.0));
        assert_eq!(seconds("1_000"), Some(1_000.0));
        assert_eq!(seconds(":0"), Some(0.0));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "soon",
            "15 seconds",
            "15seconds",
            "-1",
            "15.parsecs",
            "1.2.3.hours",
            ".5",
            "1e9",
            "200.years",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_binary() {
        assert_eq!(size("2.gigabytes"), Some(2 << 30));
        assert_eq!(size("1.megabyte"), Some(1_048_576));
        assert_eq!(size("0.5.kilobytes"), Some(512));
        assert_eq!(size("100"), Some(100));
        assert_eq!(size("2.gigs"), None);
        assert_eq!(size("99999999.terabytes"), None);
    }

    #[test]
    fn booleans_are_those_of_yaml_1_1() {
        for text in ["true", "Yes", "ON", "y", "1", ":true"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["false", "No", "off", "n", "0"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        assert_eq!(boolean("maybe"), None);
    }

    #[test]
    fn whole_numbers_are_not_negative_and_have_no_fraction() {
        assert_eq!(whole_number("1_000"), Some(1_000));
        for text in ["-1", "1.5", "", "ten", "_1"] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }
}
