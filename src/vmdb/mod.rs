//! The VMDB. Diesel is named nowhere else; only `dialect` knows that there are two databases.
//!
//! [`Vmdb`] hands closures to threads of its own, each with a connection. The functions of this module's files take
//! `&mut Connection`, so that they compose within one transaction.

mod associations;
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
pub mod event_commit;
mod event_rows;
pub mod events;
pub mod gaps;
pub mod inventory;
mod inventory_plan;
mod inventory_remove;
pub mod inventory_save;
mod migrations;
pub mod miq_queue;
pub mod overview;
mod postgres;
mod postgres_tls;
pub mod refresh_work;
mod relate;
pub mod resource;
pub mod restarts;
mod sqlite;
mod statement;
mod task_queue;
pub mod timeline;
pub mod timeline_refresh;

pub use automate_work::AutomateRequest;
pub use connections::{Access, Vmdb};
pub use dialect::Connection;
pub use error::VmdbError;
pub use event_commit::{BatchOutcome, DeadLetter, ReadyBatch, ReadyEvent, Work};
pub use statement::{Column, Field, Fields, Value};
