//! The timeline's pages: `/`, one for each VM, host, cluster and EMS, and one for each event. What they show of the URL is in
//! `filter` and `window`; `view` is the part that they share.

mod axis;
mod bands_list;
mod cells;
mod chains;
pub(super) mod changes;
mod choice;
pub(super) mod events_table;
mod facets;
pub(super) mod filter;
mod filter_form;
mod indented;
mod lanes;
mod pages;
mod plot;
mod resource_page;
mod states;
mod story;
mod story_work;
mod timeline_page;
mod view;
pub(super) mod window;
mod window_bar;

use super::server::get;
use actix_web::web::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get("/").to(pages::timeline))
        .service(get("/vms/{id}").to(pages::vm))
        .service(get("/hosts/{id}").to(pages::host))
        .service(get("/clusters/{id}").to(pages::cluster))
        .service(get("/providers/{id}").to(pages::provider))
        .service(get("/events/{id}").to(pages::event));
}
