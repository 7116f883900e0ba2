//! The VMDB: every test runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "vmdb/associations.rs"]
mod associations;
#[path = "vmdb/bands.rs"]
mod bands;
#[path = "vmdb/commit.rs"]
mod commit;
#[path = "vmdb/connections.rs"]
mod connections;
#[path = "vmdb/drift.rs"]
mod drift;
#[path = "vmdb/ems.rs"]
mod ems;
#[path = "vmdb/folding.rs"]
mod folding;
#[path = "vmdb/inventory.rs"]
mod inventory;
#[path = "vmdb/links.rs"]
mod links;
#[path = "vmdb/outages.rs"]
mod outages;
#[path = "vmdb/purge.rs"]
mod purge;
#[path = "vmdb/queue.rs"]
mod queue;
#[path = "vmdb/refresh_claim.rs"]
mod refresh_claim;
#[path = "vmdb/relate.rs"]
mod relate;
#[path = "vmdb/saving.rs"]
mod saving;
#[path = "vmdb/schema.rs"]
mod schema;
#[path = "vmdb/state_changes.rs"]
mod state_changes;
#[path = "vmdb/support.rs"]
mod support;
#[path = "vmdb/timeline.rs"]
mod timeline;
#[path = "vmdb/timeline_counts.rs"]
mod timeline_counts;
#[path = "vmdb/timeline_tail.rs"]
mod timeline_tail;

#[path = "support/postgres.rs"]
mod postgres;
