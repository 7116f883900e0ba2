//! Styles and scripts, held by the program. They lie in a folder whose name is made of their content: browsers may keep them
//! for ever, and modules find each other beside themselves. They are served as they are written; there is no build step.

use super::response;
use super::server::get;
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Path, ServiceConfig};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// (name, type, content)
const FILES: [(&str, &str, &str); 14] = [
    ("style.css", STYLE, include_str!("assets/style.css")),
    ("timeline.css", STYLE, include_str!("assets/timeline.css")),
    ("theme.js", SCRIPT, include_str!("assets/theme.js")),
    ("main.js", SCRIPT, include_str!("assets/main.js")),
    ("bars.js", SCRIPT, include_str!("assets/bars.js")),
    ("brush.js", SCRIPT, include_str!("assets/brush.js")),
    ("chains.js", SCRIPT, include_str!("assets/chains.js")),
    ("help.js", SCRIPT, include_str!("assets/help.js")),
    ("keyboard.js", SCRIPT, include_str!("assets/keyboard.js")),
    ("live.js", SCRIPT, include_str!("assets/live.js")),
    ("navigate.js", SCRIPT, include_str!("assets/navigate.js")),
    ("spoken.js", SCRIPT, include_str!("assets/spoken.js")),
    ("story.js", SCRIPT, include_str!("assets/story.js")),
    ("zone.js", SCRIPT, include_str!("assets/zone.js")),
];

/// Changes with any of the files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all = FILES
        .iter()
        .fold(Sha256::new(), |all, (name, _, content)| all.chain_update(name).chain_update(content));
    let digest: [u8; 32] = all.finalize().into();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
});

/// The address of a file.
pub(super) fn path(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/assets/{version}/{name}").to(file));
}

async fn file(asked: Path<(String, String)>) -> HttpResponse {
    let (version, name) = asked.into_inner();
    let found = FILES.iter().find(|(known, ..)| *known == name && version == *VERSION);
    let Some((_, content_type, content)) = found else { return response::not_found() };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, *content_type))
        .insert_header((CACHE_CONTROL, "private, max-age=31536000, immutable"))
        .body(*content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_that_a_script_imports_is_there_and_nothing_comes_from_elsewhere() {
        for (name, content_type, content) in FILES {
            for import in content.split(" from \"").skip(1).filter(|_| content_type == SCRIPT) {
                let module = import.split('"').next().unwrap().strip_prefix("./").unwrap();
                assert!(FILES.iter().any(|(known, ..)| *known == module), "{name} imports {module}");
            }
            for elsewhere in ["http://", "https://", "url(", "@import", "eval("] {
                // A pattern of the drawing itself is not elsewhere.
                assert!(!content.replace("url(#", "").contains(elsewhere), "{name} holds {elsewhere}");
            }
        }
    }
}
