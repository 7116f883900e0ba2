//! Events as rows of `event_streams`: which column holds what, and the insert that tells new ones from known ones.

use super::VmdbError;
use super::bulk::{self, BulkColumn};
use super::dialect::Connection;
use super::event_relations::{Relation, RelationColumns};
use super::relate::Relations;
use super::statement::Value;
use crate::provider::{EmsId, ParsedEvent};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// An event with all that its row holds.
pub(super) struct EventRow<'a> {
    pub(super) ems_id: EmsId,
    pub(super) event: &'a ParsedEvent,
    pub(super) relations: Relations,
    pub(super) work_id: Option<i64>,
    pub(super) created_on: DateTime<Utc>,
}

impl EventRow<'_> {
    /// Whether it is known what this reference leads to.
    pub(super) fn is_related(&self, columns: &RelationColumns) -> bool {
        match columns.relation {
            Relation::AvailabilityZone => self.relations.availability_zone_id().is_some(),
            relation => self.relations.of(relation).is_some(),
        }
    }
}

/// Inserts `rows`, of which no two may have the same EMS and `event_uid`; what was folded into another row is as known as
/// what is a row. Returns (index in `rows`, id) of those that are
/// new, in order.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn insert(
    connection: &mut Connection,
    rows: &[EventRow<'_>],
) -> Result<Vec<(usize, i64)>, VmdbError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let columns: Vec<BulkColumn<'_>> =
        COLUMNS.iter().map(|(name, value)| (*name, rows.iter().map(value).collect())).collect();
    let tail = "ON CONFLICT (ems_id, event_uid) DO NOTHING RETURNING id, ems_id, event_uid";
    let returned = bulk::insert_unknown(connection, "event_streams", "folded_events", &columns, tail)?;
    let places: HashMap<(i64, &str), usize> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| ((row.ems_id.0, row.event.event_uid.as_str()), index))
        .collect();
    let mut new = Vec::with_capacity(returned.len());
    for row in &returned {
        let place = places.get(&(row.id(1)?, row.text(2).unwrap_or_default()));
        let place = place.ok_or_else(|| VmdbError::Bug("an inserted event came back altered".to_owned()))?;
        new.push((*place, row.id(0)?));
    }
    new.sort_unstable();
    Ok(new)
}

/// The provider's own name, else the one of the row that was found.
fn name<'a>(row: &'a EventRow<'_>, relation: Relation, given: &'a Option<String>) -> Value<'a> {
    Value::Text(given.as_deref().or_else(|| row.relations.of(relation)?.name.as_deref()))
}

fn id(row: &EventRow<'_>, relation: Relation) -> Value<'static> {
    Value::Integer(row.relations.of(relation).map(|found| found.id))
}

type Cell = for<'a> fn(&'a EventRow<'a>) -> Value<'a>;

/// Columns without a value in any row are left out of the statement.
const COLUMNS: &[(&str, Cell)] = &[
    ("ems_id", |row| row.ems_id.0.into()),
    ("event_uid", |row| (&row.event.event_uid).into()),
    ("type", |_| "EmsEvent".into()),
    ("event_type", |row| (&row.event.event.event_type).into()),
    ("source", |row| (&row.event.event.source).into()),
    ("timestamp", |row| row.event.event.timestamp.into()),
    ("created_on", |row| row.created_on.into()),
    ("full_data", |row| row.event.event.full_data.text().into()),
    ("work_id", |row| row.work_id.into()),
    ("message", |row| (&row.event.event.message).into()),
    ("ems_ref", |row| (&row.event.event.ems_ref).into()),
    ("chain_id", |row| row.event.event.chain_id.into()),
    ("is_task", |row| row.event.event.is_task.into()),
    ("username", |row| (&row.event.event.username).into()),
    ("vm_ems_ref", |row| (&row.event.event.vm_ems_ref).into()),
    ("vm_or_template_id", |row| id(row, Relation::Vm)),
    ("vm_name", |row| name(row, Relation::Vm, &row.event.event.vm_name)),
    ("vm_location", |row| (&row.event.event.vm_location).into()),
    ("dest_vm_ems_ref", |row| (&row.event.event.dest_vm_ems_ref).into()),
    ("dest_vm_or_template_id", |row| id(row, Relation::DestVm)),
    ("dest_vm_name", |row| name(row, Relation::DestVm, &row.event.event.dest_vm_name)),
    ("dest_vm_location", |row| (&row.event.event.dest_vm_location).into()),
    ("host_id", |row| id(row, Relation::Host)),
    ("host_name", |row| name(row, Relation::Host, &row.event.event.host_name)),
    ("dest_host_id", |row| id(row, Relation::DestHost)),
    ("dest_host_name", |row| name(row, Relation::DestHost, &row.event.event.dest_host_name)),
    ("availability_zone_id", |row| row.relations.availability_zone_id().into()),
    ("ems_cluster_id", |row| id(row, Relation::EmsCluster)),
    ("ems_cluster_name", |row| name(row, Relation::EmsCluster, &row.event.event.ems_cluster_name)),
    ("ems_cluster_uid", |row| (&row.event.event.ems_cluster_uid).into()),
    ("container_node_id", |row| id(row, Relation::ContainerNode)),
    ("container_node_name", |row| name(row, Relation::ContainerNode, &row.event.event.container_node_name)),
    ("container_group_id", |row| id(row, Relation::ContainerGroup)),
    ("container_group_name", |row| {
        name(row, Relation::ContainerGroup, &row.event.event.container_group_name)
    }),
    ("container_replicator_id", |row| id(row, Relation::ContainerReplicator)),
    ("container_replicator_name", |row| {
        name(row, Relation::ContainerReplicator, &row.event.event.container_replicator_name)
    }),
    ("container_name", |row| (&row.event.event.container_name).into()),
    ("container_namespace", |row| (&row.event.event.container_namespace).into()),
    ("physical_storage_id", |row| id(row, Relation::PhysicalStorage)),
    ("physical_storage_name", |row| {
        name(row, Relation::PhysicalStorage, &row.event.event.physical_storage_name)
    }),
];
