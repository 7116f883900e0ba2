//! The collections of the VMDB and their handlers. One line makes the three of a collection, and its description.

use super::answer::Collection;
use super::error::{ApiError, ErrorBody};
use super::listing::Listing;
use super::options::{self, CollectionOptions};
use super::record::Record;
use super::records::{DeadLetter, EventStream, Gap, Host, Provider, QueueItem, Vm};
use super::request::{CollectionParameters, MOST_EVENTS, MOST_RECORDS, RecordParameters, Request};
use super::{read, resource};
use crate::http::context::HttpContext;
use crate::http::reading;
use crate::vmdb::VmdbError;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use serde::Serialize;

macro_rules! collections {
    ($($list:ident, $one:ident, $options:ident: $record:ident at $path:literal, $one_path:literal, $about:literal;)*) => {
        /// Each with what it holds.
        pub(super) const NAMES: &[(&str, &str)] = &[$((<$record as Record>::COLLECTION, $about),)*];

        pub(super) fn resources() -> Vec<(&'static str, Resource)> {
            vec![$(
                ($path, resource($path).route(read().to($list)).route(web::route().method(actix_web::http::Method::OPTIONS).to($options))),
                ($one_path, resource($one_path).route(read().to($one))),
            )*]
        }

        $(
            #[utoipa::path(
                get, path = $path, tag = $about, params(CollectionParameters),
                responses(
                    (status = 200, description = "a page", body = Collection<$record>),
                    (status = 400, description = "the query makes no sense; the message says where", body = ErrorBody),
                    (status = 503, description = "the VMDB does not answer; ask again later", body = ErrorBody),
                ),
            )]
            pub(super) async fn $list(request: HttpRequest, context: web::Data<HttpContext>) -> Result<HttpResponse, ApiError> {
                page::<$record>(&request, &context).await
            }

            #[utoipa::path(
                get, path = $one_path, tag = $about,
                params(("id" = i64, Path, description = "the row's id", minimum = 1), RecordParameters),
                responses(
                    (status = 200, description = "the record", body = $record),
                    (status = 400, description = "the query makes no sense; the message says where", body = ErrorBody),
                    (status = 404, description = "there is none of this id", body = ErrorBody),
                    (status = 503, description = "the VMDB does not answer; ask again later", body = ErrorBody),
                ),
            )]
            pub(super) async fn $one(request: HttpRequest, context: web::Data<HttpContext>) -> Result<HttpResponse, ApiError> {
                one::<$record>(&request, &context).await
            }

            #[utoipa::path(
                options, path = $path, tag = $about,
                responses((status = 200, description = "what can be asked for", body = CollectionOptions)),
            )]
            pub(super) async fn $options(context: web::Data<HttpContext>) -> HttpResponse {
                HttpResponse::Ok().json(options::of::<$record>(&context.settings().event_groups))
            }
        )*
    };
}

collections! {
    event_streams, event_stream, event_streams_options: EventStream at
        "/api/event_streams", "/api/event_streams/{id}", "Events";
    vms, vm, vms_options: Vm at "/api/vms", "/api/vms/{id}", "VMs and templates";
    hosts, host, hosts_options: Host at "/api/hosts", "/api/hosts/{id}", "Hosts";
    providers, provider, providers_options: Provider at
        "/api/providers", "/api/providers/{id}", "Managers of clouds (EMSs)";
    miq_queue, queue_item, miq_queue_options: QueueItem at
        "/api/miq_queue", "/api/miq_queue/{id}", "Work that waits or is under way";
    gaps, gap, gaps_options: Gap at "/api/gaps", "/api/gaps/{id}", "Stretches of time of which events are missing";
    dead_letters, dead_letter, dead_letters_options: DeadLetter at
        "/api/dead_letters", "/api/dead_letters/{id}", "Native events that could not be stored";
}

async fn page<R: Record>(request: &HttpRequest, context: &HttpContext) -> Result<HttpResponse, ApiError> {
    let most = if R::TABLE == "event_streams" { MOST_EVENTS } else { MOST_RECORDS };
    let listing = Listing::<R>::new(Request::parse(request.query_string(), most)?)?;
    let settings = context.settings();
    let page = reading::read(context, move |connection| {
        // Written here, on the VMDB's thread: five thousand events would keep probes waiting.
        match listing.read(connection, &settings.event_groups)? {
            Ok(page) => written(&page).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    });
    page.await.map_err(ApiError::Unavailable)?.map(json)
}

async fn one<R: Record>(request: &HttpRequest, context: &HttpContext) -> Result<HttpResponse, ApiError> {
    let text = request.match_info().get("id").unwrap_or_default();
    let shown: String = text.chars().take(40).collect();
    let missing = || ApiError::NotFound(format!("couldn't find {} with 'id'={shown}", R::NOUN));
    let listing = Listing::<R>::new(Request::parse_one(request.query_string())?)?;
    let id = text.parse::<i64>().map_err(|_| missing())?;
    let settings = context.settings();
    let record = reading::read(context, move |connection| {
        let record = listing.read_one(connection, &settings.event_groups, id)?;
        record.map(|record| written(&record)).transpose()
    });
    record.await.map_err(ApiError::Unavailable)?.map(json).ok_or_else(missing)
}

fn written<T: Serialize>(answer: &T) -> Result<Vec<u8>, VmdbError> {
    serde_json::to_vec(answer).map_err(|error| VmdbError::Bug(error.to_string()))
}

fn json(body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(body)
}
