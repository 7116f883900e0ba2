//! `event_action_policy`: raises a policy event about a record, which is an event of its own (`MiqEvent`, source `POLICY`) with
//! calls and rules of its own.

use super::calls::{Ended, param, target};
use super::delivery::Delivery;
use super::record_target::{Record, association, record};
use super::scene::{Asked, Scene};
use crate::provider::EmsEvent;
use crate::switchboard::Call;
use crate::vmdb::VmdbError;
use crate::vmdb::event_records::EventRecord;
use crate::vmdb::policy_events::NewPolicyEvent;
use serde_json::json;
use std::collections::BTreeMap;

/// As long as any event type.
const LONGEST_NAME: usize = 255;

/// A policy event that is to be written.
#[derive(Debug)]
pub(super) struct Raised {
    pub(super) new: NewPolicyEvent,
    /// The call that raised it.
    pub(super) call: Call,
    vm_name: Option<String>,
}

impl Raised {
    /// As the event that it is once it has an id.
    pub(super) fn record(self, id: i64) -> EventRecord {
        let related = association(&self.new.target.0).map(|name| (name, self.new.target.1));
        EventRecord {
            id,
            ems_id: self.new.ems_id,
            class: "MiqEvent".to_owned(),
            event_type: self.new.event_type,
            source: "POLICY".to_owned(),
            timestamp: self.new.timestamp,
            event_uid: self.new.event_uid,
            vm_name: self.vm_name,
            related: related.into_iter().collect::<BTreeMap<_, _>>(),
            target: Some(self.new.target),
            chain_id: None,
            work_id: None,
            vm_ems_ref: None,
            dest_vm_ems_ref: None,
        }
    }
}

pub(super) fn run(
    scene: &mut Scene<'_>,
    event: &EventRecord,
    call: &Call,
    (rule, number): (Option<&str>, usize),
) -> Result<Ended, VmdbError> {
    if scene.deepest {
        return Ok(Ended::skipped("policy events that raise policy events end here"));
    }
    let name = call.params.get("policy_event").unwrap_or(&event.event_type);
    if name.is_empty() {
        return Ok(Ended::skipped("policy_event is empty, and ManageIQ knows no such policy event"));
    }
    if name.len() > LONGEST_NAME {
        return Ok(Ended::failed(format!("policy_event is longer than {LONGEST_NAME} bytes")));
    }
    if event.ems_id.0 == 0 {
        return Ok(Ended::skipped("the event belongs to no EMS"));
    }
    let about = match target(scene, event, param(call, "target"))? {
        Ok(record) => record,
        Err(ended) => return Ok(ended),
    };
    let source = match source(scene, event, &about, param(call, "param")) {
        Ok(source) => source,
        Err(ended) => return Ok(ended),
    };
    let by = rule.map(|rule| format!("{rule}:")).unwrap_or_default();
    let full_data = json!({
        "source_event_id": event.id,
        "policy_source": {"type": source.0, "id": source.1},
    });
    let called = event.vm_name.as_deref().filter(|_| event.related.get("vm_or_template") == Some(&about.1));
    let whom =
        called.map_or_else(|| format!("{} {}", about.0, about.1), |name| format!("{} {name}", about.0));
    let new = NewPolicyEvent {
        ems_id: event.ems_id,
        event_type: name.clone(),
        event_uid: format!("policy:{}:{by}{}", event.id, number + 1),
        target: about,
        timestamp: scene.delivery.now,
        message: format!("{name}: {whom}, since {} (event {})", event.event_type, event.id),
        full_data: full_data.to_string(),
    };
    let raised = Raised { new, call: call.clone(), vm_name: called.map(str::to_owned) };
    Ok(Ended { raised: Some(Box::new(raised)), ..Ended::done() })
}

/// Whose policies are asked: the EMS's, or those of what the record belongs to.
fn source(scene: &Scene<'_>, event: &EventRecord, about: &Record, param: &str) -> Result<Record, Ended> {
    if matches!(param, "" | "ext_management_system") {
        return Ok(("ExtManagementSystem".to_owned(), event.ems_id.0));
    }
    let found = match about.0.as_str() {
        "VmOrTemplate" => {
            let links = scene.links.get(&about.1).copied().unwrap_or_default();
            let (class, id) = match param {
                "host" => ("Host", links.host),
                "ems_cluster" => ("EmsCluster", links.ems_cluster),
                "availability_zone" => ("AvailabilityZone", links.availability_zone),
                "storage" => ("Storage", links.storage),
                _ => return Err(Ended::failed(format!("a VM has no {param:?} to take policies from"))),
            };
            id.map(|id| (class.to_owned(), id))
        }
        _ => record(param, event).map_err(Ended::failed)?,
    };
    found.ok_or_else(|| Ended::skipped(format!("its {param}, whose policies are asked, is not known")))
}

/// What a policy event asks for: the calls of its instance, and the rules that it meets.
pub(super) fn asked(delivery: &Delivery, event: EventRecord) -> Asked {
    let calls = delivery.automation.switchboard.evaluate_in("MiqEvent", "POLICY", &event.event_type);
    let as_event = EmsEvent {
        event_type: event.event_type.clone(),
        source: event.source.clone(),
        timestamp: event.timestamp,
        vm_name: event.vm_name.clone(),
        ..EmsEvent::default()
    };
    let rules = delivery.automation.rules.candidates(&delivery.ems_name, &as_event);
    Asked { rules, ..Asked::new(event, calls) }
}
