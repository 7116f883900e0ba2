//! `/api`: which API this is, and where its collections are.

use super::collections::NAMES;
use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// Where it is.
pub(super) const PATH: &str = "/api";

/// The API.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryPoint {
    name: &'static str,
    description: &'static str,
    /// Catchall's.
    version: &'static str,
    /// Where this is described, as OpenAPI.
    openapi: &'static str,
    collections: Vec<CollectionAddress>,
}

/// A collection.
#[derive(Serialize, ToSchema)]
struct CollectionAddress {
    name: &'static str,
    href: String,
    description: &'static str,
}

#[utoipa::path(
    get, path = "/api", tag = "The API",
    responses((status = 200, description = "its collections", body = EntryPoint)),
)]
pub(super) async fn entry_point() -> HttpResponse {
    let collections = NAMES.iter().copied().chain([("rules", "Rules of the settings")]);
    let address = |(name, description)| CollectionAddress { name, href: format!("/api/{name}"), description };
    HttpResponse::Ok().json(EntryPoint {
        name: "API",
        description: "REST API",
        version: env!("CARGO_PKG_VERSION"),
        openapi: super::openapi::PATH,
        collections: collections.map(address).collect(),
    })
}
