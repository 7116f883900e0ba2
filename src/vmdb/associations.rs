//! The associations of an EMS that are kept: which table, what becomes of rows that the provider no longer has, and which
//! columns of other rows refer to them.

use super::VmdbError;

/// Where an association's rows are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) name: &'static str,
    pub(super) table: &'static str,
    /// `vms.template`, which tells two associations of one table apart.
    pub(super) template: Option<bool>,
    /// What becomes of rows that are gone.
    pub(super) gone: Gone,
    /// The column that says when a row was made.
    pub(super) created: Option<&'static str>,
    /// The column that says when a row was last changed.
    pub(super) updated: Option<&'static str>,
    /// Whether there is a `guid`, which we make.
    pub(super) guid: bool,
    /// Columns that a row gives up when it is archived: it is no longer anywhere. The rest stays as it was last seen.
    pub(super) gives_up: &'static [&'static str],
}

/// What becomes of a row that the provider no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// It is deleted.
    Deleted,
    /// It is kept without its EMS, which moves to `archived_ems_id`.
    WithoutEms,
    /// It is kept with its EMS, and `deleted_on` says since when.
    Dated,
}

const fn plain(name: &'static str) -> Association {
    Association {
        name,
        table: name,
        template: None,
        gone: Gone::Deleted,
        created: None,
        updated: None,
        guid: false,
        gives_up: &[],
    }
}

const fn stamped(name: &'static str) -> Association {
    Association { created: Some("created_on"), updated: Some("updated_on"), ..plain(name) }
}

const fn dated(name: &'static str) -> Association {
    Association { created: Some("created_at"), updated: Some("updated_at"), ..plain(name) }
}

const fn container(name: &'static str, gone: Gone) -> Association {
    Association { gone, created: Some("created_on"), ..plain(name) }
}

const fn vms(name: &'static str, template: bool) -> Association {
    Association {
        table: "vms",
        template: Some(template),
        gone: Gone::WithoutEms,
        guid: true,
        gives_up: &["host_id", "ems_cluster_id"],
        ..stamped(name)
    }
}

const ASSOCIATIONS: [Association; 24] = [
    plain("availability_zones"),
    plain("flavors"),
    stamped("ems_clusters"),
    Association { gone: Gone::WithoutEms, guid: true, gives_up: &["ems_cluster_id"], ..stamped("hosts") },
    vms("vms", false),
    vms("miq_templates", true),
    stamped("snapshots"),
    container("container_projects", Gone::Dated),
    container("container_nodes", Gone::Dated),
    Association { gives_up: &["container_replicator_id"], ..container("container_groups", Gone::Dated) },
    container("container_replicators", Gone::Deleted),
    dated("physical_storages"),
    dated("cloud_tenants"),
    plain("host_aggregates"),
    plain("key_pairs"),
    plain("cloud_networks"),
    plain("cloud_subnets"),
    plain("network_routers"),
    plain("network_ports"),
    plain("floating_ips"),
    plain("security_groups"),
    plain("cloud_volumes"),
    plain("cloud_volume_snapshots"),
    dated("orchestration_stacks"),
];

/// `(table, column, table that it refers to)`: what becomes NULL in rows that stay when the other row goes.
///
/// Events keep their references, which are history; a snapshot keeps its VM, which is archived at most.
const REFERENCES: [(&str, &str, &str); 34] = [
    ("vms", "host_id", "hosts"),
    ("vms", "ems_cluster_id", "ems_clusters"),
    ("vms", "flavor_id", "flavors"),
    ("vms", "availability_zone_id", "availability_zones"),
    ("hosts", "ems_cluster_id", "ems_clusters"),
    ("hosts", "availability_zone_id", "availability_zones"),
    ("snapshots", "parent_id", "snapshots"),
    ("container_groups", "container_node_id", "container_nodes"),
    ("container_groups", "container_project_id", "container_projects"),
    ("container_groups", "container_replicator_id", "container_replicators"),
    ("container_replicators", "container_project_id", "container_projects"),
    ("vms", "cloud_tenant_id", "cloud_tenants"),
    ("cloud_tenants", "parent_id", "cloud_tenants"),
    ("cloud_networks", "cloud_tenant_id", "cloud_tenants"),
    ("cloud_subnets", "cloud_network_id", "cloud_networks"),
    ("cloud_subnets", "cloud_tenant_id", "cloud_tenants"),
    ("network_routers", "cloud_network_id", "cloud_networks"),
    ("network_routers", "cloud_tenant_id", "cloud_tenants"),
    ("network_ports", "device_id", "vms"),
    ("network_ports", "cloud_network_id", "cloud_networks"),
    ("network_ports", "cloud_subnet_id", "cloud_subnets"),
    ("network_ports", "cloud_tenant_id", "cloud_tenants"),
    ("floating_ips", "vm_id", "vms"),
    ("floating_ips", "network_port_id", "network_ports"),
    ("floating_ips", "cloud_network_id", "cloud_networks"),
    ("floating_ips", "cloud_tenant_id", "cloud_tenants"),
    ("security_groups", "cloud_tenant_id", "cloud_tenants"),
    ("cloud_volumes", "availability_zone_id", "availability_zones"),
    ("cloud_volumes", "cloud_volume_snapshot_id", "cloud_volume_snapshots"),
    ("cloud_volumes", "cloud_tenant_id", "cloud_tenants"),
    ("cloud_volume_snapshots", "cloud_volume_id", "cloud_volumes"),
    ("cloud_volume_snapshots", "cloud_tenant_id", "cloud_tenants"),
    ("orchestration_stacks", "parent_id", "orchestration_stacks"),
    ("orchestration_stacks", "cloud_tenant_id", "cloud_tenants"),
];

/// The association called `name`.
///
/// # Errors
/// [`VmdbError::Data`] when the VMDB does not keep it.
pub(super) fn find(name: &str) -> Result<&'static Association, VmdbError> {
    ASSOCIATIONS.iter().find(|association| association.name == name).ok_or_else(|| {
        let kept = ASSOCIATIONS.map(|association| association.name).join(", ");
        VmdbError::Data(format!("there is no association {name:?}; the provider's collector may fill {kept}"))
    })
}

/// The names of those that are kept, as targets name them.
pub fn names() -> Vec<&'static str> {
    ASSOCIATIONS.iter().map(|association| association.name).collect()
}

impl Association {
    /// The condition on rows of an EMS (one `?`) that the provider has, and of this association alone.
    pub(super) fn of_ems(&self) -> &'static str {
        match (self.template, self.gone) {
            (Some(true), _) => "ems_id = ? AND template",
            // Rows of others may hold NULL.
            (Some(false), _) => "ems_id = ? AND template IS NOT TRUE",
            (None, Gone::Dated) => "ems_id = ? AND deleted_on IS NULL",
            (None, Gone::Deleted | Gone::WithoutEms) => "ems_id = ?",
        }
    }

    /// Whether a row is archived, as SQL.
    pub(super) fn is_archived(&self) -> &'static str {
        match self.gone {
            Gone::Deleted => "FALSE",
            Gone::WithoutEms => "ems_id IS NULL",
            Gone::Dated => "deleted_on IS NOT NULL",
        }
    }

    /// Whether it has a power state, whose changes are dated.
    pub(super) fn has_power_state(&self) -> bool {
        self.table == "vms"
    }

    /// `(table, column)` of what refers to its rows.
    pub(super) fn referred_by(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let parent = self.table;
        REFERENCES
            .into_iter()
            .filter(move |(_, _, to)| *to == parent)
            .map(|(table, column, _)| (table, column))
    }

    /// The column of `table` that is dated when a row of it changes.
    pub(super) fn updated_of(table: &str) -> Option<&'static str> {
        ASSOCIATIONS.iter().find(|association| association.table == table)?.updated
    }
}
