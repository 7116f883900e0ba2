//! `/export.csv`, `/export.json`: what the timeline shows, whole.

use actix_web::web::ServiceConfig;

pub(super) fn routes(_config: &mut ServiceConfig) {}
