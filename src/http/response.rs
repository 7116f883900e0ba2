//! The answers: pages, plain errors, and the headers that every one carries.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE,
};
use actix_web::middleware::DefaultHeaders;

/// Scripts, styles and answers from here only, nothing of them within a page; framed by nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                                       connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
        .add(("Referrer-Policy", "same-origin"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
        .add((CACHE_CONTROL, "no-store"))
}

/// Over TLS alone: a browser that was here once never asks without it again.
pub(super) fn with_hsts(headers: DefaultHeaders) -> DefaultHeaders {
    headers.add((STRICT_TRANSPORT_SECURITY, "max-age=31536000"))
}

/// A text that is no page.
pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> HttpResponse {
    HttpResponse::build(status).insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body(text.into())
}

/// No such page.
pub(super) fn not_found() -> HttpResponse {
    plain(StatusCode::NOT_FOUND, "404: there is no such page. The timeline is at /.\n")
}

/// Everything here is read only.
pub(super) fn method_not_allowed() -> HttpResponse {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "405: this can only be read; use GET.\n");
    response.headers_mut().insert(ALLOW, actix_web::http::header::HeaderValue::from_static("GET, HEAD"));
    response
}

/// The token is missing or wrong.
pub(super) fn unauthorized() -> HttpResponse {
    HttpResponse::Unauthorized()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .append_header((WWW_AUTHENTICATE, "Bearer realm=\"catchall\""))
        .append_header((
            WWW_AUTHENTICATE,
            "Basic realm=\"catchall: the token is the password\", charset=\"UTF-8\"",
        ))
        .body("401: send the token of http.token as `Authorization: Bearer TOKEN`.\n")
}
