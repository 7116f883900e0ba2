//! What can be seen from outside: figures of every actor and EMS, as values (status, readiness) and as Prometheus text.

mod actor;
mod commit;
mod counts;
mod ems;
mod exposition;
mod figures;
mod fold;
mod histogram;
pub mod metrics;
pub mod process;
mod rate;
mod render;
mod usual;
mod web;

pub use actor::{ActorFigures, ActorKind, ActorState, Timing};
pub use commit::CommitFigures;
pub use counts::{Counts, RefreshResult};
pub use ems::{EmsFigures, REFRESH_IN_TIME};
pub use figures::Observe;
pub use histogram::{Distribution, Histogram};
pub use rate::{MINUTES, MinuteCounts};
pub use usual::UsualRate;
pub use web::WebFigures;
