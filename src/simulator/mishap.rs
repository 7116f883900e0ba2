//! What one request may meet in place of its answer, and how an answer is spoiled.
//!
//! Whatever takes time here holds nothing but its own connection: the cloud was asked before.

use super::menu::FaultKind;
use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A body that drips within a set time comes in so many pieces.
const DROPS: usize = 20;

/// What one request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// Nothing.
    Ok,
    /// 400 `bad_page_token`; a request without a page token passes.
    BadPageToken,
    /// 401.
    Unauthorized,
    /// 429 with `Retry-After: 1`.
    Throttled,
    /// 500.
    ServerError,
    /// 503 with a proxy's page of HTML.
    Unavailable,
    /// The connection is reset before the first byte of an answer.
    Reset,
    /// The connection breaks in the middle of a body of unknown length.
    Truncated,
    /// The body ends before its `Content-Length`.
    WrongLength,
    /// A whole body that ends in the middle of its JSON.
    EndsEarly,
    /// A whole body that is no JSON.
    NoJson,
    /// Accepts and never answers; ends after `hang_seconds`.
    Hang,
    /// A byte each second, or the whole body in small pieces over `drip_seconds`.
    Drip,
    /// Announces a body larger than anybody reads.
    TooLarge,
}

impl Mishap {
    /// Under which name it is counted.
    pub fn kind(self) -> Option<FaultKind> {
        Some(match self {
            Self::Ok => return None,
            Self::BadPageToken => FaultKind::TokenExpiry,
            Self::Unauthorized => FaultKind::Unauthorized,
            Self::Throttled => FaultKind::Throttled,
            Self::ServerError | Self::Unavailable => FaultKind::ServerErrors,
            Self::Reset => FaultKind::Resets,
            Self::Truncated | Self::EndsEarly => FaultKind::TruncatedPages,
            Self::WrongLength | Self::TooLarge => FaultKind::WrongLengths,
            Self::NoJson => FaultKind::NotJson,
            Self::Hang => FaultKind::HalfOpen,
            Self::Drip => FaultKind::Drip,
        })
    }
}

/// What a request meets, and how long that takes.
#[derive(Clone, Copy, Debug)]
pub struct Met {
    /// What.
    pub mishap: Mishap,
    /// A connection that is never answered is reset after so long; `None` is never.
    pub hang: Option<Duration>,
    /// A body that drips is whole after so long; `None` is a byte each second.
    pub drip: Option<Duration>,
}

impl Met {
    /// What is answered in place of `body`.
    pub async fn answer(self, body: Vec<u8>) -> HttpResponse {
        let half = body.len() / 2;
        match self.mishap {
            Mishap::Ok => json(body),
            Mishap::BadPageToken => bad_page_token(),
            Mishap::Unauthorized => plain(StatusCode::UNAUTHORIZED, r#"{"error":"unauthorized"}"#),
            Mishap::Throttled => HttpResponse::TooManyRequests().insert_header(("Retry-After", "1")).finish(),
            Mishap::ServerError => plain(StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"internal"}"#),
            Mishap::Unavailable => plain(StatusCode::SERVICE_UNAVAILABLE, "<html>no backend</html>"),
            Mishap::Reset => reset(),
            Mishap::Truncated => HttpResponse::Ok().streaming(broken(body[..half].to_vec())),
            Mishap::WrongLength => {
                let length = body.len() as u64;
                HttpResponse::Ok().body(SizedStream::new(length, broken(body[..half].to_vec())))
            }
            Mishap::EndsEarly => json(body[..half].to_vec()),
            Mishap::NoJson => plain(StatusCode::OK, "<html>maintenance</html>"),
            Mishap::Hang => {
                match self.hang {
                    Some(hang) => tokio::time::sleep(hang).await,
                    None => std::future::pending().await,
                }
                reset()
            }
            Mishap::TooLarge => HttpResponse::Ok().body(SizedStream::new(1 << 40, broken(body))),
            Mishap::Drip => {
                HttpResponse::Ok().body(SizedStream::new(body.len() as u64, drip(body, self.drip)))
            }
        }
    }
}

/// A good answer.
pub fn json(body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

/// The answer to a page token that is not this query's.
pub fn bad_page_token() -> HttpResponse {
    plain(StatusCode::BAD_REQUEST, r#"{"error":"bad_page_token"}"#)
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status).content_type("application/json").body(text)
}

type Piece = Result<Bytes, std::io::Error>;

/// A body that fails before it begins takes the connection with it, before anything of the answer was written.
fn reset() -> HttpResponse {
    let breaks = stream::once(async { Piece::Err(std::io::ErrorKind::ConnectionReset.into()) });
    HttpResponse::Ok().body(SizedStream::new(1, Box::pin(breaks)))
}

/// The pause lets what was written reach the peer before the connection breaks.
fn broken(body: Vec<u8>) -> impl stream::Stream<Item = Piece> + Unpin {
    let breaks = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::ErrorKind::ConnectionReset.into())
    });
    Box::pin(stream::iter([Ok(Bytes::from(body))]).chain(breaks))
}

fn drip(body: Vec<u8>, within: Option<Duration>) -> impl stream::Stream<Item = Piece> + Unpin {
    let (size, pause) = match within {
        Some(within) => (body.len().div_ceil(DROPS).max(1), within / u32::try_from(DROPS).unwrap_or(1)),
        None => (1, Duration::from_secs(1)),
    };
    let drops: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    Box::pin(stream::iter(drops).then(move |drop| async move {
        tokio::time::sleep(pause).await;
        Ok(drop)
    }))
}
