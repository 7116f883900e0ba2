//! What can be seen from outside: figures of every actor and EMS, as values (status, readiness) and as Prometheus text.

mod figures;
mod render;

pub use figures::{ActorFigures, ActorKind, ActorState, EmsFigures, Observe, Timing};
