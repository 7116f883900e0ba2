//! Neutron's things. A notification nests the object under its name (`{"port": {…}}`, in bulk `{"ports": […]}`); a deletion
//! may hold `port_id` alone, the start of an update `id`; as traits it is `resource_id`.

use super::super::envelope::{Body, at, text};
use super::{Targets, Told};
use serde_json::Value;

/// Name of the thing in event types and payloads → association.
const KINDS: &[(&str, &str)] = &[
    ("network", "cloud_networks"),
    ("subnet", "cloud_subnets"),
    ("port", "network_ports"),
    ("router", "network_routers"),
    ("floatingip", "floating_ips"),
    ("security_group", "security_groups"),
];

impl Targets<'_> {
    pub(super) fn add_network_object(&mut self) {
        let event_type = self.event_type;
        match event_type.split('.').next().unwrap_or_default() {
            "security_group_rule" => self.add_rule(),
            "tag" => self.add_tagged(),
            // Nova's own, from before Neutron.
            "network" if event_type.starts_with("network.floating_ip.") => {
                self.add_named("floating_ips", self.text("resource_id"));
            }
            "router" if event_type.starts_with("router.interface.") => self.add_router_interface(),
            kind => {
                if let Some((kind, association)) = KINDS.iter().find(|(name, _)| *name == kind) {
                    self.add_by_kind(kind, association);
                }
            }
        }
    }

    fn add_by_kind(&mut self, kind: &str, association: &'static str) {
        let deleted = self.event_type == format!("{kind}.delete.end");
        let before = self.all.len();
        for object in objects(self.payload, kind) {
            if let Some(id) = text(object, &["id"]) {
                let owned =
                    |keys: &[&str]| keys.iter().find_map(|key| text(object, &[key])).map(str::to_owned);
                let told = Told {
                    name: owned(&["name", "floating_ip_address"]),
                    tenant_id: owned(&["tenant_id", "project_id"]),
                    state: owned(&["status"]),
                    event_type: self.event_type.to_owned(),
                    deleted,
                    user_id: None,
                };
                self.push(association, Some(id), told);
            }
            if kind == "network" && deleted {
                // They go with it, and nobody tells.
                for subnet in at(object, &["subnets"]).and_then(Value::as_array).into_iter().flatten() {
                    self.add_named("cloud_subnets", subnet.as_str());
                }
            }
        }
        if self.all.len() > before {
            return;
        }
        let named = format!("{kind}_id");
        let id = ["resource_id", &named, "id"].into_iter().find_map(|key| self.text(key));
        // ManageIQ asks for all security groups when one has no id; a payload that nests it without one is a request
        // that has made nothing yet.
        if kind == "security_group" && objects(self.payload, kind).next().is_none() {
            self.add_own_or_all(association, id, deleted);
        } else {
            self.add_own(association, id, deleted);
        }
    }

    /// A rule is part of its group.
    fn add_rule(&mut self) {
        let groups: Vec<&str> = objects(self.payload, "security_group_rule")
            .filter_map(|rule| text(rule, &["security_group_id"]))
            .collect();
        if groups.is_empty() {
            let id = self.text("resource_id").or_else(|| self.text("security_group_rule_id"));
            self.add_own_or_all("firewall_rules", id, self.event_type == "security_group_rule.delete.end");
        }
        for group in groups {
            self.add_named("security_groups", Some(group));
        }
    }

    /// A router's interface is a port of it in a subnet.
    fn add_router_interface(&mut self) {
        let Some(interface) = at(self.payload, &["router_interface"]).and_then(Value::as_object) else {
            self.add_by_kind("router", "network_routers");
            return;
        };
        self.add_named("network_routers", text(interface, &["id"]));
        self.add_named("network_ports", text(interface, &["port_id"]));
        self.add_named("cloud_subnets", text(interface, &["subnet_id"]));
        for subnet in at(interface, &["subnet_ids"]).and_then(Value::as_array).into_iter().flatten() {
            self.add_named("cloud_subnets", subnet.as_str());
        }
    }

    /// `parent_resource` is a word of Neutron's API, and so in plural.
    fn add_tagged(&mut self) {
        let parent = self.text("parent_resource").map(|parent| parent.strip_suffix('s').unwrap_or(parent));
        if let Some((_, association)) = KINDS.iter().find(|(name, _)| Some(*name) == parent) {
            self.add_named(association, self.text("parent_resource_id"));
        }
    }
}

/// The objects of `kind` that a payload nests: one, or those of a request in bulk.
fn objects<'a>(payload: &'a Body, kind: &str) -> impl Iterator<Item = &'a Body> {
    let one = payload.get(kind);
    let many = payload.get(&format!("{kind}s")).and_then(Value::as_array);
    one.into_iter().chain(many.into_iter().flatten()).filter_map(Value::as_object)
}
