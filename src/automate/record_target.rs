//! The records that handlers' `target` names: what the event was related to, by ManageIQ's names. Pure.

use crate::vmdb::event_records::EventRecord;

/// A row of inventory: ManageIQ's base class (`VmOrTemplate`) and the id.
pub type Record = (String, i64);

/// (names, association of the event, class).
const TARGETS: &[(&[&str], &str, &str)] = &[
    (&["src_vm", "vm", "vm_or_template", "src_vm_or_template"], "vm_or_template", "VmOrTemplate"),
    (&["dest_vm", "dest_vm_or_template"], "dest_vm_or_template", "VmOrTemplate"),
    (&["src_host", "host"], "host", "Host"),
    (&["dest_host"], "dest_host", "Host"),
    (&["src_ems_cluster", "ems_cluster"], "ems_cluster", "EmsCluster"),
    (&["availability_zone"], "availability_zone", "AvailabilityZone"),
    (&["container_node"], "container_node", "ContainerNode"),
    (&["container_group"], "container_group", "ContainerGroup"),
    (&["container_replicator"], "container_replicator", "ContainerReplicator"),
    (&["physical_server"], "physical_server", "PhysicalServer"),
    (&["physical_chassis"], "physical_chassis", "PhysicalChassis"),
    (&["physical_switch"], "physical_switch", "PhysicalSwitch"),
    (&["physical_storage"], "physical_storage", "PhysicalStorage"),
];

/// The event's record of that name; `Ok(None)` when the event was related to none.
///
/// # Errors
/// When nothing is called so.
pub fn record(name: &str, event: &EventRecord) -> Result<Option<Record>, String> {
    if name == "target" || event.event_type == "datawarehouse_alert" {
        return Ok(event.target.clone());
    }
    if matches!(name, "ems" | "ext_management_system") {
        return Ok((event.ems_id.0 != 0).then(|| ("ExtManagementSystem".to_owned(), event.ems_id.0)));
    }
    let known = TARGETS.iter().find(|(names, _, _)| names.contains(&name));
    let (_, association, class) = known.ok_or_else(|| format!("no target is called {name:?}"))?;
    Ok(event.related.get(association).map(|id| ((*class).to_owned(), *id)))
}

/// The association of an event under which a record of this class is found first.
pub fn association(class: &str) -> Option<&'static str> {
    TARGETS.iter().find(|(_, _, known)| *known == class).map(|(_, association, _)| *association)
}
