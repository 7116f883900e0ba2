//! The events of a chain of tasks (`chain_id`), with what a `*_Complete` event takes from them.

use super::VmdbError;
use super::dialect::Connection;
use super::statement::{Fields, Value};
use crate::provider::{EmsEvent, EmsId};
use std::collections::HashMap;

/// An event of a chain.
#[derive(Clone, Debug)]
pub struct ChainEvent {
    /// Its row.
    pub id: i64,
    /// Its identity.
    pub event_uid: String,
    /// Its time, type, chain, user, VMs and hosts, by the references that relate them again; nothing else.
    pub event: EmsEvent,
}

const SELECT: &str = "SELECT e.id, e.event_uid, e.chain_id, e.event_type, e.timestamp, e.username, \
    e.vm_name, e.vm_location, coalesce(e.vm_ems_ref, v.ems_ref), v.uid_ems, e.host_name, h.ems_ref, h.uid_ems, \
    e.dest_vm_name, e.dest_vm_location, coalesce(e.dest_vm_ems_ref, w.ems_ref), e.dest_host_name, k.ems_ref \
    FROM event_streams e LEFT JOIN vms v ON v.id = e.vm_or_template_id LEFT JOIN hosts h ON h.id = e.host_id \
    LEFT JOIN vms w ON w.id = e.dest_vm_or_template_id LEFT JOIN hosts k ON k.id = e.dest_host_id \
    WHERE e.ems_id = ? AND e.chain_id ? AND e.source <> 'EVM' ORDER BY e.id";

/// The events of these chains as they were stored, by `chain_id`; those that were made to complete one are not among them.
///
/// # Errors
/// See [`VmdbError`].
pub fn load(
    connection: &mut Connection,
    ems_id: EmsId,
    chain_ids: Vec<i64>,
) -> Result<HashMap<i64, Vec<ChainEvent>>, VmdbError> {
    let mut chains: HashMap<i64, Vec<ChainEvent>> = HashMap::new();
    for row in connection.rows(SELECT, &[ems_id.0.into(), Value::Integers(chain_ids)])? {
        chains.entry(row.id(2)?).or_default().push(event(&row)?);
    }
    Ok(chains)
}

fn event(row: &Fields) -> Result<ChainEvent, VmdbError> {
    let event = EmsEvent {
        chain_id: row.integer(2),
        event_type: row.string(3).unwrap_or_default(),
        timestamp: row.time(4).unwrap_or_default(),
        username: row.string(5),
        vm_name: row.string(6),
        vm_location: row.string(7),
        vm_ems_ref: row.string(8),
        vm_uid_ems: row.string(9),
        host_name: row.string(10),
        host_ems_ref: row.string(11),
        host_uid_ems: row.string(12),
        dest_vm_name: row.string(13),
        dest_vm_location: row.string(14),
        dest_vm_ems_ref: row.string(15),
        dest_host_name: row.string(16),
        dest_host_ems_ref: row.string(17),
        ..EmsEvent::default()
    };
    Ok(ChainEvent { id: row.id(0)?, event_uid: row.string(1).unwrap_or_default(), event })
}
