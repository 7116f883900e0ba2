//! The page's own styles, and the small module that keeps it fresh. Their addresses change with their content, so that they
//! may be kept for ever.

use crate::http::html::Html;
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("pipeline.css");
const SCRIPT: &str = include_str!("pipeline.js");

pub(super) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| format!("/pipeline-{}.css", hash(STYLE)));
pub(super) static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| format!("/pipeline-{}.js", hash(SCRIPT)));

fn hash(content: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names both; without the script the page is as good, and stands still.
pub(super) fn link(html: &mut Html) {
    html.raw("<link rel=\"stylesheet\" href=\"").text(&*STYLE_PATH).raw("\"><script type=\"module\" src=\"");
    html.text(&*SCRIPT_PATH).raw("\"></script>\n");
}

pub(super) async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", SCRIPT)
}

fn file(content_type: &'static str, content: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CACHE_CONTROL, "private, max-age=31536000, immutable"))
        .body(content)
}
