//! The VMDB: every test runs on SQLite and on PostgreSQL.

#[path = "vmdb/connections.rs"]
mod connections;
#[path = "vmdb/schema.rs"]
mod schema;
#[path = "vmdb/support.rs"]
mod support;

#[path = "support/postgres.rs"]
mod postgres;
