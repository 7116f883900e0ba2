//! `GET /v1/events`: queries, pages, page tokens, lost history.

use super::Shared;
use super::event_log::Place;
use super::mishap::{Mishap, bad_page_token};
use super::things::rfc3339;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::ops::Bound;

/// The parameters of a query.
#[derive(Debug, Deserialize)]
pub struct Query {
    since: Option<String>,
    limit: Option<usize>,
    page_token: Option<String>,
}

enum Answer {
    Page(Vec<u8>),
    BadPageToken,
    BadRequest,
    HistoryLost(String),
}

/// One page.
pub async fn events(shared: web::Data<Shared>, query: web::Query<Query>) -> HttpResponse {
    let (answer, met) = {
        let mut cloud = shared.cloud();
        let met = cloud.meet("events", query.page_token.is_some());
        (answer(&mut cloud, &query), met)
    };
    match answer {
        Answer::Page(body) => met.answer(body).await,
        _ if met.mishap != Mishap::Ok => met.answer(Vec::new()).await,
        Answer::BadPageToken => bad_page_token(),
        Answer::BadRequest => HttpResponse::BadRequest().json(serde_json::json!({"error": "bad_request"})),
        Answer::HistoryLost(oldest) => {
            HttpResponse::Gone().json(serde_json::json!({"error": "history_lost", "oldest": oldest}))
        }
    }
}

fn answer(cloud: &mut super::cloud::Cloud, query: &Query) -> Answer {
    let now = cloud.now();
    let since = match query.since.as_deref().map(DateTime::parse_from_rfc3339) {
        None => None,
        Some(Ok(since)) => Some(since.to_utc()),
        Some(Err(_)) => return Answer::BadRequest,
    };
    if let (Some(since), Some(oldest)) = (since, cloud.log.oldest())
        && since < oldest
    {
        return Answer::HistoryLost(rfc3339(oldest));
    }
    let mut from = beginning(since);
    if let Some(token) = &query.page_token {
        match place_of(token, query) {
            Some(place) => from = Bound::Excluded(place),
            None => return Answer::BadPageToken,
        }
    }
    let limit = match query.limit {
        Some(0) => return Answer::BadRequest,
        limit => limit.unwrap_or(100).min(1000),
    };
    let (limit, repeats) = cloud.next_page(limit);
    let page = cloud.log.page(from, limit, now);
    let mut parts = page.events.clone();
    if repeats {
        let repeated = match from {
            // What the page before held, as far as this query reaches.
            Bound::Excluded(place) => cloud.log.before(place, beginning(since), limit, now),
            _ => page.events.clone(),
        };
        parts.splice(0..0, repeated);
    }
    let next = if cloud.faults.endless_page {
        query.page_token.clone().or_else(|| page.next.map(|place| token(place, query)))
    } else {
        page.next.map(|place| token(place, query))
    };
    Answer::Page(body(&parts, next.as_deref()))
}

/// Where a query begins.
fn beginning(since: Option<DateTime<Utc>>) -> Bound<Place> {
    since.map_or(Bound::Unbounded, |since| Bound::Included((since, 0)))
}

fn body(events: &[&[u8]], next: Option<&str>) -> Vec<u8> {
    let mut body = b"{\"events\":[".to_vec();
    for (at, event) in events.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(event);
    }
    let next = serde_json::Value::from(next);
    body.extend_from_slice(format!("],\"next_page_token\":{next}}}").as_bytes());
    body
}

/// A token names its query, so that another query's is refused.
fn token((time, number): Place, query: &Query) -> String {
    format!("{}.{}.{number}", fingerprint(query), rfc3339(time))
}

fn place_of(token: &str, query: &Query) -> Option<Place> {
    let (time, number) = token.strip_prefix(&fingerprint(query))?.strip_prefix('.')?.rsplit_once('.')?;
    Some((DateTime::parse_from_rfc3339(time).ok()?.to_utc(), number.parse().ok()?))
}

fn fingerprint(query: &Query) -> String {
    let digest = Sha256::digest(format!("{:?} {:?}", query.since, query.limit));
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
