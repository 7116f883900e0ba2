//! `/api`: what the VMDB holds, for programs, in ManageIQ's shape. `docs/api.md` shows it; `/api/openapi.json` describes it.
//!
//! A request is understood without the VMDB (`request`, `filter`, `attributes`, `condition`), read in one visit to it
//! (`listing`), and answered in one envelope (`answer`). What there is to read stands in `records`, and nowhere else.

mod answer;
mod attributes;
mod collections;
mod condition;
mod cursor;
mod entry_point;
mod error;
mod filter;
mod listing;
mod openapi;
mod options;
mod record;
mod records;
mod related;
mod request;
mod rules;
mod values;

use super::server::get;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, guard};
use error::ApiError;

/// Every path of the API, with what answers there.
fn resources() -> Vec<(&'static str, Resource)> {
    let mut all = vec![
        (entry_point::PATH, resource(entry_point::PATH).route(read().to(entry_point::entry_point))),
        (openapi::PATH, resource(openapi::PATH).route(read().to(openapi::description))),
        (rules::PATH, resource(rules::PATH).route(read().to(rules::rules))),
        (rules::ONE_PATH, resource(rules::ONE_PATH).route(read().to(rules::rule))),
    ];
    all.extend(collections::resources());
    all
}

pub(super) fn routes(config: &mut ServiceConfig) {
    for (_, resource) in resources() {
        config.service(resource);
    }
    config.service(get("/api/{path:.*}").to(unknown));
}

/// A path that answers reading, and says in JSON that it answers nothing else.
fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(|| async { Err::<String, _>(ApiError::MethodNotAllowed) }))
}

fn read() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn unknown(path: web::Path<String>) -> Result<String, ApiError> {
    let first = path.split('/').next().unwrap_or_default();
    let known = collections::NAMES.iter().map(|(name, _)| *name).chain(["rules", "openapi.json"]);
    let ApiError::BadRequest(message) = ApiError::unknown("collection", first, known) else {
        return Err(ApiError::NotFound("there is no such page of the API".to_owned()));
    };
    Err(ApiError::NotFound(message))
}
