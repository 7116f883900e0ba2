//! The commands that a person sits in front of: real processes against a simulated cloud, on a pipe and on a
//! pseudo-terminal, on SQLite and on PostgreSQL; and the page that explains them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may say so by panicking")]

#[allow(dead_code, reason = "shared with the tests of the street")]
#[path = "support/cloud.rs"]
mod cloud;
#[path = "terminal/completions.rs"]
mod completions;
#[path = "terminal/house.rs"]
mod house;
#[path = "terminal/page.rs"]
mod page;
#[allow(dead_code, reason = "shared with the tests on PostgreSQL")]
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/postgres_outage.rs"]
mod postgres_outage;
#[allow(dead_code, reason = "shared with the tests that steer processes")]
#[path = "support/process.rs"]
mod process;
#[path = "terminal/pty.rs"]
mod pty;
#[path = "terminal/status.rs"]
mod status;
#[path = "terminal/tail.rs"]
mod tail;
#[path = "terminal/tls.rs"]
mod tls;
#[path = "terminal/top.rs"]
mod top;
