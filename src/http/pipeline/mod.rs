//! `/pipeline`: each EMS's event catcher, what waits behind it and what went wrong; `/pipeline.json` says the same to programs.
//!
//! It answers while the VMDB is away too, with what it knew last.

mod assets;
mod gather;
mod page;
mod query;
mod reading;
mod rows;
mod spark;
pub mod status;
mod trouble;

use super::context::HttpContext;
use super::server::get;
use crate::clock;
use crate::observe::process;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::DateTime;
use query::Query;
use reading::LastRead;
use status::{PipelineStatus, ProcessStatus, VmdbStatus};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .app_data(Data::new(LastRead::default()))
        .service(get("/pipeline").to(html))
        .service(get("/pipeline.json").to(json))
        .service(get(&assets::STYLE_PATH).to(assets::style))
        .service(get(&assets::SCRIPT_PATH).to(assets::script));
}

async fn html(request: HttpRequest, context: Data<HttpContext>, last: Data<LastRead>) -> HttpResponse {
    let page = page::write(&status(&context, &last).await, &Query::parse(request.query_string()));
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(page)
}

async fn json(context: Data<HttpContext>, last: Data<LastRead>) -> HttpResponse {
    HttpResponse::Ok().json(status(&context, &last).await)
}

async fn status(context: &HttpContext, last: &LastRead) -> PipelineStatus {
    let standing = last.standing(context).await;
    let now = clock::now();
    let started_on =
        process::start_time().and_then(|time| DateTime::from_timestamp_micros((time * 1e6) as i64));
    PipelineStatus {
        as_of: now,
        version: env!("CARGO_PKG_VERSION").into(),
        process: ProcessStatus {
            started_on,
            resident_memory_bytes: process::resident_memory(),
            cores_used: last.cores_used(),
        },
        vmdb: VmdbStatus { answers: standing.error.is_none(), error: standing.error },
        ems: gather::all_ems(&standing.all, context.observe(), now),
        actors: gather::actors(context.observe()),
    }
}
