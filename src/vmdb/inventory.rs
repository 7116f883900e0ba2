//! Saving inventory: any association, any columns, and only rows that changed are written.
//!
//! Archived rows come back to life under the same id, found by `ems_ref` or else by `uid_ems`. Whole inventories are saved by
//! `inventory_save`, which calls these functions for some rows at a time.

use super::VmdbError;
use super::associations::{self, Association, Gone};
use super::bulk::{self, BulkColumn};
use super::dialect::Connection;
use super::event_links;
use super::inventory_history::{self, Saving, Written};
use super::inventory_plan::{self, Group, GroupRow, Stored};
use super::statement::Value;
use crate::clock;
use crate::provider::{CollectionScope, EmsId, InventoryCollection, Row};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

pub(super) use super::inventory_remove::remove_some;
pub use super::inventory_remove::{remove, stale};

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

impl SaveCounts {
    /// Rows that were written.
    pub fn written(&self) -> u64 {
        self.added + self.changed + self.revived + self.removed
    }
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

/// Saves a whole collection in one transaction, and removes what its scope says is gone.
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
        let present = collection.rows.iter().map(|row| row.ems_ref.as_str());
        let gone = match &collection.scope {
            CollectionScope::All => stale(connection, ems_id, collection.association, present)?,
            CollectionScope::EmsRefs(asked) => {
                let present: HashSet<_> = present.collect();
                asked.iter().filter(|ems_ref| !present.contains(ems_ref.as_str())).cloned().collect()
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
/// [`VmdbError::Data`] for an association or a column that the VMDB does not have.
pub fn save_rows(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &str,
    rows: &[Row],
) -> Result<SaveCounts, VmdbError> {
    let saving = Saving { ems_id, because: None };
    save_some(connection, saving, association, rows, |_| false).map(|(counts, _)| counts)
}

/// A row that refers to something that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its place among the rows that were given.
    pub(super) index: usize,
    /// Whether it was counted as unchanged.
    pub(super) unchanged: bool,
}

/// As [`save_rows`], and what is to be told of it is; also gives the rows that refer to what is not there of an association that is `still_to_come`.
pub(super) fn save_some(
    connection: &mut Connection,
    saving: Saving<'_>,
    association: &str,
    rows: &[Row],
    still_to_come: impl Fn(&str) -> bool,
) -> Result<(SaveCounts, Vec<Waiting>), VmdbError> {
    let association = associations::find(association)?;
    connection.transaction(|connection| {
        let references = inventory_plan::resolve(connection, saving.ems_id, rows)?;
        let (mut counts, mut unchanged) = (SaveCounts::default(), HashSet::new());
        for group in inventory_plan::group(connection, association, rows, &references)? {
            counts += save_group(connection, (saving, association), &group, &mut unchanged)?;
        }
        let waits = |index: &usize| inventory_plan::waits(&rows[*index], &references, &still_to_come);
        let waiting = (0..rows.len()).filter(waits);
        let waiting = waiting.map(|index| Waiting { index, unchanged: unchanged.contains(&index) });
        Ok((counts, waiting.collect()))
    })
}

/// Of `rows`, those that saving would write, or that refer to what is not there (yet), and how many were as they should be.
/// Reads only.
///
/// # Errors
/// As [`save_rows`].
pub fn differing(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &str,
    rows: Vec<Row>,
) -> Result<(Vec<Row>, u64), VmdbError> {
    let association = associations::find(association)?;
    let references = inventory_plan::resolve(connection, ems_id, &rows)?;
    let mut as_they_are = HashSet::new();
    for group in inventory_plan::group(connection, association, &rows, &references)? {
        let stored = inventory_plan::load_present(connection, ems_id, association, &group)?;
        let same = |row: &&GroupRow<'_>| {
            stored.get(row.ems_ref).is_some_and(|stored| !stored.archived && stored.holds(&row.values))
                && !inventory_plan::waits(&rows[row.index], &references, |_| true)
        };
        as_they_are.extend(group.rows.iter().filter(same).map(|row| row.index));
    }
    let unchanged = as_they_are.len() as u64;
    let mut index = 0..;
    let mut rows = rows;
    rows.retain(|_| !index.next().is_some_and(|index| as_they_are.contains(&index)));
    Ok((rows, unchanged))
}

/// A stored row, and what it is to hold.
type Change<'a> = (&'a Stored, &'a GroupRow<'a>);

fn save_group(
    connection: &mut Connection,
    (saving, association): (Saving<'_>, &Association),
    group: &Group<'_>,
    unchanged: &mut HashSet<usize>,
) -> Result<SaveCounts, VmdbError> {
    let ems_id = saving.ems_id;
    let stored = inventory_plan::load(connection, ems_id, association, group)?;
    let now = clock::now();
    let (mut new, mut revived, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = SaveCounts::default();
    for row in &group.rows {
        match stored.get(row.ems_ref) {
            None => new.push(row),
            Some(stored) if stored.archived => revived.push((stored, row)),
            Some(stored) if stored.holds(&row.values) => {
                counts.unchanged += 1;
                unchanged.insert(row.index);
            }
            Some(stored) => changed.push((stored, row)),
        }
    }
    update(connection, association, group, (&changed, now))?;
    revive(connection, (ems_id, association), group, (&revived, now))?;
    // (ems_ref, id) of what is new or back: what waited for it can be linked now.
    let mut added = insert(connection, (ems_id, association), group, (&new, now))?;
    let written = Written { changed: &changed, revived: &revived, added: &added };
    inventory_history::keep(connection, saving, association, group, &written)?;
    added.extend(revived.iter().map(|(stored, row)| (row.ems_ref.to_owned(), stored.id)));
    let came: Vec<&str> = added.iter().map(|(ems_ref, _)| ems_ref.as_str()).collect();
    event_links::link(connection, ems_id, association.table, &came)?;
    counts.changed = changed.len() as u64;
    counts.revived = revived.len() as u64;
    counts.added = (added.len() - revived.len()) as u64;
    Ok(counts)
}

/// Gives the `ems_ref` and id of each.
fn insert(
    connection: &mut Connection,
    (ems_id, association): (EmsId, &Association),
    group: &Group<'_>,
    (new, now): (&[&GroupRow<'_>], DateTime<Utc>),
) -> Result<Vec<(String, i64)>, VmdbError> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let guids: Vec<_> = new.iter().map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let mut columns: Vec<BulkColumn<'_>> = vec![
        ("ems_id", vec![ems_id.0.into(); new.len()]),
        ("ems_ref", new.iter().map(|row| row.ems_ref.into()).collect()),
    ];
    for stamp in association.created.iter().chain(&association.updated) {
        columns.push((stamp, vec![now.into(); new.len()]));
    }
    if association.guid {
        columns.push(("guid", guids.iter().map(Value::from).collect()));
    }
    if dates_power_state(association, group) {
        columns.push(("state_changed_on", vec![now.into(); new.len()]));
    }
    for (index, column) in group.columns.iter().enumerate() {
        columns.push((column, new.iter().map(|row| row.values[index].clone()).collect()));
    }
    let rows = bulk::insert(connection, association.table, &columns, "RETURNING ems_ref, id")?;
    rows.iter().map(|row| Ok((row.string(0).unwrap_or_default(), row.id(1)?))).collect()
}

/// Writes all columns of the group, so that the text of the statement stays the same.
fn update(
    connection: &mut Connection,
    association: &Association,
    group: &Group<'_>,
    (changes, now): (&[Change<'_>], DateTime<Utc>),
) -> Result<(), VmdbError> {
    let (columns, set) = columns_and_set(association, group, (changes, now));
    write(connection, association, &columns, &set)
}

/// As [`update`]; the rows get their EMS back, and the `ems_ref` that they have now.
fn revive(
    connection: &mut Connection,
    (ems_id, association): (EmsId, &Association),
    group: &Group<'_>,
    (changes, now): (&[Change<'_>], DateTime<Utc>),
) -> Result<(), VmdbError> {
    let (mut columns, mut set) = columns_and_set(association, group, (changes, now));
    match association.gone {
        Gone::WithoutEms => {
            columns.push(("ems_id", vec![ems_id.0.into(); changes.len()]));
            columns.push(("ems_ref", changes.iter().map(|(_, row)| row.ems_ref.into()).collect()));
            set.extend(
                ["ems_id = fresh.ems_id", "ems_ref = fresh.ems_ref", "archived_ems_id = NULL"]
                    .map(str::to_owned),
            );
        }
        Gone::Dated => set.push("deleted_on = NULL".to_owned()),
        Gone::Deleted => {}
    }
    write(connection, association, &columns, &set)
}

fn write(
    connection: &mut Connection,
    association: &Association,
    columns: &[BulkColumn<'_>],
    set: &[String],
) -> Result<(), VmdbError> {
    // A row may have no columns at all, and nothing that is dated.
    if set.is_empty() || columns.iter().all(|(_, values)| values.is_empty()) {
        return Ok(());
    }
    bulk::update(connection, association.table, columns, &set.join(", "))
}

fn columns_and_set<'a>(
    association: &Association,
    group: &Group<'_>,
    (changes, now): (&'a [Change<'a>], DateTime<Utc>),
) -> (Vec<BulkColumn<'a>>, Vec<String>) {
    let mut columns: Vec<BulkColumn<'a>> =
        vec![("id", changes.iter().map(|(stored, _)| stored.id.into()).collect())];
    for (index, column) in group.columns.iter().enumerate() {
        columns.push((column, changes.iter().map(|(_, row)| row.values[index].clone()).collect()));
    }
    if let Some(updated) = association.updated {
        columns.push((updated, vec![now.into(); changes.len()]));
    }
    let mut set: Vec<_> =
        columns[1..].iter().map(|(column, _)| format!("{column} = fresh.{column}")).collect();
    if let Some(updated) = association.updated.filter(|_| dates_power_state(association, group)) {
        let table = association.table;
        let differs = format!("CASE WHEN {table}.power_state IS DISTINCT FROM fresh.power_state THEN");
        set.push(format!("previous_state = {differs} {table}.power_state ELSE {table}.previous_state END"));
        set.push(format!("state_changed_on = {differs} fresh.{updated} ELSE {table}.state_changed_on END"));
    }
    (columns, set)
}

/// Whether the group tells the power state, whose changes are ours to date.
fn dates_power_state(association: &Association, group: &Group<'_>) -> bool {
    association.has_power_state()
        && group.columns.contains(&"power_state")
        && !["state_changed_on", "previous_state"].iter().any(|column| group.columns.contains(column))
}
