//! The VMDB. Diesel is named nowhere else; only `dialect` knows that there are two databases.
//!
//! [`Vmdb`] hands closures to threads of its own, each with a connection. The functions of this module's files take
//! `&mut Connection`, so that they compose within one transaction.

pub mod event_commit;

pub use event_commit::{BatchOutcome, DeadLetter, ReadyBatch, ReadyEvent, Work};
