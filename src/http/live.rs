//! `/live`: new events as they are committed, as server-sent events.

use actix_web::web::ServiceConfig;

pub(super) fn routes(_config: &mut ServiceConfig) {}
