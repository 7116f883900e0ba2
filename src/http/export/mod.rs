//! `/export.csv`, `/export.json`, `/export.ndjson`: what the timeline shows by the same query, whole.
//!
//! Written page by page as the client takes it: between two pages nothing of the VMDB is held, and of the answer one page at
//! most is in memory.

mod format;
mod pages;
mod row;

use super::context::HttpContext;
use super::response;
use super::server::get;
use super::timeline::filter::Filter;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue, RETRY_AFTER};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use format::Format;
use pages::Export;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get("/export.csv").to(|request, context| export(Format::Csv, request, context)))
        .service(get("/export.json").to(|request, context| export(Format::Json, request, context)))
        .service(get("/export.ndjson").to(|request, context| export(Format::NdJson, request, context)));
}

async fn export(format: Format, request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    let Ok(turn) = context.exports().try_acquire_owned() else {
        return unavailable("too many exports are being written");
    };
    let filter = Filter::parse(request.query_string());
    // The first page before the answer begins: what fails now can still be said.
    match Export::begin(context.get_ref().clone(), filter, format, turn).await {
        Ok(export) => HttpResponse::Ok()
            .content_type(format.content_type())
            .insert_header((CONTENT_DISPOSITION, format.disposition()))
            .streaming(export.stream()),
        Err(error) => unavailable(&error),
    }
}

fn unavailable(error: &str) -> HttpResponse {
    let text = format!("503: nothing can be exported now ({error}); ask again later, /readyz tells more.\n");
    let mut response = response::plain(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
