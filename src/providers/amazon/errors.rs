//! What an error of SQS means for the catcher. The code decides where there is one, else the HTTP status.

use crate::provider::StreamError;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::time::Duration;

/// When SQS does not say how long to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// AWS's text of a rejected request can be long.
const LONGEST_TEXT: usize = 300;

/// What was asked, and of whom; for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Such as `cannot receive from`.
    pub(super) what: &'a str,
    /// The queue's URL or name.
    pub(super) queue: &'a str,
    /// The region that signed.
    pub(super) region: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    NoQueue,
    NotAllowed,
    BadSignature,
    BadCredentials,
    Throttled,
    Refused,
    Unreachable,
}

/// The stream's error for `error`.
pub(super) fn stream_error<E>(asked: Asked<'_>, error: &SdkError<E, HttpResponse>) -> StreamError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let Asked { what, queue, region } = asked;
    let text = |advice: &str| {
        let said = said(error, status);
        format!(
            "{what} {queue} (region {region}): {said}{}{advice}",
            if advice.is_empty() { "" } else { "; " }
        )
    };
    match decide(error.code(), status) {
        Decision::NoQueue => StreamError::Refused(text(
            "there is no such queue for these credentials; create it, or correct endpoints.sqs and provider_region",
        )),
        Decision::NotAllowed => StreamError::Unauthorized(text(
            "the credentials need sqs:GetQueueUrl, sqs:GetQueueAttributes, sqs:ReceiveMessage, sqs:DeleteMessage and \
             sqs:ChangeMessageVisibility on this queue, and kms:Decrypt on its key when it is encrypted",
        )),
        // AWS repeats the signed request, session token included, so its text is left out.
        Decision::BadSignature => StreamError::Unauthorized(format!(
            "{what} {queue} (region {region}): {}; check the secret access key, and that this machine's clock is right",
            error.code().unwrap_or("the signature was refused")
        )),
        Decision::BadCredentials => StreamError::Unauthorized(text(
            "check the access key of authentications.default, or renew the token",
        )),
        Decision::Throttled => StreamError::Throttled {
            retry_after: retry_after(error).unwrap_or(RETRY_AFTER),
            message: text(""),
        },
        Decision::Refused => StreamError::Refused(text("check endpoints.sqs and provider_region")),
        Decision::Unreachable => StreamError::Unreachable(text("")),
    }
}

fn decide(code: Option<&str>, status: Option<u16>) -> Decision {
    // Codes of the query protocol come as `AWS.SimpleQueueService.NonExistentQueue` and the like.
    let code = code.map(|code| code.rsplit(['.', '#']).next().unwrap_or(code)).unwrap_or_default();
    match code {
        "QueueDoesNotExist" | "NonExistentQueue" => Decision::NoQueue,
        "AccessDenied"
        | "AccessDeniedException"
        | "KmsAccessDenied"
        | "KmsOptInRequired"
        | "OptInRequired"
        | "UnauthorizedOperation" => Decision::NotAllowed,
        "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "RequestExpired"
        | "RequestTimeTooSkewed" => Decision::BadSignature,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "UnrecognizedClient"
        | "AuthFailure"
        | "InvalidAccessKeyId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidToken"
        | "InvalidSecurity"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized" => Decision::BadCredentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "KmsThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "OverLimit"
        | "SlowDown"
        | "RequestLimitExceeded" => Decision::Throttled,
        _ => match status {
            Some(401 | 403) => Decision::NotAllowed,
            Some(429) => Decision::Throttled,
            Some(400..=499) => Decision::Refused,
            _ => Decision::Unreachable,
        },
    }
}

fn retry_after<E>(error: &SdkError<E, HttpResponse>) -> Option<Duration> {
    let seconds = error.raw_response()?.headers().get("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn said<E: ProvideErrorMetadata + Error + 'static>(
    error: &SdkError<E, HttpResponse>,
    status: Option<u16>,
) -> String {
    let text = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => match status {
            Some(status) => format!("HTTP status {status}, {}", chain(error)),
            None => chain(error),
        },
    };
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The error and what it comes from, each said once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_and_else_the_status() {
        let cases = [
            (Some("AWS.SimpleQueueService.NonExistentQueue"), Some(400), Decision::NoQueue),
            (Some("com.amazonaws.sqs#QueueDoesNotExist"), Some(400), Decision::NoQueue),
            (Some("AccessDenied"), Some(403), Decision::NotAllowed),
            (Some("SignatureDoesNotMatch"), Some(403), Decision::BadSignature),
            (Some("InvalidClientTokenId"), Some(403), Decision::BadCredentials),
            (Some("ExpiredToken"), Some(400), Decision::BadCredentials),
            (Some("RequestThrottled"), Some(403), Decision::Throttled),
            (Some("OverLimit"), Some(400), Decision::Throttled),
            (Some("InvalidAddress"), Some(404), Decision::Refused),
            (Some("InternalFailure"), Some(500), Decision::Unreachable),
            (None, Some(403), Decision::NotAllowed),
            (None, Some(429), Decision::Throttled),
            (None, Some(502), Decision::Unreachable),
            (None, None, Decision::Unreachable),
        ];
        for (code, status, decision) in cases {
            assert_eq!(decide(code, status), decision, "{code:?} {status:?}");
        }
    }
}
