//! Finds resources that have a page by what people call them: their name, or the key that their provider gave them.

use super::resource::ResourceKind;
use super::{Connection, Fields, VmdbError};

/// More are not told: whoever gets so many asks more exactly.
pub const MOST: usize = 50;

/// A resource that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its row.
    pub id: i64,
    /// Its name, else its key.
    pub name: String,
    /// Its EMS's name; the last one's, when it is archived.
    pub ems: Option<String>,
}

/// Those whose name or key is `text`; when there are none, those whose name holds it, upper and lower case alike. At most
/// [`MOST`], by kind and name.
///
/// # Errors
/// See [`VmdbError`].
pub fn find_named(connection: &mut Connection, text: &str) -> Result<Vec<FoundResource>, VmdbError> {
    let exact = "t.name = ? OR t.ems_ref = ? OR t.uid_ems = ?";
    let found = search(connection, exact, text)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let holds = "lower(t.name) LIKE ? ESCAPE '\\' OR lower(t.ems_ref) LIKE ? ESCAPE '\\' OR lower(t.uid_ems) LIKE ? ESCAPE '\\'";
    search(connection, holds, &format!("%{escaped}%"))
}

/// (kind, table, whose it is)
const TABLES: [(ResourceKind, &str, &str); 3] = [
    (ResourceKind::Vm, "vms", "coalesce(t.ems_id, t.archived_ems_id)"),
    (ResourceKind::Host, "hosts", "coalesce(t.ems_id, t.archived_ems_id)"),
    (ResourceKind::Cluster, "ems_clusters", "t.ems_id"),
];

fn search(connection: &mut Connection, condition: &str, text: &str) -> Result<Vec<FoundResource>, VmdbError> {
    let mut all = Vec::new();
    for (kind, table, ems_id) in TABLES {
        let sql = format!(
            "SELECT t.id, t.name, t.ems_ref, m.name FROM {table} t \
             LEFT JOIN ext_management_systems m ON m.id = {ems_id} \
             WHERE {condition} ORDER BY t.name, t.id LIMIT ?"
        );
        let limit = (MOST - all.len()) as i64;
        let rows = connection.rows(&sql, &[text.into(), text.into(), text.into(), limit.into()])?;
        let found = |row: &Fields| {
            let id = row.integer(0)?;
            let name = row.string(1).or_else(|| row.string(2)).unwrap_or_else(|| id.to_string());
            Some(FoundResource { kind, id, name, ems: row.string(3) })
        };
        all.extend(rows.iter().filter_map(found));
    }
    Ok(all)
}
