//! Log lines for people: time, level, where, message. On stderr, so that output can be piped.

use env_logger::Env;

/// Starts logging at `level` (or what `RUST_LOG` takes).
pub fn start(level: &str) {
    let quiet = format!("{level},actix_server=warn,actix_web=warn,tracing=warn");
    let filter = if level.contains('=') || level.contains(',') { level.to_owned() } else { quiet };
    // A second call, as tests make, keeps the first logger.
    let _ = env_logger::Builder::from_env(Env::default().filter_or("CATCHALL_NO_SUCH_VARIABLE", filter))
        .try_init();
}
