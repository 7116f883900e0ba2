//! `/api/openapi.json`: the API described as OpenAPI 3.1, from the types and handlers themselves.

use super::{collections, entry_point, rules};
use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use std::sync::LazyLock;
use utoipa::OpenApi;

/// Where it is.
pub(super) const PATH: &str = "/api/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Catchall",
        description = "What Catchall's VMDB holds, in the shape of ManageIQ's API. Only reads. Off loopback every request \
                       bears http.token, as `Authorization: Bearer TOKEN` or as the password of Basic authentication.",
    ),
    paths(
        entry_point::entry_point,
        description,
        collections::event_streams,
        collections::event_stream,
        collections::event_streams_options,
        collections::vms,
        collections::vm,
        collections::vms_options,
        collections::hosts,
        collections::host,
        collections::hosts_options,
        collections::providers,
        collections::provider,
        collections::providers_options,
        collections::miq_queue,
        collections::queue_item,
        collections::miq_queue_options,
        collections::gaps,
        collections::gap,
        collections::gaps_options,
        collections::dead_letters,
        collections::dead_letter,
        collections::dead_letters_options,
        rules::rules,
        rules::rule,
    )
)]
struct Description;

static DESCRIPTION: LazyLock<String> =
    LazyLock::new(|| Description::openapi().to_pretty_json().unwrap_or_default());

#[utoipa::path(
    get, path = "/api/openapi.json", tag = "The API",
    responses((status = 200, description = "this", body = Object)),
)]
pub(super) async fn description() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(DESCRIPTION.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_path_that_is_served_is_described_and_the_reverse() {
        let served: BTreeSet<String> =
            super::super::resources().into_iter().map(|(path, _)| path.to_owned()).collect();
        let described: BTreeSet<String> = Description::openapi().paths.paths.into_keys().collect();
        assert_eq!(served, described);
        assert!(served.len() >= 18, "{served:?}");
    }
}
