//! Reads one resource for people: a VM, a host, a cluster or an EMS, with the facts that a page shows of it.

use super::{Connection, Value, VmdbError};
use chrono::{DateTime, Utc};

/// What has a page of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A row of `vms`: a VM or a template.
    Vm,
    /// A row of `hosts`.
    Host,
    /// A row of `ems_clusters`.
    Cluster,
    /// A row of `ext_management_systems`.
    Ems,
}

impl ResourceKind {
    /// What people call it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Vm => "VM",
            Self::Host => "host",
            Self::Cluster => "cluster",
            Self::Ems => "EMS",
        }
    }
}

/// A resource with its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name, else its key.
    pub name: String,
    /// What people read, in order: ("Power state", "on").
    pub facts: Vec<(&'static str, Fact)>,
}

/// What is known of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// As the provider or the settings say it.
    Text(String),
    /// A point in time.
    Time(DateTime<Utc>),
    /// Another resource that has a page.
    Link(ResourceKind, i64, String),
}

/// The resource, when there is one.
///
/// # Errors
/// See [`VmdbError`].
pub fn find(connection: &mut Connection, kind: ResourceKind, id: i64) -> Result<Option<Resource>, VmdbError> {
    let facts = match kind {
        ResourceKind::Vm => VM,
        ResourceKind::Host => HOST,
        ResourceKind::Cluster => CLUSTER,
        ResourceKind::Ems => EMS,
    };
    let rows = connection.rows(facts.sql, &[Value::from(id)])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let found = facts.columns.iter().enumerate().filter_map(|(index, (label, shape))| {
        let fact = match shape {
            Shape::Text => Fact::Text(row.string(index).filter(|text| !text.is_empty())?),
            Shape::YesNo => Fact::Text(if row.boolean(index)? { "yes" } else { "no" }.to_owned()),
            Shape::Time => Fact::Time(row.time(index)?),
            Shape::Link(kind, id) => {
                let id = row.integer(*id)?;
                Fact::Link(*kind, id, row.string(index).unwrap_or_else(|| id.to_string()))
            }
        };
        Some((*label, fact))
    });
    let name = row.string(0).or_else(|| row.string(1)).unwrap_or_else(|| id.to_string());
    Ok(Some(Resource { name, facts: found.collect() }))
}

/// The SELECT of a kind of resource; its first columns are what is shown.
struct Facts {
    sql: &'static str,
    columns: &'static [(&'static str, Shape)],
}

/// What a column holds; a link names the column with its row's id.
enum Shape {
    Text,
    YesNo,
    Time,
    Link(ResourceKind, usize),
}

/// Inventory without an EMS is archived; `archived_ems_id` says who had it last.
const VM: Facts = Facts {
    sql: "SELECT v.name, v.ems_ref, m.name, v.power_state, v.template, h.name, c.name, f.name, a.name, v.uid_ems, v.vendor, \
          v.ems_created_on, CASE WHEN v.ems_id IS NULL THEN 'yes' ELSE 'no' END, v.updated_on, m.id, h.id, c.id \
          FROM vms v LEFT JOIN ext_management_systems m ON m.id = coalesce(v.ems_id, v.archived_ems_id) LEFT JOIN hosts h ON h.id = v.host_id \
          LEFT JOIN ems_clusters c ON c.id = v.ems_cluster_id LEFT JOIN flavors f ON f.id = v.flavor_id LEFT JOIN availability_zones a ON a.id = v.availability_zone_id \
          WHERE v.id = ?",
    columns: &[
        ("Name", Shape::Text),
        ("EMS reference", Shape::Text),
        ("EMS", Shape::Link(ResourceKind::Ems, 14)),
        ("Power state", Shape::Text),
        ("Template", Shape::YesNo),
        ("Host", Shape::Link(ResourceKind::Host, 15)),
        ("Cluster", Shape::Link(ResourceKind::Cluster, 16)),
        ("Flavor", Shape::Text),
        ("Availability zone", Shape::Text),
        ("UID", Shape::Text),
        ("Vendor", Shape::Text),
        ("Created at the provider", Shape::Time),
        ("Archived", Shape::Text),
        ("Last changed", Shape::Time),
    ],
};

const HOST: Facts = Facts {
    sql: "SELECT h.name, h.ems_ref, m.name, c.name, h.power_state, h.hostname, h.ipaddress, h.vmm_product, h.maintenance, \
          CASE WHEN h.ems_id IS NULL THEN 'yes' ELSE 'no' END, h.updated_on, m.id, c.id \
          FROM hosts h LEFT JOIN ext_management_systems m ON m.id = coalesce(h.ems_id, h.archived_ems_id) \
          LEFT JOIN ems_clusters c ON c.id = h.ems_cluster_id WHERE h.id = ?",
    columns: &[
        ("Name", Shape::Text),
        ("EMS reference", Shape::Text),
        ("EMS", Shape::Link(ResourceKind::Ems, 11)),
        ("Cluster", Shape::Link(ResourceKind::Cluster, 12)),
        ("Power state", Shape::Text),
        ("Host name", Shape::Text),
        ("IP address", Shape::Text),
        ("Hypervisor", Shape::Text),
        ("In maintenance", Shape::YesNo),
        ("Archived", Shape::Text),
        ("Last changed", Shape::Time),
    ],
};

const CLUSTER: Facts = Facts {
    sql: "SELECT c.name, c.ems_ref, m.name, c.ha_enabled, c.drs_enabled, c.drs_automation_level, c.uid_ems, \
          CASE WHEN c.ems_id IS NULL THEN 'yes' ELSE 'no' END, c.updated_on, m.id \
          FROM ems_clusters c LEFT JOIN ext_management_systems m ON m.id = c.ems_id WHERE c.id = ?",
    columns: &[
        ("Name", Shape::Text),
        ("EMS reference", Shape::Text),
        ("EMS", Shape::Link(ResourceKind::Ems, 9)),
        ("High availability", Shape::YesNo),
        ("Resource scheduling", Shape::YesNo),
        ("Scheduling automation", Shape::Text),
        ("UID", Shape::Text),
        ("Archived", Shape::Text),
        ("Last changed", Shape::Time),
    ],
};

const EMS: Facts = Facts {
    sql: "SELECT m.name, m.type, m.provider_region, z.name, m.enabled, m.last_refresh_success_date, \
          m.last_refresh_error, m.last_inventory_date, m.created_on \
          FROM ext_management_systems m LEFT JOIN zones z ON z.id = m.zone_id WHERE m.id = ?",
    columns: &[
        ("Name", Shape::Text),
        ("Type", Shape::Text),
        ("Region", Shape::Text),
        ("Zone", Shape::Text),
        ("Enabled", Shape::YesNo),
        ("Last refresh without error", Shape::Time),
        ("Last refresh error", Shape::Text),
        ("Inventory as of", Shape::Time),
        ("Known since", Shape::Time),
    ],
};
