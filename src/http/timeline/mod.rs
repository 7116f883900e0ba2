//! The timeline's pages: `/`, and one for each VM, host and EMS.

pub(super) mod events_table;
pub(super) mod filter;
mod filter_form;
mod histogram;
mod pages;
mod resource_page;
mod states;
mod timeline_page;

use super::layout::STYLE_PATH;
use super::server::get;
use actix_web::web::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get("/").to(pages::timeline))
        .service(get("/vms/{id}").to(pages::vm))
        .service(get("/hosts/{id}").to(pages::host))
        .service(get("/providers/{id}").to(pages::provider))
        .service(get(&STYLE_PATH).to(pages::style));
}
