//! cli

pub mod ems;
pub mod events;
mod retry;
pub mod status;
mod table;

pub use retry::{Retried, retry};
