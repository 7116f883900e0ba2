//! What a figure has to be read with, and whether it is measured at all.

/// What one has to know of the machine to read the figures.
pub fn print_circumstances(what: &str) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let now = catchall::clock::now().format("%Y-%m-%d %H:%M");
    println!("\n{what}: {now} UTC, {cores} cores, load {}", load.split(' ').next().unwrap_or("?"));
}

/// `cargo bench` says so; anything else (`cargo test --benches`) only wants to see that it works.
pub fn in_earnest() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
