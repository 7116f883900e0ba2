//! What the switchboard tells of an event besides its calls, for people who look for the reason.

use super::{Call, FieldKind};
use std::collections::BTreeMap;

/// How the switchboard came to its calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// What answered for the event: the first relationship of the entry. `None` without a class for the source.
    pub resolved: Option<Resolved>,
    /// The fields that ran, in order, those of the instances that were called in turn included.
    pub fields: Vec<FieldRun>,
    /// The calls that follow.
    pub calls: Vec<Call>,
    /// What was passed over, and why.
    pub warnings: Vec<String>,
    /// Why the run ended before its time; the calls up to there stand.
    pub aborted: Option<String>,
    /// Whether the event's own text took part, so that another event of the same type may make other calls.
    pub depends_on_event: bool,
}

/// The instance that answered for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its domain.
    pub domain: String,
    /// Its class, such as `System/Event/EmsEvent/Amazon`.
    pub class: String,
    /// Its name; `.missing` when none has the event type's.
    pub instance: String,
    /// Its attributes after its run, such as `logical_event`; `_missing_instance` is the name that was asked for.
    pub attributes: BTreeMap<String, String>,
}

/// A field that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRun {
    /// The class it belongs to.
    pub class: String,
    /// Its name.
    pub field: String,
    /// What it is.
    pub kind: FieldKind,
    /// The value after substitution.
    pub value: String,
}
