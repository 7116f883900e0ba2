//! Native event → [`EmsEvent`]. Pure: no I/O, no clock, the same answer for the same text.
//!
//! `full_data` is the native text as it stands, so fields that this file does not know survive. The references
//! (`vm_ems_ref` and the like) must equal what `refresh.rs` writes into the inventory: by them the event is related.

use crate::provider::{
    EmsEvent, EventParser, Filtered, FullData, NativeEvent, ParseError, Parsed, json_text,
};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// `event_streams.source` of these events, and the name of their switchboard class.
pub const SOURCE: &str = "BRIGHT_CLOUD";

/// The event parser.
pub struct Parser;

/// The fields that become columns; what is not named here is only in `full_data`.
#[derive(Deserialize)]
struct Native {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    time: DateTime<Utc>,
    user: Option<String>,
    vm: Option<Vm>,
}

#[derive(Deserialize)]
struct Vm {
    id: Option<String>,
    name: Option<String>,
}

impl EventParser for Parser {
    fn parse(&self, native: &NativeEvent) -> Result<Parsed, ParseError> {
        if let Some(defect) = &native.defect {
            return Err(ParseError::new(defect));
        }
        json_text::check(&native.text)?; // what no VMDB can hold, such as NUL in a text
        let fields: Native = serde_json::from_str(&native.text)?;
        if fields.event_type == "heartbeat" {
            return Ok(Parsed::Filtered(Filtered("heartbeat")));
        }
        let vm = fields.vm.unwrap_or(Vm { id: None, name: None });
        let event = EmsEvent {
            event_type: fields.event_type,
            source: SOURCE.to_owned(),
            timestamp: fields.time,
            ems_ref: Some(fields.id.clone()),
            username: fields.user,
            vm_uid_ems: vm.id.clone(),
            vm_ems_ref: vm.id,
            vm_name: vm.name,
            full_data: FullData::from_text(native.text.clone())?,
            ..EmsEvent::default()
        };
        // The provider's own identity of the event: it decides what is a duplicate, so it must never change.
        Ok(Parsed::one(fields.id, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_event_carries_the_references_of_its_vm() {
        let native = r#"{"id":"e-1","type":"vm.started","time":"2026-11-22T10:26:01Z","vm":{"id":"vm-1","name":"web-1"}}"#;
        let Parsed::Events(events) = Parser.parse(&NativeEvent::new(native)).unwrap() else {
            panic!("filtered");
        };
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].event_uid, "e-1");
        assert_eq!(events[0].event.event_type, "vm.started");
        assert_eq!(events[0].event.vm_ems_ref.as_deref(), Some("vm-1"));
        assert_eq!(events[0].event.full_data.text(), native);
    }

    #[test]
    fn an_event_without_a_time_is_refused_alone() {
        let error = Parser.parse(&NativeEvent::new(r#"{"id":"e-1","type":"vm.started"}"#)).unwrap_err();
        assert!(error.to_string().contains("time"), "{error}");
    }
}
