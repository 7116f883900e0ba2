//! Log lines for people: time, level, where, message. On stderr, so that output can be piped.

use log::LevelFilter;

/// Libraries that speak of what we say ourselves. lapin calls errors what it answers us, such as that an exchange is not there.
const TALKATIVE: [(&str, LevelFilter); 4] = [
    ("actix_server", LevelFilter::Warn),
    ("actix_web", LevelFilter::Warn),
    ("tracing", LevelFilter::Warn),
    ("lapin", LevelFilter::Off),
];

/// Starts logging at `filter`: a level, or what `RUST_LOG` takes.
pub fn start(filter: &str) {
    let mut builder = env_logger::Builder::new();
    for (module, level) in TALKATIVE {
        builder.filter_module(module, level);
    }
    // A second call, as tests make, keeps the first logger.
    let _ = builder.parse_filters(filter).try_init();
}
