//! What rules look at: stored events with their EMS, VM and host, as columns with values. Reads only.

use super::statement::{Fields, Value};
use super::{Connection, VmdbError};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// Column → value; columns without one are left out.
pub type Section = Map<String, Json>;

/// Which columns are read; names of the program's own, never of a user's.
#[derive(Clone, Copy, Debug)]
pub struct FactColumns {
    /// Of `event_streams`.
    pub event: &'static [&'static str],
    /// Of `vms`.
    pub vm: &'static [&'static str],
    /// Of `hosts`.
    pub host: &'static [&'static str],
}

/// A stored event with what it is related to.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFacts {
    /// `event_streams.id`
    pub id: i64,
    /// Of its EMS; of a policy event, the EMS from whose event it came.
    pub ems_id: Option<i64>,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// When it was stored.
    pub created_on: DateTime<Utc>,
    /// `event_type`
    pub event_type: String,
    /// `source`
    pub source: String,
    /// Columns of the event.
    pub event: Section,
    /// The native event.
    pub full_data: String,
    /// Its EMS.
    pub ems: Section,
    /// Empty when it is related to none, as below.
    pub vm: Section,
    /// The host.
    pub host: Section,
    /// Where a VM moves or is copied to.
    pub dest_vm: Section,
    /// Where a VM moves to.
    pub dest_host: Section,
}

const BOOLEANS: [&str; 5] = ["is_task", "enabled", "template", "retired", "maintenance"];
const EMS: &[&str] = &["id", "name", "type", "provider_region", "enabled"];
const FIXED: &str = "e.id, COALESCE(e.ems_id, e.generating_ems_id), e.timestamp, e.created_on, e.event_type, e.source, \
                     e.full_data, e.vm_or_template_id, e.host_id, e.dest_vm_or_template_id, e.dest_host_id, \
                     e.target_type, e.target_id";
const COUNT_OF_FIXED: usize = 13;

/// The event of this id, when it is there.
///
/// # Errors
/// See [`VmdbError`].
pub fn of_event(
    connection: &mut Connection,
    id: i64,
    columns: FactColumns,
) -> Result<Option<StoredFacts>, VmdbError> {
    let rows = events(connection, "e.id = ?", &[id.into()], columns)?;
    Ok(relate(connection, rows, columns)?.pop())
}

/// The id before the first event that is not older than `since`; `None`: there is no such event.
///
/// # Errors
/// See [`VmdbError`].
pub fn start_of(connection: &mut Connection, since: DateTime<Utc>) -> Result<Option<i64>, VmdbError> {
    let sql = "SELECT MIN(id) FROM event_streams WHERE timestamp >= ?";
    Ok(connection.rows(sql, &[since.into()])?.first().and_then(|row| row.integer(0)).map(|first| first - 1))
}

/// The next events behind `after` (an id) that are not older than `since`, in the order in which they were stored.
///
/// # Errors
/// See [`VmdbError`].
pub fn page(
    connection: &mut Connection,
    after: i64,
    since: DateTime<Utc>,
    limit: i64,
    columns: FactColumns,
) -> Result<Vec<StoredFacts>, VmdbError> {
    let tail = "e.id > ? AND e.timestamp >= ? ORDER BY e.id LIMIT ?";
    let rows = events(connection, tail, &[after.into(), since.into(), limit.into()], columns)?;
    relate(connection, rows, columns)
}

fn events(
    connection: &mut Connection,
    tail: &str,
    values: &[Value<'_>],
    columns: FactColumns,
) -> Result<Vec<Fields>, VmdbError> {
    let names: Vec<String> = columns.event.iter().map(|name| format!("e.{name}")).collect();
    let sql = format!("SELECT {FIXED}, {} FROM event_streams e WHERE {tail}", names.join(", "));
    connection.rows(&sql, values)
}

/// Four look-ups for all of them, not for each.
fn relate(
    connection: &mut Connection,
    rows: Vec<Fields>,
    columns: FactColumns,
) -> Result<Vec<StoredFacts>, VmdbError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let of = |row: &Fields, column: usize, class: &str| {
        row.integer(column).or_else(|| row.integer(12).filter(|_| row.text(11) == Some(class)))
    };
    let ids = |find: &dyn Fn(&Fields) -> [Option<i64>; 2]| {
        let mut ids: Vec<i64> = rows.iter().flat_map(find).flatten().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let ems = ems(connection, ids(&|row| [row.integer(1), None]))?;
    let vms =
        records(connection, "vms", columns.vm, ids(&|row| [of(row, 7, "VmOrTemplate"), row.integer(9)]))?;
    let hosts =
        records(connection, "hosts", columns.host, ids(&|row| [of(row, 8, "Host"), row.integer(10)]))?;
    let find = |known: &HashMap<i64, Section>, id: Option<i64>| {
        id.and_then(|id| known.get(&id)).cloned().unwrap_or_default()
    };
    let facts = |row: &Fields| {
        let timestamp = row.time(2).unwrap_or_default();
        Ok(StoredFacts {
            id: row.id(0)?,
            ems_id: row.integer(1),
            timestamp,
            created_on: row.time(3).unwrap_or(timestamp),
            event_type: row.string(4).unwrap_or_default(),
            source: row.string(5).unwrap_or_default(),
            event: section(row, COUNT_OF_FIXED, columns.event),
            full_data: row.string(6).unwrap_or_default(),
            ems: find(&ems, row.integer(1)),
            vm: find(&vms, of(row, 7, "VmOrTemplate")),
            host: find(&hosts, of(row, 8, "Host")),
            dest_vm: find(&vms, row.integer(9)),
            dest_host: find(&hosts, row.integer(10)),
        })
    };
    rows.iter().map(facts).collect()
}

fn ems(connection: &mut Connection, ids: Vec<i64>) -> Result<HashMap<i64, Section>, VmdbError> {
    let zones = super::refresh_work::zone_names(connection, &ids)?;
    let mut found = records(connection, "ext_management_systems", EMS, ids)?;
    for (id, zone) in zones {
        if let Some(section) = found.get_mut(&id) {
            section.insert("zone".to_owned(), zone.into());
        }
    }
    Ok(found)
}

fn records(
    connection: &mut Connection,
    table: &str,
    columns: &[&str],
    ids: Vec<i64>,
) -> Result<HashMap<i64, Section>, VmdbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT id, {} FROM {table} WHERE id ?", columns.join(", "));
    let rows = connection.rows(&sql, &[Value::Integers(ids)])?;
    rows.iter().map(|row| Ok((row.id(0)?, section(row, 1, columns)))).collect()
}

fn section(row: &Fields, from: usize, columns: &[&str]) -> Section {
    let value = |(place, name): (usize, &&str)| {
        let at = from + place;
        let value = if BOOLEANS.contains(name) {
            row.boolean(at).map(Json::Bool)
        } else if *name == "timestamp" || name.ends_with("_on") || *name == "boot_time" {
            row.time(at).map(|time| Json::String(time.to_rfc3339_opts(SecondsFormat::Micros, true)))
        } else {
            row.string(at).map(Json::String).or_else(|| row.integer(at).map(Json::from))
        };
        Some(((*name).to_owned(), value?))
    };
    columns.iter().enumerate().filter_map(value).collect()
}
