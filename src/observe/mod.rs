//! What can be seen from outside: figures of every actor and EMS, as values (status, readiness) and as Prometheus text.

mod counts;
mod exposition;
mod figures;
mod histogram;
pub mod metrics;
pub mod process;
mod rate;
mod render;
mod usual;

pub use counts::{Counts, RefreshResult};
pub use figures::{ActorFigures, ActorKind, ActorState, CommitFigures, EmsFigures, Observe, Timing};
pub use histogram::{Distribution, Histogram};
pub use rate::{MINUTES, MinuteCounts};
pub use usual::UsualRate;
