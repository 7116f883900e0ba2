//! The REST API, the exports and what protects them: a real server on a free port, asked by real clients, on SQLite and on
//! PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "api/errors.rs"]
mod errors;
#[path = "api/examples.rs"]
mod examples;
#[path = "api/exports.rs"]
mod exports;
#[path = "http/filled.rs"]
#[allow(dead_code, reason = "tests of the pages use the rest")]
mod filled;
#[path = "api/filters.rs"]
mod filters;
#[path = "api/house.rs"]
mod house;
#[path = "api/pages.rs"]
mod pages;
#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod postgres;
#[path = "api/protection.rs"]
mod protection;
#[path = "api/records.rs"]
mod records;
#[path = "api/schemathesis.rs"]
mod schemathesis;
#[path = "api/slow_clients.rs"]
mod slow_clients;
#[path = "api/tls.rs"]
mod tls;
