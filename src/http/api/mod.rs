//! `/api`: what the VMDB holds, for programs.

use actix_web::web::ServiceConfig;

pub(super) fn routes(_config: &mut ServiceConfig) {}
