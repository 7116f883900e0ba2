//! The inventory side of the contract: what a collector is asked for, and what it answers.

use super::TargetCollection;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Asks one EMS for inventory. Ruby: `Inventory::Collector`.
#[async_trait]
pub trait Collector: Send {
    /// Collects what `scope` names, and nothing else. A full inventory holds whatever was there all the while, also where
    /// pages shift under deletes: what it lacks and no later event tells of stays unknown until the next one.
    ///
    /// # Errors
    /// Nothing is saved then; the refresh is tried again with back-off.
    async fn collect(&mut self, scope: &RefreshScope) -> Result<Inventory, RefreshError>;

    /// Of `ems_refs`, those that really are gone. Absence from a paged list is only a hint (pages shift under deletes), so
    /// a full refresh asks by id before it archives.
    ///
    /// # Errors
    /// As [`Collector::collect`].
    async fn confirm_gone(
        &mut self,
        association: &str,
        ems_refs: Vec<String>,
    ) -> Result<Vec<String>, RefreshError>;
}

/// How much to look at.
#[derive(Clone, Debug)]
pub enum RefreshScope {
    /// The whole EMS.
    Full,
    /// Just these.
    Targeted(TargetCollection),
}

/// What the provider has. The order is of no matter: saving begins with what others refer to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// Usually one per association; of two rows with one `ems_ref` the last counts.
    pub collections: Vec<InventoryCollection>,
}

/// The rows of one association.
#[derive(Clone, Debug, PartialEq)]
pub struct InventoryCollection {
    /// `vms`, `miq_templates` (both in table `vms`), `hosts`, `flavors` …
    pub association: &'static str,
    /// The rows that the provider has.
    pub rows: Vec<Row>,
    /// Which stored rows are in question: those that this collection does not hold are archived or deleted.
    pub scope: CollectionScope,
}

/// Which stored rows a collection speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectionScope {
    /// All rows of the association in this EMS.
    All,
    /// These `ems_ref`s: one that has no row here no longer exists at the provider.
    EmsRefs(Vec<String>),
    /// None: rows are added and changed, never removed.
    Nothing,
}

/// One thing of the inventory.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its key at the provider.
    pub ems_ref: String,
    /// Column → value, without `id`, `ems_id`, `ems_ref` and the time stamps, which saving fills.
    pub attributes: Vec<(&'static str, Attribute)>,
}

impl Row {
    /// `(association, ems_ref)` of what it refers to.
    pub fn references(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.attributes.iter().filter_map(|(_, attribute)| match attribute {
            Attribute::Reference { association, ems_ref } => Some((*association, ems_ref.as_str())),
            _ => None,
        })
    }
}

/// The value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// SQL NULL.
    Null,
    /// varchar and text.
    Text(String),
    /// integer and bigint.
    Integer(i64),
    /// boolean.
    Boolean(bool),
    /// timestamp, in UTC.
    Time(DateTime<Utc>),
    /// The id of another row of the same EMS; NULL while there is none.
    Reference {
        /// Its association.
        association: &'static str,
        /// Its `ems_ref`.
        ems_ref: String,
    },
}

impl Attribute {
    /// Text, or NULL.
    pub fn text(value: Option<impl Into<String>>) -> Self {
        value.map_or(Self::Null, |value| Self::Text(value.into()))
    }

    /// A reference, or NULL.
    pub fn reference(association: &'static str, ems_ref: Option<impl Into<String>>) -> Self {
        ems_ref.map_or(Self::Null, |ems_ref| Self::Reference { association, ems_ref: ems_ref.into() })
    }
}

/// Why inventory could not be collected; the variant is the decision.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Try again with back-off.
    #[error("{0}")]
    Unreachable(String),
    /// Try again after so long.
    #[error("{message}; the provider asks to wait {retry_after:?}")]
    Throttled {
        /// How long at least.
        retry_after: Duration,
        /// What was asked.
        message: String,
    },
    /// Try again with back-off; said once.
    #[error("{0}")]
    Unauthorized(String),
    /// The provider's answer has no shape that we know; tried again with back-off.
    #[error("{0}")]
    Malformed(String),
}
