//! The figures themselves: plain atomics that actors bump, read by whoever asks.

use super::actor::{ActorFigures, ActorKind};
use super::commit::CommitFigures;
use super::counts::ProcessCounts;
use super::ems::EmsFigures;
use super::web::WebFigures;
use crate::provider::ByteBudget;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An actor's kind, its EMS's name when there is one per EMS, and its figures.
pub type ActorEntry = (ActorKind, Option<String>, Arc<ActorFigures>);

/// All figures of the process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Observe(Arc<Inner>);

/// Kind, and the EMS's name for those that exist per EMS.
type ActorKey = (ActorKind, Option<String>);

#[derive(Debug, Default)]
struct Inner {
    actors: Mutex<BTreeMap<ActorKey, Arc<ActorFigures>>>,
    ems: Mutex<BTreeMap<String, Arc<EmsFigures>>>,
    commit: CommitFigures,
    counts: ProcessCounts,
    web: WebFigures,
    byte_budget: Mutex<Option<ByteBudget>>,
}

impl Observe {
    /// The figures of an actor; `ems` is the EMS's name for those that exist per EMS.
    pub fn actor(&self, kind: ActorKind, ems: Option<&str>) -> Arc<ActorFigures> {
        lock(&self.0.actors).entry((kind, ems.map(str::to_owned))).or_default().clone()
    }

    /// The figures of an EMS.
    pub fn ems(&self, name: &str) -> Arc<EmsFigures> {
        lock(&self.0.ems).entry(name.to_owned()).or_default().clone()
    }

    /// An EMS left the settings: its series end.
    pub fn forget(&self, name: &str) {
        lock(&self.0.ems).remove(name);
        lock(&self.0.actors).retain(|(_, ems), _| ems.as_deref() != Some(name));
    }

    /// The group commit.
    pub fn commit(&self) -> &CommitFigures {
        &self.0.commit
    }

    /// What is asked over HTTP.
    pub fn web(&self) -> &WebFigures {
        &self.0.web
    }

    /// Counts that belong to no EMS.
    pub(super) fn counts(&self) -> &ProcessCounts {
        &self.0.counts
    }

    /// Shows this byte budget's use from now on.
    pub fn set_byte_budget(&self, budget: ByteBudget) {
        *lock(&self.0.byte_budget) = Some(budget);
    }

    /// The byte budget that is shown, once there is one.
    pub fn byte_budget(&self) -> Option<ByteBudget> {
        lock(&self.0.byte_budget).clone()
    }

    /// All actors, ordered by kind and EMS.
    pub fn actors(&self) -> Vec<ActorEntry> {
        lock(&self.0.actors)
            .iter()
            .map(|((kind, ems), figures)| (*kind, ems.clone(), figures.clone()))
            .collect()
    }

    /// All EMSs, ordered by name.
    pub fn all_ems(&self) -> Vec<(String, Arc<EmsFigures>)> {
        lock(&self.0.ems).iter().map(|(name, figures)| (name.clone(), figures.clone())).collect()
    }
}

/// A panic elsewhere leaves counters as good as they were.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
