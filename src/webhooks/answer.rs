//! What an answer means, and how long to wait before the next attempt. Pure.

use crate::backoff::Backoff;
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use std::time::Duration;

/// The wait before the second attempt, where nothing else is said.
pub const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Waits grow up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// No receiver is believed that asks for more.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// What is kept of what a receiver says.
const LONGEST_REASON: usize = 500;

/// What becomes of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Received,
    /// It may have it later.
    Later {
        /// Why not now.
        reason: String,
        /// What the receiver asked for.
        retry_after: Option<Duration>,
        /// The webhook's other posts would fare no better at the moment.
        pause: bool,
    },
    /// It will not have it.
    Never(String),
}

impl Verdict {
    /// The receiver could not be reached, or is overwhelmed.
    pub fn unreachable(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into(), retry_after: None, pause: true }
    }
}

/// What an answer means. `said` is the beginning of its body.
///
/// A redirect is not followed: it leads where nobody allowed it, and a `POST` may not survive it.
pub fn verdict(status: StatusCode, retry_after: Option<Duration>, said: &str) -> Verdict {
    let said = in_one_line(said);
    let reason =
        if said.is_empty() { format!("answered {status}") } else { format!("answered {status}: {said}") };
    let later = |pause| Verdict::Later { reason: reason.clone(), retry_after, pause };
    match status.as_u16() {
        200..=299 => Verdict::Received,
        301 | 308 => Verdict::Never(format!(
            "answered {status}, and redirects are not followed; set the webhook's `url` to the new address, and retry"
        )),
        429 | 503 => later(true),
        300..=399 | 408 | 425 | 500..=599 => later(retry_after.is_some()),
        _ => Verdict::Never(reason),
    }
}

/// `Retry-After`: seconds, or a time.
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now).to_std().unwrap_or_default(),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// How long to wait after the attempt of this number (the first is 1) failed: from `first`, doubling up to an hour, with
/// jitter, and never less than the receiver asked for.
pub fn next_wait(number: u32, first: Duration, retry_after: Option<Duration>) -> Duration {
    let mut backoff = Backoff::new(first, LONGEST_WAIT);
    // The waits stop growing long before.
    for _ in 1..number.min(20) {
        backoff.next_wait();
    }
    backoff.next_wait().max(retry_after.unwrap_or_default())
}

/// Text of a receiver as the VMDB and logs can hold it.
pub fn in_one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16) -> Verdict {
        verdict(StatusCode::from_u16(status).unwrap(), None, "")
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_dead_at_once() {
        for status in [200, 201, 202, 204] {
            assert_eq!(of(status), Verdict::Received, "{status}");
        }
        for status in [302, 307, 408, 425, 429, 500, 502, 503, 504] {
            assert!(matches!(of(status), Verdict::Later { .. }), "{status}");
        }
        for status in [301, 308, 400, 401, 403, 404, 405, 410, 413, 422] {
            assert!(matches!(of(status), Verdict::Never(_)), "{status}");
        }
    }

    #[test]
    fn only_a_receiver_that_is_overwhelmed_is_left_alone_for_a_while() {
        let pauses = |status| matches!(of(status), Verdict::Later { pause: true, .. });
        assert_eq!([429, 503, 500, 408].map(pauses), [true, true, false, false]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_time_and_at_most_a_day() {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:07Z").unwrap().to_utc();
        let seconds = |value| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(seconds("9999999"), Some(86_400));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn waits_double_from_the_first_to_an_hour_and_heed_the_receiver() {
        let first = Duration::from_secs(1);
        for (number, step) in [(1, 1), (2, 2), (3, 4), (10, 512), (13, 3600), (1000, 3600)] {
            let wait = next_wait(number, first, None).as_secs_f64();
            assert!((f64::from(step) / 2.0..=f64::from(step)).contains(&wait), "{number}: {wait}");
        }
        let asked = Duration::from_secs(7200);
        assert_eq!(next_wait(1, first, Some(asked)), asked);
    }

    #[test]
    fn what_a_receiver_says_is_one_short_line() {
        assert_eq!(in_one_line(" no\n\u{0}such\tthing "), "no such thing");
        assert_eq!(in_one_line(&"x".repeat(9_000)).len(), LONGEST_REASON);
    }
}
