//! The switchboard: what an event type does. Automate instances say it, read from files; nothing about an event type
//! stands in Rust. Pure once loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The loaded automate domains. Cheap to clone; a reload makes a new one.
#[derive(Clone, Debug, Default)]
pub struct Switchboard {
    _domains: Arc<()>,
}

/// One call that an event type makes, in order of the class's fields.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Call {
    /// Path of the handler, such as `/System/event_handlers/refresh`.
    pub uri: String,
    /// The decoded query.
    pub params: BTreeMap<String, String>,
}

impl Switchboard {
    /// The calls that an event of this source and type makes.
    pub fn evaluate(&self, source: &str, event_type: &str) -> Vec<Call> {
        let _ = (source, event_type);
        Vec::new()
    }
}
