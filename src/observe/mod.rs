//! What can be seen from outside: figures of every actor and EMS, as values (status, readiness) and as Prometheus text.

mod exposition;
mod figures;
pub mod metrics;
mod process;
mod render;

pub use figures::{ActorFigures, ActorKind, ActorState, CommitFigures, EmsFigures, Observe, Timing};
