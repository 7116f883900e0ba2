//! Whether a page that failed is asked for again by the same stream, and after what wait. Pure.
//!
//! A stream that gives up loses what it remembers, and its successor waits ever longer. So what breaks on the way is tried
//! again a few times. Where the provider says what to do (429, 401), or where it does not answer for long, the stream ends
//! at once, so that its state tells so.

use crate::provider::StreamError;
use rand::RngExt;
use std::time::Duration;

/// A page is asked for so often.
pub(super) const ATTEMPTS: u32 = 4;
/// All attempts for one page, and the waits between them, are begun within this time.
const TOGETHER: Duration = Duration::from_secs(5);
/// The first wait at most; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The wait before the next attempt; `None` gives up. `failed` attempts ended with `error`, `took` after the first began.
pub(super) fn wait_after(error: &StreamError, failed: u32, took: Duration) -> Option<Duration> {
    if !matches!(error, StreamError::Unreachable(_)) || failed >= ATTEMPTS {
        return None;
    }
    let step = FIRST_WAIT * 2_u32.saturating_pow(failed.saturating_sub(1));
    let wait = step.mul_f64(rand::rng().random_range(0.5..=1.0));
    (took + wait < TOGETHER).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_on_the_way_is_tried_again_a_few_times_with_growing_waits() {
        let error = StreamError::Unreachable("reset".into());
        for (failed, most) in [(1, 200), (2, 400), (3, 800)] {
            let wait = wait_after(&error, failed, Duration::from_millis(500)).unwrap().as_millis();
            assert!((most / 2..=most).contains(&wait), "{wait} ms after {failed}");
        }
        assert_eq!(wait_after(&error, ATTEMPTS, Duration::ZERO), None);
        assert_eq!(wait_after(&error, 1, Duration::from_secs(5)), None, "a server that does not answer");
    }

    #[test]
    fn where_the_provider_says_what_to_do_nothing_is_tried_again() {
        let (message, retry_after) = ("429".to_owned(), Duration::from_millis(1));
        let throttled = StreamError::Throttled { retry_after, message };
        for error in [throttled, StreamError::Unauthorized("401".into()), StreamError::Refused("no".into())] {
            assert_eq!(wait_after(&error, 1, Duration::ZERO), None, "{error}");
        }
    }
}
