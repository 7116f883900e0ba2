//! Log lines for people: time, level, where, message. On stderr, so that output can be piped.

use log::LevelFilter;

/// Libraries that speak of what we say ourselves.
const TALKATIVE: [&str; 3] = ["actix_server", "actix_web", "tracing"];

/// Starts logging at `filter`: a level, or what `RUST_LOG` takes.
pub fn start(filter: &str) {
    let mut builder = env_logger::Builder::new();
    for module in TALKATIVE {
        builder.filter_module(module, LevelFilter::Warn);
    }
    // A second call, as tests make, keeps the first logger.
    let _ = builder.parse_filters(filter).try_init();
}
