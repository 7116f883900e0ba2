//! `/pipeline`: each EMS's event catcher and what waits behind it.

use actix_web::web::ServiceConfig;

pub(super) fn routes(_config: &mut ServiceConfig) {}
