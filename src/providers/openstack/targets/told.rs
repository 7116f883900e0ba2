//! [`Target::options`](crate::provider::Target) of this provider: what the event told, so that the collector need not ask.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an event told of a thing. As JSON an object; keys without a value are left out:
/// `{"event_type": "compute.instance.delete.end", "deleted": true, "name": "web-1", "tenant_id": "852a…", "state": "deleted"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Told {
    /// What happened, in the unversioned words. Always there.
    pub(in super::super) event_type: String,
    /// The thing is gone for certain: it need not be asked for. Never set for a thing that is merely named besides.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in super::super) deleted: bool,
    /// Its name when it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) name: Option<String>,
    /// The project that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) tenant_id: Option<String>,
    /// Of key pairs: the user whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) user_id: Option<String>,
    /// Of servers: Nova's `vm_state`; of other things: their status or state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) state: Option<String>,
}

impl Told {
    pub(super) fn into_options(self) -> Value {
        // invariant: a struct of texts and a bool always serializes.
        serde_json::to_value(self).unwrap_or_default()
    }
}
