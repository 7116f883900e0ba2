//! What makes two events of an EMS repeats of each other, for flood control.
//!
//! The default compares all that the parser made columns of, save what tells one event from the next: its reference, its
//! time, its chain, and the payload. It decides nothing about how many repeats are a flood.

use super::EmsEvent;

/// The values that two repeats have in common, in a fixed order.
pub type FloodKey<'a> = Vec<Option<&'a str>>;

/// All columns of an event but those that differ between repeats. `ems_ref` is the event's own, as in ManageIQ.
pub fn flood_key(event: &EmsEvent) -> FloodKey<'_> {
    let task = event.is_task.map(|is_task| if is_task { "task" } else { "no task" });
    let mut key = vec![Some(event.event_type.as_str()), Some(event.source.as_str()), task];
    key.extend(event.texts().filter(|(column, _)| *column != "ems_ref").map(|(_, text)| text));
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::FullData;

    #[test]
    fn repeats_differ_in_reference_time_chain_and_payload_alone() {
        let event = EmsEvent {
            event_type: "Alarm".to_owned(),
            vm_ems_ref: Some("vm-1".to_owned()),
            ..EmsEvent::default()
        };
        let repeat = EmsEvent {
            ems_ref: Some("another".to_owned()),
            timestamp: event.timestamp + chrono::TimeDelta::seconds(1),
            chain_id: Some(7),
            full_data: FullData::from_value(&serde_json::json!({"id": "another"})),
            ..event.clone()
        };
        assert_eq!(flood_key(&event), flood_key(&repeat));
        for other in [
            EmsEvent { event_type: "Other".to_owned(), ..event.clone() },
            EmsEvent { vm_ems_ref: Some("vm-2".to_owned()), ..event.clone() },
            // The same text in another column is another event.
            EmsEvent { vm_ems_ref: None, host_ems_ref: event.vm_ems_ref.clone(), ..event.clone() },
            EmsEvent { message: Some("full".to_owned()), ..event.clone() },
            EmsEvent { is_task: Some(false), ..event.clone() },
        ] {
            assert_ne!(flood_key(&event), flood_key(&other), "{other:?}");
        }
    }
}
