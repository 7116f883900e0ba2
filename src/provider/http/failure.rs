//! What can go wrong with a request, as decisions.

use crate::provider::{RefreshError, StreamError};
use chrono::DateTime;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::error::Error;
use std::time::Duration;

/// What to wait for when a 429 does not say.
const UNTOLD_WAIT: Duration = Duration::from_secs(5);
/// No server is believed that asks for more than a day.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A request that brought no answer to read. The variant is the decision; messages name the address without query and
/// credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Try again with back-off: not reachable, 5xx, broken or stalled on the way.
    #[error("{0}")]
    Unreachable(String),
    /// The answer is larger than [`super::LARGEST_BODY`]: ask for less, or treat it as unreachable.
    #[error("{0}")]
    TooLarge(String),
    /// 429.
    #[error("{message}; the server asks to wait {retry_after:?}")]
    Throttled {
        /// How long at least.
        retry_after: Duration,
        /// What was asked.
        message: String,
    },
    /// 401 and 403.
    #[error("{0}")]
    Unauthorized(String),
}

impl HttpError {
    /// What `reqwest` says, with the reasons behind it and without the address that may hold a secret.
    pub(super) fn transport(asked: &str, error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut message = format!("{asked}: {error}");
        let mut reason = error.source();
        while let Some(next) = reason {
            message.push_str(&format!(": {next}"));
            reason = next.source();
        }
        Self::Unreachable(message)
    }

    pub(super) fn too_slow(asked: &str, within: Duration) -> Self {
        Self::Unreachable(format!("{asked}: the answer was not whole within {within:?}"))
    }
}

impl From<HttpError> for StreamError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable(message) | HttpError::TooLarge(message) => Self::Unreachable(message),
            HttpError::Throttled { retry_after, message } => Self::Throttled { retry_after, message },
            HttpError::Unauthorized(message) => Self::Unauthorized(message),
        }
    }
}

impl From<HttpError> for RefreshError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable(message) | HttpError::TooLarge(message) => Self::Unreachable(message),
            HttpError::Throttled { retry_after, message } => Self::Throttled { retry_after, message },
            HttpError::Unauthorized(message) => Self::Unauthorized(message),
        }
    }
}

/// `Retry-After`: seconds, or a time by the server's own clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Duration {
    let text = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = text.and_then(|text| match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - super::date(headers)?).to_std().ok(),
    });
    wait.unwrap_or(UNTOLD_WAIT).min(LONGEST_WAIT)
}
