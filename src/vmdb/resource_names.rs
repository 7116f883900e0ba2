//! Rows of inventory by what people call them.

use super::resource::ResourceKind;
use super::{Connection, Value, VmdbError};

/// More rows of one name are not told.
const MOST: i64 = 20;

/// Ids of the VMs, hosts or clusters of this name; else of this `ems_ref`; else the one of this id. Those that are archived count,
/// too: their events are still there.
///
/// # Errors
/// See [`VmdbError`].
pub fn find(connection: &mut Connection, kind: ResourceKind, called: &str) -> Result<Vec<i64>, VmdbError> {
    let table = match kind {
        ResourceKind::Vm => "vms",
        ResourceKind::Host => "hosts",
        ResourceKind::Cluster => "ems_clusters",
        ResourceKind::Ems => "ext_management_systems",
    };
    let mut ids = |column: &str, value: Value<'_>| {
        let sql = format!("SELECT id FROM {table} WHERE {column} = ? ORDER BY id LIMIT ?");
        connection
            .rows(&sql, &[value, MOST.into()])?
            .iter()
            .map(|row| row.id(0))
            .collect::<Result<Vec<_>, _>>()
    };
    let mut found = ids("name", called.into())?;
    if found.is_empty() && kind != ResourceKind::Ems {
        found = ids("ems_ref", called.into())?;
    }
    match called.parse::<i64>() {
        Ok(id) if found.is_empty() => ids("id", id.into()),
        _ => Ok(found),
    }
}
