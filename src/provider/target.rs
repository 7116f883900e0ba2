//! What a refresh is asked to look at.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing to refresh: InventoryRefresh's `Target` with what the event already told about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The collection it belongs to, such as `vms`.
    pub association: String,
    /// Its key in that collection, usually `{ems_ref: …}`.
    pub manager_ref: BTreeMap<String, serde_json::Value>,
    /// What the event's payload tells of it (the guide's pre-seeding), in the provider's own form. `null` when nothing.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub options: serde_json::Value,
}

impl Target {
    /// A target known by `ems_ref`.
    pub fn by_ems_ref(association: &str, ems_ref: impl Into<String>) -> Self {
        Self::by(association, "ems_ref", ems_ref)
    }

    /// A target known by another key.
    pub fn by(association: &str, key: &str, value: impl Into<String>) -> Self {
        let manager_ref = BTreeMap::from([(key.to_owned(), serde_json::Value::String(value.into()))]);
        Self { association: association.to_owned(), manager_ref, options: serde_json::Value::Null }
    }

    /// The value of its `ems_ref` key.
    pub fn ems_ref(&self) -> Option<&str> {
        self.manager_ref.get("ems_ref").and_then(serde_json::Value::as_str)
    }
}

/// A target with the event that asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRequest {
    /// What to refresh.
    #[serde(flatten)]
    pub target: Target,
    /// Type of the event it came from.
    pub event_type: String,
    /// The event's time: of several requests for one thing, the latest tells its state.
    pub timestamp: chrono::DateTime<chrono::Utc>,
}

/// Everything one targeted refresh looks at. The collector sees it whole, so that it can batch its calls.
///
/// Requests for the same thing stay side by side, ordered by time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetCollection {
    requests: Vec<TargetRequest>,
}

impl TargetCollection {
    /// Orders `requests` by time.
    pub fn new(mut requests: Vec<TargetRequest>) -> Self {
        requests.sort_by_key(|request| request.timestamp);
        Self { requests }
    }

    /// All requests, oldest first.
    pub fn requests(&self) -> &[TargetRequest] {
        &self.requests
    }

    /// The latest request of each thing in `association`, by its `ems_ref`.
    pub fn latest(&self, association: &str) -> BTreeMap<&str, &TargetRequest> {
        let mut latest = BTreeMap::new();
        for request in self.requests.iter().filter(|request| request.target.association == association) {
            if let Some(ems_ref) = request.target.ems_ref() {
                latest.insert(ems_ref, request);
            }
        }
        latest
    }

    /// How many distinct things it names.
    pub fn distinct(&self) -> usize {
        let mut keys: Vec<_> =
            self.requests.iter().map(|r| (&r.target.association, &r.target.manager_ref)).collect();
        keys.sort_by_cached_key(|&(association, manager_ref)| {
            (association.as_str(), format!("{manager_ref:?}"))
        });
        keys.dedup();
        keys.len()
    }
}
