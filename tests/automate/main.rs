//! What automate does for events, off the commit path: every test runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod chains;
mod failures;
mod poison;
mod policies;
mod records;
mod refreshes;
mod support;

#[path = "../support/automate_files.rs"]
mod automate_files;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/tiny_provider.rs"]
mod tiny_provider;
