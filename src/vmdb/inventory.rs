//! Saving inventory: any association, any columns, and only rows that changed are written.
//!
//! VMs and hosts that a provider no longer has are archived and come back to life under the same id; other rows are deleted.
//! Callers give at most some 500 rows at a time, so that commits of events are never kept waiting.

use super::VmdbError;
use super::associations::{self, Association};
use super::bulk::{self, BulkColumn};
use super::dialect::Connection;
use super::event_links;
use super::inventory_plan::{self, Group, LEADING, Stored, same};
use super::statement::Value;
use crate::clock;
use crate::provider::{CollectionScope, EmsId, InventoryCollection, Row};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// What saving did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaveCounts {
    /// Rows that are new.
    pub added: u64,
    /// Rows that differed.
    pub changed: u64,
    /// Rows that were as the provider says.
    pub unchanged: u64,
    /// Archived rows that are back.
    pub revived: u64,
    /// Rows that are gone at the provider and were archived or deleted.
    pub removed: u64,
}

impl std::ops::AddAssign for SaveCounts {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.revived += other.revived;
        self.removed += other.removed;
    }
}

/// Saves a whole collection in one transaction, and removes what its scope says is gone. For large ones see [`save_rows`],
/// [`stale`] and [`remove`].
///
/// # Errors
/// See [`VmdbError`].
pub fn save(
    connection: &mut Connection,
    ems_id: EmsId,
    collection: &InventoryCollection,
) -> Result<SaveCounts, VmdbError> {
    connection.transaction(|connection| {
        let mut counts = save_rows(connection, ems_id, collection.association, &collection.rows)?;
        let present: Vec<_> = collection.rows.iter().map(|row| row.ems_ref.clone()).collect();
        let gone = match &collection.scope {
            CollectionScope::All => stale(connection, ems_id, collection.association, &present)?,
            CollectionScope::EmsRefs(asked) => {
                let present: HashSet<_> = present.iter().collect();
                asked.iter().filter(|ems_ref| !present.contains(ems_ref)).cloned().collect()
            }
            CollectionScope::Nothing => Vec::new(),
        };
        counts += remove(connection, ems_id, collection.association, &gone)?;
        Ok(counts)
    })
}

/// Adds and changes rows, in one transaction. What a row refers to must have been saved before.
///
/// # Errors
/// [`VmdbError::Bug`] for an association, [`VmdbError::Refused`] for a column that the VMDB does not have.
pub fn save_rows(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &str,
    rows: &[Row],
) -> Result<SaveCounts, VmdbError> {
    let association = associations::find(association)?;
    connection.transaction(|connection| {
        let references = inventory_plan::resolve(connection, ems_id, rows)?;
        let mut counts = SaveCounts::default();
        for group in inventory_plan::group(rows, &references) {
            counts += save_group(connection, ems_id, association, &group)?;
        }
        Ok(counts)
    })
}

fn save_group(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &Association,
    group: &Group<'_>,
) -> Result<SaveCounts, VmdbError> {
    let stored = inventory_plan::load(connection, ems_id, association, group)?;
    let now = clock::now();
    let mut counts = SaveCounts::default();
    let mut new = Vec::new();
    let mut came = Vec::new();
    for row @ (ems_ref, values) in &group.rows {
        match stored.get(*ems_ref) {
            None => new.push(row),
            Some(stored) if stored.archived => {
                counts.revived += 1;
                came.push(*ems_ref);
                update(connection, (ems_id, association), (group, values), stored, now)?;
            }
            Some(stored) if stored.holds(values) => counts.unchanged += 1,
            Some(stored) => {
                counts.changed += 1;
                update(connection, (ems_id, association), (group, values), stored, now)?;
            }
        }
    }
    counts.added = new.len() as u64;
    insert(connection, (ems_id, association), group, &new, now)?;
    came.extend(new.iter().map(|(ems_ref, _)| *ems_ref));
    event_links::link(connection, ems_id, association.table, &came)?;
    Ok(counts)
}

fn insert(
    connection: &mut Connection,
    (ems_id, association): (EmsId, &Association),
    group: &Group<'_>,
    new: &[&(&str, Vec<Value<'_>>)],
    now: DateTime<Utc>,
) -> Result<(), VmdbError> {
    if new.is_empty() {
        return Ok(());
    }
    let guids: Vec<_> = new.iter().map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let mut columns: Vec<BulkColumn<'_>> = vec![
        ("ems_id", vec![ems_id.0.into(); new.len()]),
        ("ems_ref", new.iter().map(|(ems_ref, _)| (*ems_ref).into()).collect()),
    ];
    if association.timestamps {
        columns.push(("created_on", vec![now.into(); new.len()]));
        columns.push(("updated_on", vec![now.into(); new.len()]));
    }
    if association.guid {
        columns.push(("guid", guids.iter().map(Value::from).collect()));
    }
    if association.template.is_some() {
        columns.push(("template", vec![association.template_value(); new.len()]));
    }
    if dates_power_state(association, group).is_some() {
        columns.push(("state_changed_on", vec![now.into(); new.len()]));
    }
    for (index, column) in
        group.columns.iter().enumerate().filter(|(_, column)| !decides(association, column))
    {
        columns.push((column, new.iter().map(|(_, values)| values[index].clone()).collect()));
    }
    bulk::insert(connection, association.table, &columns, "").map(drop)
}

/// Writes all columns of the group, so that the text of the statement stays the same; a row that was archived gets its EMS
/// back.
fn update(
    connection: &mut Connection,
    (ems_id, association): (EmsId, &Association),
    (group, row): (&Group<'_>, &[Value<'_>]),
    stored: &Stored,
    now: DateTime<Utc>,
) -> Result<(), VmdbError> {
    let mut columns = vec!["ems_id = ?".to_owned()];
    let mut values = vec![ems_id.0.into()];
    for ((column, value), always_null) in group.columns.iter().zip(row).zip(&group.always_null) {
        if decides(association, column) {
            continue;
        }
        if *always_null {
            columns.push(format!("{column} = NULL"));
        } else {
            columns.push(format!("{column} = ?"));
            values.push(value.clone());
        }
    }
    if association.archives {
        columns.push("archived_ems_id = NULL".to_owned());
    }
    if association.timestamps {
        columns.push("updated_on = ?".to_owned());
        values.push(now.into());
    }
    if association.template.is_some() {
        columns.push("template = ?".to_owned());
        values.push(association.template_value());
    }
    if let Some(index) = dates_power_state(association, group)
        && !same(&stored.fields, LEADING + index, &row[index])
    {
        columns.push("previous_state = power_state, state_changed_on = ?".to_owned());
        values.push(now.into());
    }
    values.push(stored.id.into());
    let sql = format!("UPDATE {} SET {} WHERE id = ?", association.table, columns.join(", "));
    connection.execute(&sql, &values).map(drop)
}

/// Whether the association says what the column holds, so that what a provider says of it too is passed over: a column
/// named twice is an error on PostgreSQL.
fn decides(association: &Association, column: &str) -> bool {
    association.template.is_some() && column == "template"
}

/// Where the power state is among the group's columns, if its changes are ours to date.
fn dates_power_state(association: &Association, group: &Group<'_>) -> Option<usize> {
    let has = |name: &str| group.columns.iter().position(|column| *column == name);
    if association.has_power_state() && has("state_changed_on").is_none() { has("power_state") } else { None }
}

/// The `ems_ref`s of stored rows that are not among `present`. Absence is only a hint: ask the provider for each before
/// [`remove`].
///
/// # Errors
/// See [`VmdbError`].
pub fn stale(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &str,
    present: &[String],
) -> Result<Vec<String>, VmdbError> {
    let association = associations::find(association)?;
    let present: HashSet<_> = present.iter().map(String::as_str).collect();
    let sql = format!(
        "SELECT ems_ref FROM {} WHERE {} AND ems_ref IS NOT NULL",
        association.table,
        association.of_ems()
    );
    let rows = connection.rows(&sql, &[ems_id.0.into()])?;
    Ok(rows
        .iter()
        .filter_map(|row| row.string(0))
        .filter(|ems_ref| !present.contains(ems_ref.as_str()))
        .collect())
}

/// Archives VMs, templates and hosts (they keep all but their EMS), deletes others. What is not there is passed over.
///
/// # Errors
/// See [`VmdbError`].
pub fn remove(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &str,
    ems_refs: &[String],
) -> Result<SaveCounts, VmdbError> {
    if ems_refs.is_empty() {
        return Ok(SaveCounts::default());
    }
    let association = associations::find(association)?;
    let (table, of_ems) = (association.table, association.of_ems());
    let ems_refs = Value::Texts(ems_refs.iter().map(String::as_str).collect());
    let removed = if association.archives {
        let sql = format!(
            "UPDATE {table} SET archived_ems_id = ems_id, ems_id = NULL, updated_on = ? WHERE {of_ems} AND ems_ref ?"
        );
        connection.execute(&sql, &[clock::now().into(), ems_id.0.into(), ems_refs])?
    } else {
        let sql = format!("DELETE FROM {table} WHERE {of_ems} AND ems_ref ?");
        connection.execute(&sql, &[ems_id.0.into(), ems_refs])?
    };
    Ok(SaveCounts { removed: removed as u64, ..SaveCounts::default() })
}
