//! Stored [`EmsEvent`] → targets: the VM and the host that the payload names. Pure.
//!
//! Each target carries as `options` what the event told (`event_name`, `name`), so that the collector need not ask for
//! it. Whether anything is refreshed at all is the switchboard's affair.

use super::parser::Reference;
use crate::provider::{EmsEvent, EventTargetParser, ParseError, Target};
use serde::{Deserialize, Serialize};

/// The event target parser.
pub struct TargetParser;

#[derive(Deserialize)]
struct Payload {
    vm: Option<Reference>,
    host: Option<Reference>,
}

/// [`Target::options`] of this provider.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    /// What happened.
    pub event_name: String,
    /// The thing's name when it happened.
    pub name: Option<String>,
}

impl EventTargetParser for TargetParser {
    fn parse(&self, ems_event: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        let payload: Payload = ems_event.full_data.read()?;
        let mut targets = Vec::new();
        for (association, reference) in [("vms", payload.vm), ("hosts", payload.host)] {
            if let Some(Reference { id: Some(id), name }) = reference {
                let told = Told { event_name: ems_event.event_type.clone(), name };
                let options = serde_json::to_value(told).map_err(ParseError::new)?;
                targets.push(Target { options, ..Target::by_ems_ref(association, id) });
            }
        }
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::FullData;
    use serde_json::{Value, json};

    fn targets(full_data: &Value) -> Result<Value, ParseError> {
        let event = EmsEvent {
            event_type: "com.awesome-cloud.vm.migrate".into(),
            full_data: FullData::from_value(full_data),
            ..EmsEvent::default()
        };
        TargetParser.parse(&event).map(|targets| serde_json::to_value(targets).unwrap())
    }

    #[test]
    fn an_event_targets_the_vm_and_the_host_it_names() {
        let payload = json!({"vm": {"id": "vm-1", "name": "web-1"}, "host": {"id": "host-1"}});
        assert_eq!(
            targets(&payload).unwrap(),
            json!([
                {"association": "vms", "manager_ref": {"ems_ref": "vm-1"},
                 "options": {"event_name": "com.awesome-cloud.vm.migrate", "name": "web-1"}},
                {"association": "hosts", "manager_ref": {"ems_ref": "host-1"},
                 "options": {"event_name": "com.awesome-cloud.vm.migrate", "name": null}}
            ])
        );
    }

    #[test]
    fn an_event_that_names_nothing_targets_nothing() {
        for payload in [json!({}), json!({"vm": null}), json!({"vm": {"name": "web-1"}})] {
            assert_eq!(targets(&payload).unwrap(), json!([]));
        }
    }

    #[test]
    fn a_payload_of_another_shape_is_refused() {
        assert!(targets(&json!({"vm": "vm-1"})).is_err());
        assert!(targets(&Value::Null).is_err());
    }
}
