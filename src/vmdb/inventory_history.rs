//! Which changes of inventory are kept in `state_changes`: of a short list of attributes that people ask about, and that a
//! resource came or went. Written in the transaction of the row itself, so that each is told once.
//!
//! The first full refresh of an EMS tells nothing: it would say of everything that it came.

use super::VmdbError;
use super::associations::{Association, Gone};
use super::dialect::Connection;
use super::inventory_plan::{Group, GroupRow, Stored};
use super::refresh_work::RefreshWork;
use super::state_changes::{self, NewChange};
use super::statement::Value;
use crate::clock;
use crate::provider::EmsId;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Which work a refresh answers, so that each change is told with the one that asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Because {
    /// Where there is no other.
    only: Option<i64>,
    /// (association, ems_ref) → work.
    asked: HashMap<(String, String), i64>,
}

impl Because {
    /// Of claimed work. What no target names is told with it only where all of it is one.
    pub fn of(work: &[RefreshWork]) -> Self {
        let only = if let [one] = work { one.work_id } else { None };
        let mut asked = HashMap::new();
        for work in work {
            let Some(work_id) = work.work_id else { continue };
            for target in work.requests.iter().map(|request| &request.target) {
                if let Some(ems_ref) = target.manager_ref.get("ems_ref").and_then(|value| value.as_str()) {
                    asked.insert((target.association.clone(), ems_ref.to_owned()), work_id);
                }
            }
        }
        Self { only, asked }
    }

    fn work_id(&self, association: &str, ems_ref: &str) -> Option<i64> {
        if self.asked.is_empty() || self.only.is_some() {
            return self.only;
        }
        self.asked.get(&(association.to_owned(), ems_ref.to_owned())).copied()
    }
}

/// For whom rows are saved, and what is told of it; `None`: nothing.
#[derive(Clone, Copy)]
pub(super) struct Saving<'a> {
    pub(super) ems_id: EmsId,
    pub(super) because: Option<&'a Because>,
}

/// What happened to the rows of a group.
pub(super) struct Written<'a> {
    pub(super) changed: &'a [(&'a Stored, &'a GroupRow<'a>)],
    pub(super) revived: &'a [(&'a Stored, &'a GroupRow<'a>)],
    /// `ems_ref` and id.
    pub(super) added: &'a [(String, i64)],
}

/// A column that people ask about.
struct Watched {
    column: &'static str,
    attribute: &'static str,
    /// The table whose name stands for an id.
    names_of: Option<&'static str>,
}

const fn plain(column: &'static str) -> Watched {
    Watched { column, attribute: column, names_of: None }
}

const fn named(column: &'static str, attribute: &'static str, table: &'static str) -> Watched {
    Watched { column, attribute, names_of: Some(table) }
}

/// What is watched of a table, and ManageIQ's class of its rows.
fn watched(table: &str) -> Option<(&'static str, &'static [Watched])> {
    const VMS: &[Watched] = &[
        plain("name"),
        plain("power_state"),
        plain("raw_power_state"),
        plain("connection_state"),
        plain("template"),
        named("host_id", "host", "hosts"),
        named("ems_cluster_id", "ems_cluster", "ems_clusters"),
        named("flavor_id", "flavor", "flavors"),
    ];
    const HOSTS: &[Watched] = &[
        plain("name"),
        plain("power_state"),
        plain("connection_state"),
        plain("maintenance"),
        named("ems_cluster_id", "ems_cluster", "ems_clusters"),
    ];
    const CLUSTERS: &[Watched] = &[plain("name")];
    const GROUPS: &[Watched] =
        &[plain("phase"), named("container_node_id", "container_node", "container_nodes")];
    match table {
        "vms" => Some(("VmOrTemplate", VMS)),
        "hosts" => Some(("Host", HOSTS)),
        "ems_clusters" => Some(("EmsCluster", CLUSTERS)),
        "container_groups" => Some(("ContainerGroup", GROUPS)),
        "container_nodes" => Some(("ContainerNode", &[])),
        _ => None,
    }
}

/// Keeps what was written of a group, after it was.
pub(super) fn keep(
    connection: &mut Connection,
    Saving { ems_id, because }: Saving<'_>,
    association: &Association,
    group: &Group<'_>,
    written: &Written<'_>,
) -> Result<(), VmdbError> {
    let (Some(because), Some((class, columns))) = (because, watched(association.table)) else {
        return Ok(());
    };
    let now = clock::now();
    let new = |resource_id, ems_ref: &str, attribute| NewChange {
        attribute,
        changed_on: now,
        work_id: because.work_id(association.name, ems_ref),
        ..NewChange::of(ems_id, class, resource_id)
    };
    let mut changes = Vec::new();
    for (stored, row) in written.revived {
        let change = new(stored.id, row.ems_ref, "inventory");
        changes.push(change.saying(Some(gone(association)), Some("active")));
    }
    let revived: Vec<i64> = written.revived.iter().map(|(stored, _)| stored.id).collect();
    for (ems_ref, id) in written.added.iter().filter(|(_, id)| !revived.contains(id)) {
        changes.push(new(*id, ems_ref, "inventory").saying(None, Some("active")));
    }
    for watched in columns {
        let Some(index) = group.columns.iter().position(|column| *column == watched.column) else { continue };
        let is_power_state = |change: &&NewChange| change.attribute == "power_state";
        let told_already: HashSet<i64> = match watched.column {
            "raw_power_state" => {
                changes.iter().filter(is_power_state).map(|change| change.resource_id).collect()
            }
            _ => HashSet::new(),
        };
        let mut of_column = Vec::new();
        for (stored, row) in written.changed.iter().chain(written.revived) {
            let (before, after) = (stored.told(index, &row.values[index]), told(&row.values[index]));
            if before != after && !told_already.contains(&stored.id) {
                let change = new(stored.id, row.ems_ref, watched.attribute);
                of_column.push(NewChange { before, after, ..change });
            }
        }
        if let Some(table) = watched.names_of {
            name(connection, table, &mut of_column)?;
        }
        changes.append(&mut of_column);
    }
    state_changes::keep(connection, &changes)
}

/// What becomes of its rows, in a word.
fn gone(association: &Association) -> &'static str {
    match association.gone {
        Gone::Deleted | Gone::Dated => "deleted",
        Gone::WithoutEms => "archived",
    }
}

/// Keeps that rows (id and `ems_ref`) go, and that others refer to them no longer; to be called before they do.
pub(super) fn keep_removed(
    connection: &mut Connection,
    Saving { ems_id, because }: Saving<'_>,
    association: &Association,
    rows: &[(i64, String)],
) -> Result<(), VmdbError> {
    let Some(because) = because else { return Ok(()) };
    let now = clock::now();
    let mut changes = Vec::new();
    if let Some((class, _)) = watched(association.table) {
        for (id, ems_ref) in rows {
            let change = NewChange {
                attribute: "inventory",
                changed_on: now,
                work_id: because.work_id(association.name, ems_ref),
                ..NewChange::of(ems_id, class, *id)
            };
            changes.push(change.saying(Some("active"), Some(gone(association))));
        }
    }
    for (table, column) in association.referred_by() {
        let Some((class, columns)) = watched(table) else { continue };
        let Some(watched) = columns.iter().find(|watched| watched.column == column) else { continue };
        let sql = format!("SELECT id, {column} FROM {table} WHERE {column} ? AND ems_id = ?");
        let ids = Value::Integers(rows.iter().map(|(id, _)| *id).collect());
        let mut of_column = Vec::new();
        for row in connection.rows(&sql, &[ids, ems_id.0.into()])? {
            of_column.push(NewChange {
                attribute: watched.attribute,
                before: row.integer(1).map(|id| id.to_string()),
                changed_on: now,
                work_id: because.only,
                ..NewChange::of(ems_id, class, row.id(0)?)
            });
        }
        name(connection, association.table, &mut of_column)?;
        changes.append(&mut of_column);
    }
    state_changes::keep(connection, &changes)
}

/// A value as people read it. An empty one is none.
fn told(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => text.filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Integer(number) => number.map(|number| number.to_string()),
        Value::Boolean(boolean) => boolean.map(|boolean| boolean.to_string()),
        Value::Time(time) => time.map(|time| time.and_utc().to_rfc3339()),
        Value::Texts(_) | Value::Integers(_) | Value::Pairs(..) | Value::Column(_) => None,
    }
}

/// Puts names where ids stand; an id whose row is gone stays.
fn name(connection: &mut Connection, table: &str, changes: &mut [NewChange]) -> Result<(), VmdbError> {
    let all = changes.iter().flat_map(|change| [&change.before, &change.after]).flatten();
    let mut ids: Vec<i64> = all.filter_map(|id| id.parse().ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    let sql = format!("SELECT id, name FROM {table} WHERE id ?");
    let rows = connection.rows(&sql, &[Value::Integers(ids)])?;
    let names: BTreeMap<String, String> =
        rows.iter().filter_map(|row| Some((row.integer(0)?.to_string(), row.string(1)?))).collect();
    for side in changes.iter_mut().flat_map(|change| [&mut change.before, &mut change.after]) {
        if let Some(name) = side.as_ref().and_then(|id| names.get(id)) {
            *side = Some(name.clone());
        }
    }
    Ok(())
}
