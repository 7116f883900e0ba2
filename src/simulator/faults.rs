//! The misbehaviour that a test or demo may switch on, and how an answer is spoiled.
//!
//! Everything here is allowed by the API's page or happens on real networks; nothing makes a server that breaks its word.

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What goes wrong. `POST /v1/_simulator/faults` replaces it whole; all is off by default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Share (0 to 1) of events that become visible late …
    pub late_share: f64,
    /// … by up to so many seconds (at most 120).
    pub late_seconds: f64,
    /// Share of events that are dated ahead of the clock by an hour.
    pub ahead_share: f64,
    /// Share of events that are malformed.
    pub malformed_share: f64,
    /// Share of events with a megabyte of text, which are well-formed all the same.
    pub megabyte_share: f64,
    /// How far the server's clock is from ours, in seconds.
    pub clock_offset_seconds: i64,
    /// How long events are kept, in seconds; 0 is the default of a day.
    pub retention_seconds: f64,
    /// Most events or rows on a page, whatever was asked for; 0 is no limit.
    pub page_limit: usize,
    /// Every so-manieth page of events begins with the events of the page before it; 0 is never.
    pub repeat_every: u32,
    /// Every page of events names itself as its successor, for ever.
    pub endless_page: bool,
    /// What the next requests meet, one each, in this order. `"ok"` lets one pass.
    pub events_requests: Vec<Mishap>,
    /// The same for requests for inventory.
    pub inventory_requests: Vec<Mishap>,
    /// Every answer about inventory takes so many seconds.
    pub inventory_seconds: f64,
    /// Whoever asks for one of these by its id gets a 500, whatever else was asked for; listings of all are well.
    pub poison: Vec<String>,
    /// Listings of all things of these kinds (`vms`, `flavors` …) get a 500; things that are asked for by id are told.
    pub broken_kinds: Vec<String>,
}

/// What one request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// Nothing.
    Ok,
    /// 400 `bad_page_token`, if the request has a page token.
    BadPageToken,
    /// 401.
    Unauthorized,
    /// 429 with `Retry-After: 1`.
    Throttled,
    /// 500.
    ServerError,
    /// The connection breaks in the middle of a body of unknown length.
    Truncated,
    /// The body ends before its `Content-Length`.
    WrongLength,
    /// A whole body that ends in the middle of its JSON.
    EndsEarly,
    /// A whole body that is no JSON.
    NoJson,
    /// Accepts and never answers.
    Hang,
    /// A byte each second.
    Drip,
    /// Announces a body larger than anybody reads.
    TooLarge,
}

impl Mishap {
    /// What is answered in place of `body`.
    pub async fn answer(self, body: Vec<u8>) -> HttpResponse {
        let plain = |status, text: &'static str| {
            HttpResponse::build(status).content_type("application/json").body(text)
        };
        let half = body.len() / 2;
        match self {
            Self::Ok => json(body),
            Self::BadPageToken => plain(StatusCode::BAD_REQUEST, r#"{"error":"bad_page_token"}"#),
            Self::Unauthorized => plain(StatusCode::UNAUTHORIZED, r#"{"error":"unauthorized"}"#),
            Self::Throttled => HttpResponse::TooManyRequests().insert_header(("Retry-After", "1")).finish(),
            Self::ServerError => plain(StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"internal"}"#),
            Self::Truncated => HttpResponse::Ok().streaming(broken(body[..half].to_vec())),
            Self::WrongLength => {
                let length = body.len() as u64;
                HttpResponse::Ok().body(SizedStream::new(length, broken(body[..half].to_vec())))
            }
            Self::EndsEarly => json(body[..half].to_vec()),
            Self::NoJson => plain(StatusCode::OK, "<html>maintenance</html>"),
            Self::Hang => std::future::pending().await,
            Self::TooLarge => HttpResponse::Ok().body(SizedStream::new(1 << 40, broken(body))),
            Self::Drip => HttpResponse::Ok().body(SizedStream::new(body.len() as u64, drip(body))),
        }
    }
}

/// A good answer.
pub fn json(body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

type Piece = Result<web::Bytes, std::io::Error>;

/// The pause lets what was written reach the peer before the connection breaks.
fn broken(body: Vec<u8>) -> impl stream::Stream<Item = Piece> + Unpin {
    let breaks = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::ErrorKind::ConnectionReset.into())
    });
    Box::pin(stream::iter([Ok(web::Bytes::from(body))]).chain(breaks))
}

fn drip(body: Vec<u8>) -> impl stream::Stream<Item = Piece> + Unpin {
    Box::pin(stream::iter(body).then(|byte| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(web::Bytes::copy_from_slice(&[byte]))
    }))
}
