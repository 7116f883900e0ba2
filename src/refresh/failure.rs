//! Why a refresh failed. All failures are tried again; what they are about decides how.

use crate::provider::RefreshError;
use crate::vmdb::VmdbError;
use std::time::Duration;

/// What a failure may be blamed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// Perhaps on one of the things that were asked for: others may succeed.
    Targets,
    /// On the credentials, a limit of the provider or the VMDB: whatever is asked for would fail.
    Everything,
}

/// Why a refresh failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// For people.
    pub(super) message: String,
    /// The provider asks to wait so long.
    pub(super) retry_after: Option<Duration>,
    /// What it is about.
    pub(super) blame: Blame,
}

impl Failure {
    pub(super) fn new(message: impl ToString, retry_after: Option<Duration>) -> Self {
        let blame = if retry_after.is_some() { Blame::Everything } else { Blame::Targets };
        Self { message: message.to_string(), retry_after, blame }
    }
}

impl From<VmdbError> for Failure {
    fn from(error: VmdbError) -> Self {
        let blame = if error.is_retryable() { Blame::Everything } else { Blame::Targets };
        Self { blame, ..Self::new(error, None) }
    }
}

impl From<RefreshError> for Failure {
    fn from(error: RefreshError) -> Self {
        let retry_after = match &error {
            RefreshError::Throttled { retry_after, .. } => Some(*retry_after),
            RefreshError::Unauthorized(_) => Some(Duration::from_secs(2)),
            RefreshError::Unreachable(_) | RefreshError::Malformed(_) => None,
        };
        Self::new(error, retry_after)
    }
}
