//! When a notification was made.

use super::super::envelope::{Body, text};
use crate::provider::ParseError;
use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};

/// oslo's `timestamp`, which is UTC and names no zone; else the `eventTime` of an audit record.
///
/// # Errors
/// When there is none, or none that a database holds.
pub(super) fn of(notification: &Body) -> Result<DateTime<Utc>, ParseError> {
    let own = text(notification, &["timestamp"]);
    let candidates = own.into_iter().chain(text(notification, &["payload", "eventTime"]));
    candidates.filter_map(instant).next().ok_or_else(|| match own {
        Some(own) => ParseError::new(format!("timestamp {own:?} is no time that can be stored")),
        None => ParseError::new("timestamp is missing"),
    })
}

/// `2026-11-22 10:56:24.962305`, the same with a `T`, either with `Z` or an offset with or without a colon.
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim().replacen(' ', "T", 1);
    let time = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f")
        .map(|time| time.and_utc())
        .or_else(|_| DateTime::parse_from_rfc3339(&text).map(|time| time.to_utc()))
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z").map(|time| time.to_utc()))
        .ok()
        .filter(|time| (1..=9999).contains(&time.year()))?;
    // A leap second is the last instant of its minute: no database has a 61st second.
    Some(if time.nanosecond() > 999_999_999 {
        time.with_nanosecond(999_999_999).unwrap_or(time)
    } else {
        time
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_openstack_writes_is_the_same_instant() {
        let wanted = instant("2026-11-22T10:56:24.962305Z").unwrap();
        for text in [
            "2026-11-22 10:56:24.962305",
            "2026-11-22T10:56:24.962305",
            "2026-11-22 10:56:24.962305+00:00",
            "2026-11-22T10:56:24.962305+0000",
            "2026-11-22T11:56:24.962305+01:00",
            " 2026-11-22 10:56:24.962305 ",
        ] {
            assert_eq!(instant(text), Some(wanted), "{text}");
        }
        assert_eq!(instant("2026-11-22 10:56:24").unwrap().to_rfc3339(), "2026-11-22T10:56:24+00:00");
    }

    #[test]
    fn what_no_database_holds_is_no_time() {
        for text in ["", "soon", "0000-01-01T00:00:00Z", "+275760-09-13T00:00:00Z", "2026-13-01 00:00:00"] {
            assert_eq!(instant(text), None, "{text}");
        }
        assert_eq!(instant("2016-12-31T23:59:60.5Z").unwrap().timestamp_subsec_nanos(), 999_999_999);
    }
}
