//! The references by which an event is related to inventory: where each is in the event, which table it points into, and
//! which columns of `event_streams` say what was found.

use crate::provider::EmsEvent;

/// One of the things that an event may be about. Its number is its place in [`RELATIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Vm,
    DestVm,
    Host,
    DestHost,
    AvailabilityZone,
    EmsCluster,
    ContainerNode,
    ContainerGroup,
    ContainerReplicator,
    PhysicalStorage,
}

/// A reference of an event, when the provider sent it.
pub(super) type Reference = fn(&EmsEvent) -> Option<&str>;

/// How a [`Relation`] is kept.
pub(super) struct RelationColumns {
    pub(super) relation: Relation,
    /// In `event_links`.
    pub(super) name: &'static str,
    /// The table of inventory.
    pub(super) table: &'static str,
    /// The column that the id goes into.
    pub(super) id: &'static str,
    /// The column that the name goes into, unless the provider sent one.
    pub(super) named: Option<&'static str>,
    pub(super) ems_ref: Reference,
    /// Tried second, where ManageIQ does.
    pub(super) uid_ems: Option<Reference>,
    /// The column of `event_streams` that keeps `ems_ref`. What waits for inventory is found by it; other references are
    /// kept in `event_links` until then.
    pub(super) kept: Option<&'static str>,
}

/// How many relations there are.
pub(super) const COUNT: usize = 10;

/// All of them, in the order of their numbers.
pub(super) const RELATIONS: [RelationColumns; COUNT] = [
    RelationColumns {
        uid_ems: Some(|event| event.vm_uid_ems.as_deref()),
        kept: Some("vm_ems_ref"),
        ..plain(Relation::Vm, "vms", ["vm", "vm_or_template_id", "vm_name"], |event| {
            event.vm_ems_ref.as_deref()
        })
    },
    RelationColumns {
        kept: Some("dest_vm_ems_ref"),
        ..plain(Relation::DestVm, "vms", ["dest_vm", "dest_vm_or_template_id", "dest_vm_name"], |event| {
            event.dest_vm_ems_ref.as_deref()
        })
    },
    RelationColumns {
        uid_ems: Some(|event| event.host_uid_ems.as_deref()),
        ..plain(Relation::Host, "hosts", ["host", "host_id", "host_name"], |event| {
            event.host_ems_ref.as_deref()
        })
    },
    plain(Relation::DestHost, "hosts", ["dest_host", "dest_host_id", "dest_host_name"], |event| {
        event.dest_host_ems_ref.as_deref()
    }),
    RelationColumns {
        named: None,
        ..plain(
            Relation::AvailabilityZone,
            "availability_zones",
            ["availability_zone", "availability_zone_id", ""],
            |event| event.availability_zone_ems_ref.as_deref(),
        )
    },
    plain(
        Relation::EmsCluster,
        "ems_clusters",
        ["ems_cluster", "ems_cluster_id", "ems_cluster_name"],
        |event| event.ems_cluster_ems_ref.as_deref(),
    ),
    plain(
        Relation::ContainerNode,
        "container_nodes",
        ["container_node", "container_node_id", "container_node_name"],
        |event| event.container_node_ems_ref.as_deref(),
    ),
    plain(
        Relation::ContainerGroup,
        "container_groups",
        ["container_group", "container_group_id", "container_group_name"],
        |event| event.container_group_ems_ref.as_deref(),
    ),
    plain(
        Relation::ContainerReplicator,
        "container_replicators",
        ["container_replicator", "container_replicator_id", "container_replicator_name"],
        |event| event.container_replicator_ems_ref.as_deref(),
    ),
    plain(
        Relation::PhysicalStorage,
        "physical_storages",
        ["physical_storage", "physical_storage_id", "physical_storage_name"],
        |event| event.physical_storage_ems_ref.as_deref(),
    ),
];

/// `[name, id, named]`.
const fn plain(
    relation: Relation,
    table: &'static str,
    [name, id, named]: [&'static str; 3],
    ems_ref: Reference,
) -> RelationColumns {
    RelationColumns { relation, name, table, id, named: Some(named), ems_ref, uid_ems: None, kept: None }
}

/// The relations that point into this table; none for most.
pub(super) fn into_table(table: &str) -> impl Iterator<Item = &'static RelationColumns> {
    RELATIONS.iter().filter(move |columns| columns.table == table)
}

/// Whether rows of the table have a `uid_ems` by which events are related to them.
pub(super) fn has_uid(table: &str) -> bool {
    into_table(table).any(|columns| columns.uid_ems.is_some())
}

#[cfg(test)]
mod tests {
    use super::RELATIONS;

    #[test]
    fn each_relation_stands_at_its_number() {
        for (place, columns) in RELATIONS.iter().enumerate() {
            assert_eq!(columns.relation as usize, place, "{}", columns.name);
        }
    }
}
