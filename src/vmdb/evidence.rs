//! What a proof reads: identities of stored events, answered work, what waits, and inventory as texts. Looks at every row.
//!
//! It compares nothing; that is the judge's, who knows what the cloud says.

use super::{Connection, Field, Fields, VmdbError};
use std::collections::BTreeMap;

/// What identifies a stored event, and its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdentity {
    /// The provider's own id, as it stands in the event.
    pub ems_ref: Option<String>,
    /// What decides about duplicates.
    pub event_uid: String,
    /// Its type.
    pub event_type: String,
    /// Joins `ems_refreshes`.
    pub work_id: Option<i64>,
}

/// A thing of inventory that is not archived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredThing {
    /// `vm`, `template`, `host`, `flavor`
    pub kind: String,
    /// The provider's id.
    pub ems_ref: String,
    /// The columns that have a value, as text: times as [`TIMES`] says, booleans as `true` and `false`, references as the
    /// other's `ems_ref`.
    pub columns: BTreeMap<&'static str, String>,
}

/// How times are told.
pub const TIMES: &str = "%Y-%m-%d %H:%M:%S%.6f";

/// All rows of `event_streams` of all EMSs.
///
/// # Errors
/// See [`VmdbError`].
pub fn events(connection: &mut Connection) -> Result<Vec<StoredIdentity>, VmdbError> {
    let sql = "SELECT ems_ref, event_uid, event_type, work_id FROM event_streams WHERE ems_id IS NOT NULL";
    let identity = |row: &Fields| StoredIdentity {
        ems_ref: row.string(0),
        event_uid: row.string(1).unwrap_or_default(),
        event_type: row.string(2).unwrap_or_default(),
        work_id: row.integer(3),
    };
    Ok(connection.rows(sql, &[])?.iter().map(identity).collect())
}

/// All rows of `folded_events`, each with the type of the row that took it, which is empty where that row is not there.
///
/// # Errors
/// See [`VmdbError`].
pub fn folded(connection: &mut Connection) -> Result<Vec<StoredIdentity>, VmdbError> {
    let sql = "SELECT f.event_uid, e.event_type, f.work_id FROM folded_events f LEFT JOIN event_streams e ON e.id = f.event_id";
    let identity = |row: &Fields| StoredIdentity {
        ems_ref: None,
        event_uid: row.string(0).unwrap_or_default(),
        event_type: row.string(1).unwrap_or_default(),
        work_id: row.integer(2),
    };
    Ok(connection.rows(sql, &[])?.iter().map(identity).collect())
}

/// How many repeats the rows of `event_streams` say were folded into them.
///
/// # Errors
/// See [`VmdbError`].
pub fn folded_count(connection: &mut Connection) -> Result<i64, VmdbError> {
    let sql = "SELECT COALESCE(CAST(sum(folded_count) AS bigint), 0) FROM event_streams";
    connection.rows(sql, &[])?.first().map_or(Ok(0), |row| row.id(0))
}

/// The work that a refresh answered without an error.
///
/// # Errors
/// See [`VmdbError`].
pub fn answered_work(connection: &mut Connection) -> Result<Vec<i64>, VmdbError> {
    let sql = "SELECT DISTINCT work_id FROM ems_refreshes WHERE error IS NULL AND work_id IS NOT NULL";
    Ok(connection.rows(sql, &[])?.iter().filter_map(|row| row.integer(0)).collect())
}

/// How many rows of `miq_queue` are in each state.
///
/// # Errors
/// See [`VmdbError`].
pub fn waiting(connection: &mut Connection) -> Result<BTreeMap<String, i64>, VmdbError> {
    let rows = connection.rows("SELECT state, count(*) FROM miq_queue GROUP BY state", &[])?;
    rows.iter().map(|row| Ok((row.string(0).unwrap_or_default(), row.id(1)?))).collect()
}

/// Whether any stream has a place from which it goes on.
///
/// # Errors
/// See [`VmdbError`].
pub fn has_cursor(connection: &mut Connection) -> Result<bool, VmdbError> {
    Ok(!connection.rows("SELECT ems_id FROM ems_cursors LIMIT 1", &[])?.is_empty())
}

/// The first column is the kind, the second the reference; `ems_id` is NULL for what is archived.
const INVENTORY: &[(&str, &[&str])] = &[
    (
        "SELECT CASE WHEN v.template THEN 'template' ELSE 'vm' END, v.ems_ref, v.uid_ems, v.name, v.type, v.vendor, \
         v.raw_power_state, v.power_state, h.ems_ref, f.ems_ref, v.ems_created_on \
         FROM vms v LEFT JOIN hosts h ON h.id = v.host_id LEFT JOIN flavors f ON f.id = v.flavor_id \
         WHERE v.ems_id IS NOT NULL",
        &[
            "uid_ems",
            "name",
            "type",
            "vendor",
            "raw_power_state",
            "power_state",
            "host",
            "flavor",
            "ems_created_on",
        ],
    ),
    (
        "SELECT 'host', ems_ref, uid_ems, name, type, raw_power_state, power_state, \
         CASE WHEN maintenance THEN 'true' ELSE 'false' END FROM hosts WHERE ems_id IS NOT NULL",
        &["uid_ems", "name", "type", "raw_power_state", "power_state", "maintenance"],
    ),
    (
        "SELECT 'flavor', ems_ref, name, type, cpu_total_cores, memory, root_disk_size FROM flavors WHERE ems_id IS NOT NULL",
        &["name", "type", "cpu_total_cores", "memory", "root_disk_size"],
    ),
];

/// All VMs, templates, hosts and flavors that are not archived.
///
/// # Errors
/// See [`VmdbError`].
pub fn inventory(connection: &mut Connection) -> Result<Vec<StoredThing>, VmdbError> {
    let mut found = Vec::new();
    for (sql, columns) in INVENTORY {
        for row in connection.rows(sql, &[])? {
            let value = |(at, column): (usize, &&'static str)| Some((*column, text(&row, at + 2, column)?));
            found.push(StoredThing {
                kind: row.string(0).unwrap_or_default(),
                ems_ref: row.string(1).unwrap_or_default(),
                columns: columns.iter().enumerate().filter_map(value).collect(),
            });
        }
    }
    Ok(found)
}

/// SQLite keeps times as text, with as many digits as they need.
fn text(row: &Fields, at: usize, column: &str) -> Option<String> {
    if column.ends_with("_on") {
        return row.time(at).map(|time| time.format(TIMES).to_string());
    }
    match row.get(at) {
        Field::Integer(number) => Some(number.to_string()),
        Field::Boolean(boolean) => Some(boolean.to_string()),
        Field::Text(text) => Some(text.clone()),
        Field::Null | Field::Time(_) | Field::Double(_) => None,
    }
}
