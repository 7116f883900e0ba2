//! `/live`: new events as they are committed, as server-sent events.
//!
//! `row` is the HTML of a row of the timeline's table, or with `?format=json` an object; `passed` counts those of a storm that
//! were passed over. The query is the timeline's. `id` is the row's: who comes back with it as `Last-Event-ID` is told what
//! came meanwhile, as far as it is among the latest 200.

mod follower;
mod message;
mod outbox;
pub(super) mod socket;

use super::context::HttpContext;
use super::response;
use super::server::get;
use super::timeline::filter::Filter;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use follower::{Asked, Follower, Place};
use socket::Socket;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;

/// So many may follow at once.
const PLACES: usize = 32;

/// The server stops: whoever follows is let go first, so that nobody is waited for.
#[derive(Clone, Debug, Default)]
pub(super) struct Closing(pub(super) CancellationToken);

struct Places(Arc<Semaphore>);

pub(super) fn routes(config: &mut ServiceConfig) {
    config.app_data(Data::new(Places(Arc::new(Semaphore::new(PLACES))))).service(get("/live").to(live));
}

async fn live(
    request: HttpRequest,
    context: Data<HttpContext>,
    closing: Data<Closing>,
    places: Data<Places>,
) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header(("X-Accel-Buffering", "no"));
    if request.method() == Method::HEAD {
        return answer.finish();
    }
    let Ok(place) = places.0.clone().try_acquire_owned() else {
        return later(format!(
            "{PLACES} clients follow already; /pipeline and the timeline can be read meanwhile"
        ));
    };
    let place = Place::new(place, places.0.clone(), PLACES, context.observe().clone());
    let asked = Asked {
        filter: Filter::parse(request.query_string()),
        json: wants_json(&request),
        after: last_event_id(&request),
    };
    match Follower::begin(&context, asked).await {
        Ok(Some(follower)) => {
            let (sender, body) = outbox::new(place, request.conn_data::<Socket>().cloned());
            actix_rt::spawn(follower.follow(sender, closing.0.clone()));
            answer.streaming(body)
        }
        Ok(None) => response::plain(
            StatusCode::NOT_FOUND,
            "404: the query names an EMS or a resource that there is not.\n",
        ),
        Err(error) => later(format!("the VMDB does not answer ({error})")),
    }
}

fn later(why: String) -> HttpResponse {
    let mut answer = response::plain(StatusCode::SERVICE_UNAVAILABLE, format!("503: {why}.\n"));
    answer.headers_mut().insert(RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("5"));
    answer
}

fn wants_json(request: &HttpRequest) -> bool {
    let format = form_urlencoded::parse(request.query_string().as_bytes()).find(|(key, _)| key == "format");
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    format.map_or_else(|| accepts.contains("application/json"), |(_, format)| format == "json")
}

fn last_event_id(request: &HttpRequest) -> Option<i64> {
    request.headers().get("Last-Event-ID")?.to_str().ok()?.trim().parse().ok()
}
