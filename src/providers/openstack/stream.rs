//! Reads the queue of notifications.

use crate::provider::{Ems, ProviderError, Stream};

/// The stream of one EMS. Opens no connection yet.
pub(super) fn stream(ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
    Err(ProviderError::new(&ems.name, "there is no stream yet"))
}
