//! What is given away and how it behaves there: under systemd, as a Debian package, in a container.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may say so by panicking")]

#[allow(dead_code, reason = "shared with the tests of the street")]
#[path = "support/cloud.rs"]
mod cloud;
#[path = "deploy/container.rs"]
mod container;
#[path = "deploy/files.rs"]
mod files;
#[path = "deploy/notify.rs"]
mod notify;
#[path = "deploy/package.rs"]
mod package;
#[allow(dead_code, reason = "shared with the tests of the street")]
#[path = "support/process.rs"]
mod process;
#[path = "deploy/unit.rs"]
mod unit;

use std::path::PathBuf;

/// A file of the project.
fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether what needs this service of `scripts/services` is to be left out, which is then said aloud.
fn skipped(service: &str) -> bool {
    let skip = std::env::var("SKIP").unwrap_or_default();
    let skipped = skip.split(',').any(|name| name.trim() == service);
    if skipped {
        eprintln!("SKIPPED: a test that needs {service}, since SKIP holds `{service}`");
    }
    skipped
}

/// The body of an answer with status 200; anything else is an error that can be read.
fn get(address: std::net::SocketAddr, path: &str) -> Result<String, String> {
    use std::io::{Read, Write};
    let mut answer = String::new();
    let asked = std::net::TcpStream::connect(address).and_then(|mut connection| {
        write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        connection.read_to_string(&mut answer)
    });
    asked.map_err(|error| error.to_string())?;
    if answer.starts_with("HTTP/1.1 200 ") { Ok(answer) } else { Err(answer) }
}
