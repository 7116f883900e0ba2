//! Our clock, the one place that reads it.

use chrono::{DateTime, SubsecRound, Utc};

/// Now, in the microseconds that the VMDB can hold.
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
