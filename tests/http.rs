//! The HTTP server as an operator meets it: a real server on a free port, asked by a real client; pages on SQLite and on
//! PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "http/commands.rs"]
mod commands;
#[path = "http/event_commands.rs"]
mod event_commands;
#[path = "http/event_show.rs"]
mod event_show;
#[path = "http/filled.rs"]
mod filled;
#[path = "http/live.rs"]
mod live;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/pipeline.rs"]
mod pipeline;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "http/probes.rs"]
mod probes;
#[path = "http/site.rs"]
mod site;
