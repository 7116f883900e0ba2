//! The VMDB. Diesel is named nowhere else; only `dialect` knows that there are two databases.
//!
//! [`Vmdb`] hands closures to threads of its own, each with a connection. The functions of this module's files take
//! `&mut Connection`, so that they compose within one transaction.

mod associations;
pub mod automate_claim;
pub mod automate_work;
mod bulk;
mod columns;
mod connections;
pub mod cursors;
pub mod dead_letters;
mod dialect;
pub mod drift;
pub mod ems;
mod endpoints;
mod error;
pub mod event_actions;
pub mod event_chain;
pub mod event_commit;
pub mod event_links;
pub mod event_records;
mod event_relations;
mod event_rows;
pub mod events;
pub mod folded_events;
pub mod gaps;
pub mod inventory;
mod inventory_plan;
mod inventory_remove;
pub mod inventory_save;
mod migrations;
pub mod miq_queue;
pub mod miq_tasks;
pub mod overview;
pub mod policy_events;
mod postgres;
mod postgres_tls;
pub mod purge;
pub mod queue;
pub mod refresh_outcome;
pub mod refresh_request;
pub mod refresh_work;
mod relate;
pub mod resource;
pub mod restarts;
pub mod rule_facts;
pub mod rule_firings;
mod sqlite;
mod statement;
pub mod stored_event;
pub mod target_state;
mod task_queue;
pub mod timeline;
pub mod timeline_refresh;
pub mod trace;
pub mod trace_work;
pub mod webhook_claim;
pub mod webhook_event;
pub mod webhook_work;

pub use associations::names as association_names;
pub use automate_work::AutomateRequest;
pub use connections::{Access, Vmdb};
pub use dialect::Connection;
pub use error::VmdbError;
pub use event_commit::{BatchOutcome, DeadLetter, ReadyBatch, ReadyEvent, Work};
pub use statement::{Column, Field, Fields, Value};
