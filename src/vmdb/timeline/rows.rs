//! Rows of `event_streams` as people read them: with the resources that each names, and the refresh that it caused.

use super::refresh;
use super::{EventResource, Position, TimelineEvent};
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::{Connection, Fields, Value, VmdbError};
use std::collections::BTreeMap;

const COLUMNS: &str = "e.id, e.timestamp, e.created_on, e.ems_id, e.event_type, e.message, e.work_id, \
                       e.vm_or_template_id, e.vm_name, e.dest_vm_or_template_id, e.dest_vm_name, \
                       e.host_id, e.host_name, e.dest_host_id, e.dest_host_name, \
                       e.ems_cluster_id, e.ems_cluster_name, e.dest_ems_cluster_id, e.dest_ems_cluster_name, e.folded_count, e.chain_id";

/// The events with these ids that are still there, newest first.
pub(super) fn read(connection: &mut Connection, ids: Vec<i64>) -> Result<Vec<TimelineEvent>, VmdbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {COLUMNS} FROM event_streams e WHERE e.id ? AND e.timestamp IS NOT NULL");
    let rows = connection.rows(&sql, &[Value::Integers(ids)])?;
    let mut events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
    events.sort_unstable_by_key(|event| std::cmp::Reverse(event.position));
    name_resources(connection, &mut events)?;
    refresh::relate(connection, &mut events)?;
    Ok(events)
}

fn event(row: &Fields) -> Result<TimelineEvent, VmdbError> {
    let timestamp = row.time(1).ok_or_else(|| VmdbError::Bug("an event without a timestamp".to_owned()))?;
    let resource = |kind, at: usize, destination| {
        let (id, name) = (row.integer(at), row.string(at + 1));
        (id.is_some() || name.is_some()).then_some(EventResource { kind, id, name, destination })
    };
    let resources = [
        resource(ResourceKind::Vm, 7, false),
        resource(ResourceKind::Vm, 9, true),
        resource(ResourceKind::Host, 11, false),
        resource(ResourceKind::Host, 13, true),
        resource(ResourceKind::Cluster, 15, false),
        resource(ResourceKind::Cluster, 17, true),
    ];
    Ok(TimelineEvent {
        position: Position { timestamp, id: row.id(0)? },
        created_on: row.time(2),
        ems_id: row.integer(3),
        event_type: row.string(4).unwrap_or_default(),
        message: row.string(5),
        work_id: row.integer(6),
        resources: resources.into_iter().flatten().collect(),
        refresh: None,
        chain_id: row.integer(20),
        folded: row.integer(19).unwrap_or_default(),
    })
}

/// An event often knows only the key of what it names: the row tells the name.
fn name_resources(connection: &mut Connection, events: &mut [TimelineEvent]) -> Result<(), VmdbError> {
    for (kind, sql) in [
        (ResourceKind::Vm, "SELECT id, name FROM vms WHERE id ?"),
        (ResourceKind::Host, "SELECT id, name FROM hosts WHERE id ?"),
        (ResourceKind::Cluster, "SELECT id, name FROM ems_clusters WHERE id ?"),
    ] {
        let unnamed = |resource: &&mut EventResource| resource.kind == kind && resource.name.is_none();
        let all = events.iter_mut().flat_map(|event| &mut event.resources);
        let mut resources: Vec<_> = all.filter(unnamed).collect();
        let ids: Vec<i64> = resources.iter().filter_map(|resource| resource.id).collect();
        if ids.is_empty() {
            continue;
        }
        let rows = connection.rows(sql, &[Value::Integers(ids)])?;
        let names: BTreeMap<i64, String> =
            rows.iter().filter_map(|row| Some((row.integer(0)?, row.string(1)?))).collect();
        for resource in &mut resources {
            resource.name = resource.id.and_then(|id| names.get(&id).cloned());
        }
    }
    Ok(())
}
