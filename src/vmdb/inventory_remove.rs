//! What a provider no longer has: found, archived or deleted, and no longer referred to by what stays.

use super::VmdbError;
use super::associations::{self, Association, Gone};
use super::dialect::Connection;
use super::inventory::SaveCounts;
use super::inventory_history::{self, Saving};
use super::statement::{Fields, Value};
use crate::clock;
use crate::provider::EmsId;
use std::collections::HashSet;

/// The `ems_ref`s of stored rows that are not among `present`. Absence is only a hint: ask the provider for each before
/// [`remove`].
///
/// # Errors
/// See [`VmdbError`].
pub fn stale<'a>(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &str,
    present: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, VmdbError> {
    let association = associations::find(association)?;
    let present: HashSet<_> = present.into_iter().collect();
    let sql = format!(
        "SELECT ems_ref FROM {} WHERE {} AND ems_ref IS NOT NULL",
        association.table,
        association.of_ems()
    );
    let rows = connection.rows(&sql, &[ems_id.0.into()])?;
    Ok(rows
        .iter()
        .filter_map(|row| row.text(0))
        .filter(|ems_ref| !present.contains(ems_ref))
        .map(str::to_owned)
        .collect())
}

/// Archives or deletes rows, as is the association's way, in one transaction. What refers to them and stays gets NULL there.
/// What is not there is passed over.
///
/// # Errors
/// See [`VmdbError`].
pub fn remove(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &str,
    ems_refs: &[String],
) -> Result<SaveCounts, VmdbError> {
    remove_some(connection, Saving { ems_id, because: None }, association, ems_refs)
}

/// As [`remove`], and what is to be told of it is.
pub(super) fn remove_some(
    connection: &mut Connection,
    saving: Saving<'_>,
    association: &str,
    ems_refs: &[String],
) -> Result<SaveCounts, VmdbError> {
    if ems_refs.is_empty() {
        return Ok(SaveCounts::default());
    }
    let association = associations::find(association)?;
    let sql =
        format!("SELECT id, ems_ref FROM {} WHERE {} AND ems_ref ?", association.table, association.of_ems());
    let ems_refs = Value::Texts(ems_refs.iter().map(String::as_str).collect());
    connection.transaction(|connection| {
        let rows = connection.rows(&sql, &[saving.ems_id.0.into(), ems_refs])?;
        let row = |row: &Fields| Ok((row.id(0)?, row.string(1).unwrap_or_default()));
        let rows = rows.iter().map(row).collect::<Result<Vec<_>, VmdbError>>()?;
        let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
        if !ids.is_empty() {
            inventory_history::keep_removed(connection, saving, association, &rows)?;
            take(connection, association, &ids)?;
            release(connection, saving.ems_id, association, &ids)?;
        }
        Ok(SaveCounts { removed: ids.len() as u64, ..SaveCounts::default() })
    })
}

fn take(connection: &mut Connection, association: &Association, ids: &[i64]) -> Result<(), VmdbError> {
    let table = association.table;
    let mut set = match association.gone {
        Gone::Deleted => {
            let sql = format!("DELETE FROM {table} WHERE id ?");
            return connection.execute(&sql, &[Value::Integers(ids.to_vec())]).map(drop);
        }
        Gone::WithoutEms => "archived_ems_id = ems_id, ems_id = NULL".to_owned(),
        Gone::Dated => "deleted_on = ?".to_owned(),
    };
    for column in association.gives_up {
        set.push_str(&format!(", {column} = NULL"));
    }
    if let Some(updated) = association.updated {
        set.push_str(&format!(", {updated} = ?"));
    }
    let times = usize::from(association.gone == Gone::Dated) + usize::from(association.updated.is_some());
    let mut values = vec![Value::from(clock::now()); times];
    values.push(Value::Integers(ids.to_vec()));
    connection.execute(&format!("UPDATE {table} SET {set} WHERE id ?"), &values).map(drop)
}

/// What stays of the EMS no longer refers to the rows. Archived rows go on telling where they were, if that is archived too.
fn release(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &Association,
    ids: &[i64],
) -> Result<(), VmdbError> {
    for (table, column) in association.referred_by() {
        let (mut set, mut values) = (format!("{column} = NULL"), Vec::new());
        if let Some(updated) = Association::updated_of(table) {
            set.push_str(&format!(", {updated} = ?"));
            values.push(clock::now().into());
        }
        let mut sql = format!("UPDATE {table} SET {set} WHERE {column} ?");
        values.push(Value::Integers(ids.to_vec()));
        if association.gone != Gone::Deleted {
            sql.push_str(" AND ems_id = ?");
            values.push(ems_id.0.into());
        }
        connection.execute(&sql, &values)?;
    }
    Ok(())
}
