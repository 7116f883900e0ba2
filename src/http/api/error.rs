//! What the API answers when it cannot answer: ManageIQ's form, `{"error": {"kind", "message", "klass"}}`.

use crate::settings::nearest;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// Why; the variant says whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The request makes no sense: correct it.
    BadRequest(String),
    /// There is no such thing.
    NotFound(String),
    /// Only reading is possible.
    MethodNotAllowed,
    /// The VMDB does not answer: ask again later.
    Unavailable(String),
}

/// The body of every error.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

/// What is wrong.
#[derive(Serialize, ToSchema)]
struct ErrorDetail {
    /// `bad_request`, `not_found`, `method_not_allowed`, `service_unavailable`.
    kind: &'static str,
    /// For people: what, where, what to do.
    message: String,
    /// The name of ManageIQ's class for this error.
    klass: &'static str,
}

impl ApiError {
    /// A name that is not known, with the nearest that is.
    pub(super) fn unknown<'k>(what: &str, name: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let shown: String = name.chars().take(60).collect();
        Self::BadRequest(match nearest::within_two_edits(name, known.iter().copied()) {
            Some(near) => format!("{what} {shown:?} does not exist; did you mean {near}?"),
            None => format!("{what} {shown:?} does not exist; known are: {}", known.join(", ")),
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::NotFound(_) => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unavailable(_) => "service_unavailable",
        }
    }

    fn klass(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "Api::BadRequestError",
            Self::NotFound(_) => "ActiveRecord::RecordNotFound",
            Self::MethodNotAllowed => "ActionController::MethodNotAllowed",
            Self::Unavailable(_) => "Api::ServiceUnavailableError",
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest(message) | Self::NotFound(message) => f.write_str(message),
            Self::MethodNotAllowed => f.write_str("the API can only be read; use GET"),
            Self::Unavailable(error) => {
                write!(f, "the VMDB does not answer ({error}); ask again later, /readyz tells more")
            }
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let detail = ErrorDetail { kind: self.kind(), message: self.to_string(), klass: self.klass() };
        let mut response = HttpResponse::build(self.status_code()).json(ErrorBody { error: detail });
        let headers = response.headers_mut();
        match self {
            Self::MethodNotAllowed => headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS")),
            Self::Unavailable(_) => headers.insert(RETRY_AFTER, HeaderValue::from_static("5")),
            Self::BadRequest(_) | Self::NotFound(_) => return response,
        };
        response
    }
}
