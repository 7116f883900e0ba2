//! Stored [`EmsEvent`] → targets of a refresh. Pure.
//!
//! Each target carries as `options` what the event told of it, so that the collector need not ask again. Whether anything
//! is refreshed at all is the switchboard's affair (`automate/`).

use crate::provider::{EmsEvent, EventTargetParser, ParseError, Target};
use serde::Deserialize;
use serde_json::json;

/// The event target parser.
pub struct TargetParser;

#[derive(Deserialize)]
struct Payload {
    vm: Option<Vm>,
}

#[derive(Deserialize)]
struct Vm {
    id: String,
}

impl EventTargetParser for TargetParser {
    fn parse(&self, ems_event: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        let payload: Payload = ems_event.full_data.read()?;
        let options = json!({"deleted": ems_event.event_type == "vm.deleted"});
        // Add in the other things that an event may concern here.
        Ok(payload.vm.map(|vm| Target { options, ..Target::by_ems_ref("vms", vm.id) }).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::FullData;

    #[test]
    fn a_deleted_vm_is_targeted_and_known_to_be_gone() {
        let full_data = FullData::from_value(&json!({"vm": {"id": "vm-1"}}));
        let event = EmsEvent { event_type: "vm.deleted".into(), full_data, ..EmsEvent::default() };
        let targets = TargetParser.parse(&event).unwrap();
        assert_eq!(targets.len(), 1);
        assert_eq!((targets[0].association.as_str(), targets[0].ems_ref()), ("vms", Some("vm-1")));
        assert_eq!(targets[0].options, json!({"deleted": true}));
    }
}
