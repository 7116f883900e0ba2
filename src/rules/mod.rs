//! Rules for people: `on` (which events) → `when` (a condition) → `do` (what then), from the settings. Pure.

use crate::provider::EmsEvent;

/// The compiled rules of the settings. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {}

impl Rules {
    /// Names of the rules whose `on` this event of this EMS (by name) meets, in order of the settings. Asked for every event.
    pub fn candidates(&self, _ems: &str, _event: &EmsEvent) -> Vec<String> {
        Vec::new()
    }
}
