//! Policy events: rows of `event_streams` of type `MiqEvent`, which handlers raise about a record.
//!
//! As in ManageIQ they belong to no EMS (`ems_id` is NULL): who counts a provider's events does not count them.
//! `generating_ems_id` says from whose event they came.

use super::VmdbError;
use super::bulk::{self, BulkColumn};
use super::dialect::Connection;
use super::statement::Value;
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A policy event to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPolicyEvent {
    /// Whose event it came from.
    pub ems_id: EmsId,
    /// The policy event's name, such as `vm_start`.
    pub event_type: String,
    /// `policy:<event id>:<n>`.
    pub event_uid: String,
    /// What it is about: ManageIQ's base class and the id.
    pub target: (String, i64),
    /// When it was raised.
    pub timestamp: DateTime<Utc>,
    /// For people.
    pub message: String,
    /// JSON.
    pub full_data: String,
}

/// Inserts them; their ids by `event_uid`, of which no two may be the same.
///
/// # Errors
/// See [`VmdbError`].
pub fn insert(
    connection: &mut Connection,
    events: &[NewPolicyEvent],
) -> Result<HashMap<String, i64>, VmdbError> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    fn of<'a>(
        events: &'a [NewPolicyEvent],
        value: impl Fn(&'a NewPolicyEvent) -> Value<'a>,
    ) -> Vec<Value<'a>> {
        events.iter().map(value).collect()
    }
    let columns: [BulkColumn<'_>; 11] = [
        ("event_uid", of(events, |event| (&event.event_uid).into())),
        ("type", of(events, |_| "MiqEvent".into())),
        ("event_type", of(events, |event| (&event.event_type).into())),
        ("source", of(events, |_| "POLICY".into())),
        ("timestamp", of(events, |event| event.timestamp.into())),
        ("created_on", of(events, |event| event.timestamp.into())),
        ("target_type", of(events, |event| (&event.target.0).into())),
        ("target_id", of(events, |event| event.target.1.into())),
        ("generating_ems_id", of(events, |event| event.ems_id.0.into())),
        ("message", of(events, |event| (&event.message).into())),
        ("full_data", of(events, |event| (&event.full_data).into())),
    ];
    let rows = bulk::insert(connection, "event_streams", &columns, "RETURNING id, event_uid")?;
    rows.iter().map(|row| Ok((row.string(1).unwrap_or_default(), row.id(0)?))).collect()
}

/// The records that VMs lead to, for the source of a policy event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmLinks {
    /// `vms.host_id`.
    pub host: Option<i64>,
    /// `vms.ems_cluster_id`.
    pub ems_cluster: Option<i64>,
    /// `vms.availability_zone_id`.
    pub availability_zone: Option<i64>,
    /// `vms.storage_id`.
    pub storage: Option<i64>,
}

/// What these VMs lead to.
///
/// # Errors
/// See [`VmdbError`].
pub fn vm_links(connection: &mut Connection, vm_ids: Vec<i64>) -> Result<HashMap<i64, VmLinks>, VmdbError> {
    if vm_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT id, host_id, ems_cluster_id, availability_zone_id, storage_id FROM vms WHERE id ?";
    let rows = connection.rows(sql, &[Value::Integers(vm_ids)])?;
    let links = |row: &super::Fields| {
        let links = VmLinks {
            host: row.integer(1),
            ems_cluster: row.integer(2),
            availability_zone: row.integer(3),
            storage: row.integer(4),
        };
        Ok((row.id(0)?, links))
    };
    rows.iter().map(links).collect()
}
