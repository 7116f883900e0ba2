//! A stored event as its parser had made it, as far as its row and the records that it was related to tell.

use super::VmdbError;
use super::dialect::Connection;
use super::statement::Fields;
use crate::provider::{EmsEvent, FullData};

const SELECT: &str = "SELECT e.event_type, e.source, e.timestamp, e.message, e.ems_ref, e.chain_id, e.is_task, e.username, \
    coalesce(e.vm_ems_ref, v.ems_ref), v.uid_ems, e.vm_name, e.vm_location, coalesce(e.dest_vm_ems_ref, w.ems_ref), \
    e.dest_vm_name, e.dest_vm_location, h.ems_ref, h.uid_ems, e.host_name, k.ems_ref, e.dest_host_name, a.ems_ref, \
    c.ems_ref, e.ems_cluster_name, e.ems_cluster_uid, e.container_node_name, e.container_group_name, \
    e.container_replicator_name, e.container_name, e.container_namespace, e.physical_storage_name, e.full_data \
    FROM event_streams e LEFT JOIN vms v ON v.id = e.vm_or_template_id LEFT JOIN vms w ON w.id = e.dest_vm_or_template_id \
    LEFT JOIN hosts h ON h.id = e.host_id LEFT JOIN hosts k ON k.id = e.dest_host_id \
    LEFT JOIN availability_zones a ON a.id = e.availability_zone_id LEFT JOIN ems_clusters c ON c.id = e.ems_cluster_id \
    WHERE e.id = ?";

/// The event with this id. References that are no column come from the records that the event was related to.
///
/// # Errors
/// See [`VmdbError`].
pub fn load(connection: &mut Connection, id: i64) -> Result<Option<EmsEvent>, VmdbError> {
    Ok(connection.rows(SELECT, &[id.into()])?.first().map(event))
}

fn event(row: &Fields) -> EmsEvent {
    let text = |at| row.string(at);
    EmsEvent {
        event_type: text(0).unwrap_or_default(),
        source: text(1).unwrap_or_default(),
        timestamp: row.time(2).unwrap_or_default(),
        message: text(3),
        ems_ref: text(4),
        chain_id: row.integer(5),
        is_task: row.boolean(6),
        username: text(7),
        vm_ems_ref: text(8),
        vm_uid_ems: text(9),
        vm_name: text(10),
        vm_location: text(11),
        dest_vm_ems_ref: text(12),
        dest_vm_name: text(13),
        dest_vm_location: text(14),
        host_ems_ref: text(15),
        host_uid_ems: text(16),
        host_name: text(17),
        dest_host_ems_ref: text(18),
        dest_host_name: text(19),
        availability_zone_ems_ref: text(20),
        ems_cluster_ems_ref: text(21),
        ems_cluster_name: text(22),
        ems_cluster_uid: text(23),
        container_node_name: text(24),
        container_group_name: text(25),
        container_replicator_name: text(26),
        container_name: text(27),
        container_namespace: text(28),
        physical_storage_name: text(29),
        // A payload that is no JSON any more was changed by somebody else; what can be told without it is told.
        full_data: text(30).and_then(|data| FullData::from_text(data).ok()).unwrap_or_default(),
        ..EmsEvent::default()
    }
}
