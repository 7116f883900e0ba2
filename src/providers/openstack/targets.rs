//! Stored event → targets: which things of the inventory an event names (reference: ManageIQ's OpenStack
//! `EventTargetParser`s of cloud, network and storage manager). Pure.
//!
//! Payloads as RabbitMQ brings them are read beside the trait names (`resource_id`, …) of Panko and STF, which are all that
//! ManageIQ reads. An `ems_ref` of null asks for all of that association, as in ManageIQ.

mod network;
mod told;

pub(super) use told::Told;

use super::envelope::{Body, at, text};
use super::parser::{COMPUTE_SERVICE, project};
use crate::provider::{EmsEvent, EventTargetParser, ParseError, Target};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Ruby: `ManageIQ::Providers::Openstack::CloudManager::EventTargetParser`, and those of network and storage manager.
#[derive(Debug)]
pub(super) struct OpenstackEventTargetParser;

/// Event types that begin so are the storage manager's: ManageIQ refreshes no project with them.
const STORAGE: [&str; 3] = ["volume", "snapshot", "backup"];

/// Longer than any column of event types.
const LONGEST_EVENT_TYPE: usize = 255;

impl EventTargetParser for OpenstackEventTargetParser {
    fn parse(&self, ems_event: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        let Value::Object(full_data) = ems_event.full_data.read::<Value>()? else { return Ok(Vec::new()) };
        let Some(Value::Object(payload)) = at(&full_data, &["content", "payload"]) else {
            return Ok(Vec::new());
        };
        // No event of such a type is stored, and each target repeats it.
        if ems_event.event_type.len() > LONGEST_EVENT_TYPE {
            return Ok(Vec::new());
        }
        let known = HashMap::new();
        let mut targets = Targets { event_type: &ems_event.event_type, payload, all: Vec::new(), known };
        targets.add_all();
        Ok(targets.all)
    }
}

/// What one event names, each thing once, in the order in which it names them.
struct Targets<'a> {
    event_type: &'a str,
    payload: &'a Body,
    all: Vec<Target>,
    /// Where in `all` each is, by association and reference: a request in bulk names thousands.
    known: HashMap<(&'static str, Option<String>), usize>,
}

impl<'a> Targets<'a> {
    fn add_all(&mut self) {
        let event_type = self.event_type;
        let starts_with = |prefix: &str| event_type.starts_with(prefix);
        if !STORAGE.iter().any(|kind| starts_with(kind)) {
            self.add_named("cloud_tenants", project(self.payload, event_type));
        }
        match event_type.split('.').next().unwrap_or_default() {
            "compute" if starts_with("compute.instance") => self.add_server(),
            "compute_task" => self.add_named("vms", self.text("instance_id")),
            "orchestration" => self.add_stack(),
            "image" => self.add_image(),
            "aggregate" => self.add_aggregate(),
            "flavor" => self.add_own("flavors", self.text("flavorid"), event_type == "flavor.delete"),
            "service" => self.add_service(),
            "identity" if starts_with("identity.project.") => self.add_project(),
            "volume" if starts_with("volume.") => self.add_volume(),
            "snapshot" if starts_with("snapshot.") => self.add_snapshot(),
            "backup" if starts_with("backup.") => {
                let id = self.text("backup_id");
                self.add_own_or_all("cloud_volume_backups", id, event_type == "backup.delete.end");
            }
            _ if starts_with("keypair") => self.add_key_pair(),
            _ => self.add_network_object(),
        }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        let payload: &'a Body = self.payload;
        text(payload, &[key])
    }

    fn add_server(&mut self) {
        // `delete.end` is also sent when a deletion failed.
        let deleted =
            self.event_type == "compute.instance.delete.end" && self.text("state") == Some("deleted");
        self.add_own("vms", self.text("instance_id"), deleted);
    }

    /// Heat's notifications hold no id, but an ARN that ends in it.
    fn add_stack(&mut self) {
        let of_arn = || self.text("stack_identity").and_then(|arn| arn.rsplit('/').next());
        let id = self.text("stack_id").or_else(|| self.text("resource_id")).or_else(of_arn);
        if self.event_type.starts_with("orchestration.stack") {
            self.add_own_or_all(
                "orchestration_stacks",
                id,
                self.event_type == "orchestration.stack.delete.end",
            );
        } else {
            self.add_named("orchestration_stacks", id);
        }
    }

    fn add_image(&mut self) {
        let id = ["resource_id", "id", "image_id"].into_iter().find_map(|key| self.text(key));
        // With delayed deletion it is still there.
        let deleted = self.event_type == "image.delete" && self.text("status") != Some("pending_delete");
        for association in ["images", "miq_templates"] {
            self.add_own(association, id, deleted);
        }
    }

    fn add_aggregate(&mut self) {
        // As a trait the id stands behind the publisher's service.
        let service = self.text("service").map(|service| service.replacen("aggregate.", "", 1));
        let id = service.or_else(|| match at(self.payload, &["aggregate_id"])? {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        });
        self.add_own("host_aggregates", id.as_deref(), self.event_type == "aggregate.delete.end");
        self.add_named("availability_zones", text(self.payload, &["meta_data", "availability_zone"]));
    }

    fn add_service(&mut self) {
        if self.text("binary") == Some(COMPUTE_SERVICE) {
            self.add_own("hosts", self.text("host"), self.event_type == "service.delete");
        }
        self.add_named("availability_zones", self.text("availability_zone"));
    }

    fn add_project(&mut self) {
        let id = self.text("resource_info").or_else(|| text(self.payload, &["target", "id"]));
        self.add_own("cloud_tenants", id, self.event_type == "identity.project.deleted");
    }

    fn add_volume(&mut self) {
        let id = self.text("resource_id").or_else(|| self.text("volume_id"));
        for association in ["cloud_volumes", "volume_templates"] {
            self.add_own(association, id, self.event_type == "volume.delete.end");
        }
    }

    fn add_snapshot(&mut self) {
        let id = self.text("resource_id").or_else(|| self.text("snapshot_id"));
        self.add_own("cloud_volume_snapshots", id, self.event_type == "snapshot.delete.end");
        self.add_named("cloud_volumes", self.text("volume_id"));
    }

    /// ManageIQ lists them all: no event says the id of a key pair that it has in its inventory.
    fn add_key_pair(&mut self) {
        let told = Told {
            name: self.text("key_name").map(str::to_owned),
            user_id: self.text("user_id").map(str::to_owned),
            ..self.told(false)
        };
        self.push("key_pairs", None, told);
    }

    /// The thing that the event is about.
    fn add_own(&mut self, association: &'static str, id: Option<&str>, deleted: bool) {
        if let Some(id) = id {
            self.push(association, Some(id), self.told(deleted));
        }
    }

    fn add_own_or_all(&mut self, association: &'static str, id: Option<&str>, deleted: bool) {
        self.push(association, id, self.told(deleted && id.is_some()));
    }

    /// A thing that the event names besides: nothing is told of it.
    fn add_named(&mut self, association: &'static str, id: Option<&str>) {
        if let Some(id) = id {
            let told = Told { event_type: self.event_type.to_owned(), ..Told::default() };
            self.push(association, Some(id), told);
        }
    }

    fn told(&self, deleted: bool) -> Told {
        let first = |keys: &[&str]| keys.iter().find_map(|key| self.text(key)).map(str::to_owned);
        Told {
            event_type: self.event_type.to_owned(),
            deleted,
            name: first(&["display_name", "name", "stack_name"]),
            tenant_id: project(self.payload, self.event_type).map(str::to_owned),
            user_id: None,
            state: first(&["state", "status"]),
        }
    }

    /// Named twice, the event's own thing wins: more is told of it.
    fn push(&mut self, association: &'static str, ems_ref: Option<&str>, told: Told) {
        let options = told.into_options();
        let next = self.all.len();
        let at = *self.known.entry((association, ems_ref.map(str::to_owned))).or_insert(next);
        if let Some(known) = self.all.get_mut(at) {
            known.options = options;
            return;
        }
        let manager_ref = BTreeMap::from([("ems_ref".to_owned(), ems_ref.map_or(Value::Null, Value::from))]);
        self.all.push(Target { association: association.to_owned(), manager_ref, options });
    }
}

#[cfg(test)]
mod tests;
