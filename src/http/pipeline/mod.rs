//! `/pipeline`: each EMS's event catcher, what waits behind it and what went wrong; `/pipeline.json` says the same to programs.
//!
//! It answers while the VMDB is away too, with what it knew last.

mod gather;
mod reading;
pub mod status;

use super::context::HttpContext;
use super::server::get;
use crate::clock;
use crate::observe::process;
use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use chrono::DateTime;
use reading::LastRead;
use status::{PipelineStatus, ProcessStatus, VmdbStatus};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.app_data(Data::new(LastRead::default())).service(get("/pipeline.json").to(json));
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
