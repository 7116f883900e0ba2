//! What is known about an event when its rules are asked: the event, its EMS, the related VM and host. Plain values.

use serde_json::{Map, Value};

/// A section of facts: column → value. Columns without a value are left out.
pub type Section = Map<String, Value>;

/// What `when`, limits and messages may look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Columns of `event_streams`, and `group` and `level`; without `full_data`.
    pub event: Section,
    /// The native event, JSON as text.
    pub full_data: String,
    /// Columns of `ext_management_systems`.
    pub ems: Section,
    /// Columns of `vms`; empty when the event is not related to one.
    pub vm: Section,
    /// Columns of `hosts`; empty when the event is not related to one.
    pub host: Section,
    /// As `vm`, where something moves or is copied to.
    pub dest_vm: Section,
    /// As `host`, where something moves to.
    pub dest_host: Section,
}

/// The columns that there are, by section; what is not here is no fact, and a slip of the pen in a condition.
pub const EVENT_COLUMNS: &[&str] = &[
    "id",
    "event_type",
    "message",
    "timestamp",
    "host_name",
    "host_id",
    "vm_name",
    "vm_location",
    "vm_or_template_id",
    "dest_host_name",
    "dest_host_id",
    "dest_vm_name",
    "dest_vm_location",
    "dest_vm_or_template_id",
    "source",
    "chain_id",
    "ems_id",
    "is_task",
    "created_on",
    "username",
    "ems_cluster_id",
    "ems_cluster_name",
    "ems_cluster_uid",
    "availability_zone_id",
    "container_node_id",
    "container_node_name",
    "container_group_id",
    "container_group_name",
    "container_replicator_id",
    "container_replicator_name",
    "container_name",
    "container_namespace",
    "physical_storage_id",
    "physical_storage_name",
    "type",
    "target_type",
    "target_id",
    "ems_ref",
    "vm_ems_ref",
    "dest_vm_ems_ref",
    "event_uid",
];
/// See [`EVENT_COLUMNS`].
pub const EMS: &[&str] = &["id", "name", "type", "zone", "provider_region", "enabled"];
/// See [`EVENT_COLUMNS`].
pub const VM_COLUMNS: &[&str] = &[
    "id",
    "name",
    "ems_ref",
    "uid_ems",
    "vendor",
    "location",
    "description",
    "power_state",
    "raw_power_state",
    "previous_state",
    "connection_state",
    "tools_status",
    "template",
    "type",
    "guid",
    "host_id",
    "ems_cluster_id",
    "storage_id",
    "availability_zone_id",
    "ems_id",
    "retired",
    "created_on",
    "boot_time",
];
/// See [`EVENT_COLUMNS`].
pub const HOST_COLUMNS: &[&str] = &[
    "id",
    "name",
    "hostname",
    "ipaddress",
    "ems_ref",
    "uid_ems",
    "vmm_vendor",
    "vmm_version",
    "vmm_product",
    "power_state",
    "connection_state",
    "maintenance",
    "maintenance_reason",
    "type",
    "guid",
    "ems_cluster_id",
    "availability_zone_id",
    "ems_id",
    "created_on",
];

/// What an event has besides its columns.
pub const OF_EVENT: [&str; 3] = ["full_data", "group", "level"];

/// Every section with its columns.
pub const SECTIONS: [(&str, &[&str]); 6] = [
    ("event", EVENT_COLUMNS),
    ("ems", EMS),
    ("vm", VM_COLUMNS),
    ("host", HOST_COLUMNS),
    ("dest_vm", VM_COLUMNS),
    ("dest_host", HOST_COLUMNS),
];

impl Facts {
    /// The section of this name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        match name {
            "event" => Some(&self.event),
            "ems" => Some(&self.ems),
            "vm" => Some(&self.vm),
            "host" => Some(&self.host),
            "dest_vm" => Some(&self.dest_vm),
            "dest_host" => Some(&self.dest_host),
            _ => None,
        }
    }

    /// What stands at this path, such as `["event", "full_data", "reason"]`.
    pub fn value(&self, path: &[String]) -> Option<Value> {
        let (section, rest) = path.split_first()?;
        let (column, rest) = rest.split_first()?;
        let mut value = match (section.as_str(), column.as_str()) {
            ("event", "full_data") => serde_json::from_str(&self.full_data).ok()?,
            _ => self.section(section)?.get(column)?.clone(),
        };
        for step in rest {
            value = value.get_mut(step)?.take();
        }
        Some(value)
    }

    /// `message` with each `{section.column}` replaced by what is known; by nothing where nothing is.
    pub fn fill_in(&self, message: &str) -> String {
        let mut text = String::new();
        let mut rest = message;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            // A name ends before the next bracket of either kind; to look further would read the rest for each of many `{`.
            let end = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}'));
            let filled = end.and_then(|end| {
                let (name, after) = (&after[..end], &after[end + 1..]);
                let (section, column) = name.split_once('.')?;
                Some((self.section(section)?.get(column).map(plain).unwrap_or_default(), after))
            });
            match filled {
                Some((value, after)) => {
                    text.push_str(&value);
                    rest = after;
                }
                None => {
                    text.push('{');
                    rest = after;
                }
            }
        }
        text + rest
    }
}

/// A value as people read it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_names_what_is_known() {
        let vm = json!({"name": "prod-1"}).as_object().cloned().unwrap_or_default();
        let facts = Facts { vm, ..Facts::default() };
        assert_eq!(facts.fill_in("{vm.name} on {host.name}: {x} {"), "prod-1 on : {x} {");
    }
}
