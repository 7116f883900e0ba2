//! The records of the API, column by column: nothing else of the VMDB can be asked for.
//!
//! Names and meanings are ManageIQ's. Left out is what Catchall never fills, and what queued work carries (`args`).

use super::record::{Association, Column, Computed, Record, Related, Target, plain, record};
use super::values::{Attribute, Boolean, Id, Integer, Json, Text, Time};

record! {
    /// An event that was caught, or a policy event (`type` `MiqEvent`).
    EventStream: "EventStream" in "event_streams" of "event_streams" {
        event_type: Text, source: Text, message: Text, timestamp: Time, created_on: Time, r#type: Text,
        ems_id: Id, ems_ref: Text, chain_id: Integer, is_task: Boolean, username: Text, event_uid: Text,
        vm_or_template_id: Id, vm_name: Text, vm_location: Text, vm_ems_ref: Text,
        dest_vm_or_template_id: Id, dest_vm_name: Text, dest_vm_location: Text, dest_vm_ems_ref: Text,
        host_id: Id, host_name: Text, dest_host_id: Id, dest_host_name: Text,
        ems_cluster_id: Id, ems_cluster_name: Text, ems_cluster_uid: Text,
        dest_ems_cluster_id: Id, dest_ems_cluster_name: Text, dest_ems_cluster_uid: Text,
        availability_zone_id: Id,
        container_node_id: Id, container_node_name: Text, container_group_id: Id, container_group_name: Text,
        container_replicator_id: Id, container_replicator_name: Text, container_id: Id, container_name: Text,
        container_namespace: Text,
        physical_server_id: Id, physical_chassis_id: Id, physical_switch_id: Id, physical_storage_id: Id,
        physical_storage_name: Text,
        target_type: Text, target_id: Id, generating_ems_id: Id, user_id: Id, group_id: Id, tenant_id: Id,
        folded_count: Integer, first_timestamp: Time, last_timestamp: Time,
    }
    on_request { full_data: Json, }
    computed { group, group_level, group_name, }
    related {
        vm: Vm by "vm_or_template_id", vm_or_template: Vm by "vm_or_template_id",
        dest_vm: Vm by "dest_vm_or_template_id", dest_vm_or_template: Vm by "dest_vm_or_template_id",
        host: Host by "host_id", dest_host: Host by "dest_host_id",
        ext_management_system: Provider by "ems_id",
    }
}

record! {
    /// A VM or template.
    Vm: "Vm" in "vms" of "vms" {
        name: Text, description: Text, vendor: Text, location: Text, r#type: Text, template: Boolean, cloud: Boolean,
        ems_id: Id, archived_ems_id: Id, ems_ref: Text, uid_ems: Text, guid: Text, hostname: Text,
        power_state: Text, raw_power_state: Text, previous_state: Text, state_changed_on: Time,
        connection_state: Text, boot_time: Time, created_on: Time, updated_on: Time, ems_created_on: Time,
        host_id: Id, ems_cluster_id: Id, availability_zone_id: Id, flavor_id: Id, storage_id: Id,
        cloud_network_id: Id, cloud_subnet_id: Id, cloud_tenant_id: Id, resource_group_id: Id,
        orchestration_stack_id: Id, placement_group_id: Id, tools_status: Text, ancestry: Text,
    }
    on_request { }
    computed { }
    related { host: Host by "host_id", ext_management_system: Provider by "ems_id", }
}

record! {
    /// A host.
    Host: "Host" in "hosts" of "hosts" {
        name: Text, hostname: Text, hypervisor_hostname: Text, ipaddress: Text, mac_address: Text, r#type: Text,
        vmm_vendor: Text, vmm_product: Text, vmm_version: Text, vmm_buildnumber: Text,
        ems_id: Id, archived_ems_id: Id, ems_ref: Text, uid_ems: Text, guid: Text,
        power_state: Text, raw_power_state: Text, connection_state: Text, maintenance: Boolean,
        maintenance_reason: Text, ems_cluster_id: Id, availability_zone_id: Id, service_tag: Text, asset_tag: Text,
        created_on: Time, updated_on: Time,
    }
    on_request { }
    computed { }
    related { ext_management_system: Provider by "ems_id", }
}

record! {
    /// A manager of a cloud (EMS).
    Provider: "ExtManagementSystem" in "providers" of "ext_management_systems" {
        name: Text, r#type: Text, guid: Text, enabled: Boolean, zone_id: Id, zone_before_pause_id: Id,
        provider_region: Text, api_version: Text, uid_ems: Text, created_on: Time, updated_on: Time,
        last_refresh_date: Time, last_refresh_success_date: Time, last_refresh_error: Text,
        last_inventory_date: Time, parent_ems_id: Id, realm: Text, project: Text, subscription: Text, tenant_id: Id,
    }
    on_request { }
    computed { }
    related { }
}

record! {
    /// Work that waits or is under way.
    QueueItem: "MiqQueue" in "miq_queue" of "miq_queue" {
        queue_name: Text, state: Text, class_name: Text, method_name: Text, role: Text, zone: Text,
        priority: Integer, target_id: Id, instance_id: Id, task_id: Text, miq_task_id: Id, tracking_label: Text,
        handler_type: Text, handler_id: Id, created_on: Time, updated_on: Time, deliver_on: Time, expires_on: Time,
        msg_timeout: Integer, work_id: Id, event_uid: Text,
    }
    on_request { }
    computed { }
    related { }
}

record! {
    /// A stretch of time of which events are missing, since the provider no longer had them.
    Gap: "EventGap" in "gaps" of "event_gaps" {
        ems_id: Id, started_on: Time, ended_on: Time, reason: Text, created_on: Time,
    }
    on_request { }
    computed { }
    related { ext_management_system: Provider by "ems_id", }
}

record! {
    /// A native event that could not become a row of `event_streams`.
    DeadLetter: "DeadLetter" in "dead_letters" of "dead_letters" {
        ems_id: Id, event_uid: Text, transport_id: Text, reason: Text, created_on: Time, attempts: Integer,
    }
    on_request { native: Text, }
    computed { }
    related { ext_management_system: Provider by "ems_id", }
}
