//! Why a proof could not be made at all. What it finds to be wrong is no error, but a verdict.

use crate::vmdb::VmdbError;

/// The variant is the decision.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// It was asked for what cannot be done: say so, and how to ask.
    #[error("{0}")]
    Usage(String),
    /// Something that the proof needs is not there or does not work; nothing is proven, and nothing is refuted.
    #[error("{0}")]
    Unable(String),
    /// The VMDB's own.
    #[error(transparent)]
    Vmdb(#[from] VmdbError),
}

impl ProveError {
    /// What the proof needs and does not have.
    pub(super) fn unable(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Unable(format!("{what}: {why}"))
    }
}
