//! Stored events as handlers need them: what they are, and the records that they were related to.

use super::VmdbError;
use super::dialect::Connection;
use super::statement::{Fields, Value};
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// A row of `event_streams`, without the provider's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are ManageIQ's columns")]
pub struct EventRecord {
    pub id: i64,
    /// Of a policy event: the EMS from which it came.
    pub ems_id: EmsId,
    /// `EmsEvent` or `MiqEvent`; the column `type`.
    pub class: String,
    pub event_type: String,
    pub source: String,
    pub timestamp: DateTime<Utc>,
    pub chain_id: Option<i64>,
    pub work_id: Option<i64>,
    pub event_uid: String,
    pub vm_name: Option<String>,
    pub vm_ems_ref: Option<String>,
    pub dest_vm_ems_ref: Option<String>,
    /// Ids by association, such as `vm_or_template`; those that the event has.
    pub related: BTreeMap<&'static str, i64>,
    /// The polymorphic target: its class and id.
    pub target: Option<(String, i64)>,
}

/// Associations of an event in the order of [`COLUMNS`], whose columns are the same with `_id`.
const ASSOCIATIONS: [&str; 13] = [
    "vm_or_template",
    "dest_vm_or_template",
    "host",
    "dest_host",
    "ems_cluster",
    "availability_zone",
    "container_node",
    "container_group",
    "container_replicator",
    "physical_server",
    "physical_chassis",
    "physical_switch",
    "physical_storage",
];

const COLUMNS: &str = "id, coalesce(ems_id, generating_ems_id, 0), type, event_type, source, timestamp, chain_id, work_id, \
    event_uid, vm_name, vm_ems_ref, dest_vm_ems_ref, target_type, target_id, vm_or_template_id, dest_vm_or_template_id, \
    host_id, dest_host_id, ems_cluster_id, availability_zone_id, container_node_id, container_group_id, \
    container_replicator_id, physical_server_id, physical_chassis_id, physical_switch_id, physical_storage_id";

/// Where the associations begin.
const FIRST_ASSOCIATION: usize = 14;

fn record(row: &Fields) -> Result<EventRecord, VmdbError> {
    let associations = ASSOCIATIONS.iter().enumerate();
    let related = associations.filter_map(|(at, name)| Some((*name, row.integer(FIRST_ASSOCIATION + at)?)));
    Ok(EventRecord {
        id: row.id(0)?,
        ems_id: EmsId(row.id(1)?),
        class: row.string(2).unwrap_or_default(),
        event_type: row.string(3).unwrap_or_default(),
        source: row.string(4).unwrap_or_default(),
        timestamp: row.time(5).unwrap_or_default(),
        chain_id: row.integer(6),
        work_id: row.integer(7),
        event_uid: row.string(8).unwrap_or_default(),
        vm_name: row.string(9),
        vm_ems_ref: row.string(10),
        dest_vm_ems_ref: row.string(11),
        target: row.string(12).zip(row.integer(13)),
        related: related.collect(),
    })
}

/// The events with these ids; those that were purged are not among them.
///
/// # Errors
/// See [`VmdbError`].
pub fn load(connection: &mut Connection, ids: Vec<i64>) -> Result<HashMap<i64, EventRecord>, VmdbError> {
    let sql = format!("SELECT {COLUMNS} FROM event_streams WHERE id ?");
    let rows = connection.rows(&sql, &[Value::Integers(ids)])?;
    rows.iter().map(record).map(|record| record.map(|record| (record.id, record))).collect()
}

/// The first event of a chain: the lowest id.
///
/// # Errors
/// See [`VmdbError`].
pub fn first_of_chain(
    connection: &mut Connection,
    ems_id: EmsId,
    chain_id: i64,
) -> Result<Option<EventRecord>, VmdbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM event_streams WHERE ems_id = ? AND chain_id = ? ORDER BY id LIMIT 1");
    let rows = connection.rows(&sql, &[ems_id.0.into(), chain_id.into()])?;
    rows.first().map(record).transpose()
}

/// The `ems_ref`s of these rows of inventory, by id.
///
/// # Errors
/// See [`VmdbError`].
pub fn ems_refs(
    connection: &mut Connection,
    table: Inventory,
    ids: Vec<i64>,
) -> Result<HashMap<i64, String>, VmdbError> {
    let sql = match table {
        Inventory::Vms => "SELECT id, ems_ref FROM vms WHERE id ?",
        Inventory::Hosts => "SELECT id, ems_ref FROM hosts WHERE id ?",
    };
    let rows = connection.rows(sql, &[Value::Integers(ids)])?;
    Ok(rows.iter().filter_map(|row| Some((row.integer(0)?, row.string(1)?))).collect())
}

/// The tables whose rows events refer to by `ems_ref`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inventory {
    /// `vms`.
    Vms,
    /// `hosts`.
    Hosts,
}

/// Whether the payload of the event says that a policy prevented it (`policy.prevented`, as ManageIQ writes it).
///
/// # Errors
/// See [`VmdbError`].
pub fn is_prevented(connection: &mut Connection, id: i64) -> Result<bool, VmdbError> {
    let rows = connection.rows("SELECT full_data FROM event_streams WHERE id = ?", &[id.into()])?;
    let payload = rows.first().and_then(|row| row.text(0)).and_then(|text| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        value.pointer("/policy/prevented").cloned()
    });
    Ok(payload == Some(serde_json::Value::Bool(true)))
}
