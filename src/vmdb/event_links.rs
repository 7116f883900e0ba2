//! Late linking: events whose object was not in inventory when they were committed are related to it by the refresh that
//! brings it.
//!
//! Where a reference waits: those of VMs in the event's own row, which keeps `vm_ems_ref` and `dest_vm_ems_ref`; a partial
//! index finds the rows that have no id yet. A new EMS with a long history has nothing but such events, and one more entry
//! of an index costs a commit far less than a row of another table with its indexes. `event_streams` has no column for other
//! references, which few events have: these wait in `event_links`.
//!
//! A transaction links a bounded number of events, so that nobody waits long for SQLite's one writer. The objects for which
//! more waited are noted in `late_links`, and [`link_waiting`] goes on with them.

use super::VmdbError;
use super::bulk;
use super::dialect::Connection;
use super::event_relations::{self, RELATIONS, RelationColumns};
use super::event_rows::EventRow;
use super::statement::Value;
use crate::provider::EmsId;

/// Events that one transaction links at most: some 20 ms on SQLite.
const MOST_EVENTS: i64 = 1_000;
/// Objects of `late_links` that one transaction looks at.
const MOST_OBJECTS: i64 = 250;

/// Keeps the references of new events (index in `rows`, id) that led to nothing.
pub(super) fn keep(
    connection: &mut Connection,
    rows: &[EventRow<'_>],
    new: &[(usize, i64)],
) -> Result<(), VmdbError> {
    let mut waiting: Vec<(i64, i64, &str, &str, &str)> = Vec::new();
    for (index, event_id) in new {
        let row = &rows[*index];
        let event = &row.event.event;
        for columns in RELATIONS.iter().filter(|columns| !row.is_related(columns)) {
            let ems_ref = (columns.ems_ref)(event).filter(|_| columns.kept.is_none());
            let uid = columns.uid_ems.and_then(|uid| uid(event));
            for (key, reference) in [("ems_ref", ems_ref), ("uid_ems", uid)] {
                waiting.extend(reference.map(|it| (*event_id, row.ems_id.0, columns.name, key, it)));
            }
        }
    }
    if waiting.is_empty() {
        return Ok(());
    }
    let columns = [
        ("event_id", waiting.iter().map(|it| it.0.into()).collect()),
        ("ems_id", waiting.iter().map(|it| it.1.into()).collect()),
        ("relation", waiting.iter().map(|it| it.2.into()).collect()),
        ("manager_key", waiting.iter().map(|it| it.3.into()).collect()),
        ("manager_ref", waiting.iter().map(|it| it.4.into()).collect()),
    ];
    bulk::insert(connection, "event_links", &columns, "").map(drop)
}

/// Links the events that wait for these rows of an inventory table, in the transaction that added or revived them. What is
/// too much for one transaction is noted for [`link_waiting`].
///
/// # Errors
/// See [`VmdbError`].
pub fn link(
    connection: &mut Connection,
    ems_id: EmsId,
    table: &str,
    ems_refs: &[&str],
) -> Result<(), VmdbError> {
    if ems_refs.is_empty() || event_relations::into_table(table).next().is_none() {
        return Ok(());
    }
    let all = link_some(connection, ems_id, table, ems_refs)?;
    // Where several transactions write at once, an event may just be on its way that has looked in vain and is not yet to
    // be seen: its object is looked at once more.
    if all && !connection.has_lanes() {
        return Ok(());
    }
    let columns = [
        ("ems_id", vec![ems_id.0.into(); ems_refs.len()]),
        ("inventory_table", vec![table.into(); ems_refs.len()]),
        ("ems_ref", ems_refs.iter().map(|ems_ref| (*ems_ref).into()).collect()),
    ];
    bulk::insert(connection, "late_links", &columns, "").map(drop)
}

/// Goes on with what [`link`] left, a bounded number of events; says whether there is more. To be asked after the refresh,
/// outside of a transaction, until there is none.
///
/// # Errors
/// See [`VmdbError`].
pub fn link_waiting(connection: &mut Connection, ems_id: EmsId) -> Result<bool, VmdbError> {
    let sql = "SELECT id, inventory_table, ems_ref FROM late_links WHERE ems_id = ? ORDER BY id LIMIT ?";
    let waiting = connection.rows(sql, &[ems_id.0.into(), MOST_OBJECTS.into()])?;
    let Some(table) = waiting.first().and_then(|row| row.string(1)) else { return Ok(false) };
    connection.wait_for_event_commits()?;
    let of_table: Vec<_> = waiting.iter().filter(|row| row.text(1) == Some(&table)).collect();
    let ems_refs: Vec<_> = of_table.iter().filter_map(|row| row.text(2)).collect();
    let ids = of_table.iter().map(|row| row.id(0)).collect::<Result<Vec<_>, _>>()?;
    connection.transaction(|connection| {
        if link_some(connection, ems_id, &table, &ems_refs)? {
            connection.execute("DELETE FROM late_links WHERE id ?", &[Value::Integers(ids)])?;
        }
        Ok(true)
    })
}

/// Links at most [`MOST_EVENTS`]; says whether these were all.
fn link_some(
    connection: &mut Connection,
    ems_id: EmsId,
    table: &str,
    ems_refs: &[&str],
) -> Result<bool, VmdbError> {
    let mut left = MOST_EVENTS;
    for columns in event_relations::into_table(table) {
        if let Some(kept) = columns.kept {
            left -= link_kept(connection, (ems_id, columns, kept), ems_refs, left)?;
        }
    }
    for key in ["ems_ref", "uid_ems"] {
        if left > 0 && (key == "ems_ref" || event_relations::has_uid(table)) {
            left -= link_table(connection, (ems_id, table, key), ems_refs, left)?;
        }
    }
    Ok(left > 0)
}

/// Links events by the reference in their own row; returns how many waited.
fn link_kept(
    connection: &mut Connection,
    (ems_id, columns, kept): (EmsId, &RelationColumns, &str),
    ems_refs: &[&str],
    most: i64,
) -> Result<i64, VmdbError> {
    let id = columns.id;
    let sql = format!(
        "SELECT id FROM event_streams WHERE ems_id = ? AND {kept} ? AND {kept} IS NOT NULL AND {id} IS NULL LIMIT ?"
    );
    let values = [ems_id.0.into(), Value::Texts(ems_refs.to_vec()), most.into()];
    let events =
        connection.rows(&sql, &values)?.iter().map(|row| row.id(0)).collect::<Result<Vec<_>, _>>()?;
    let found = events.len() as i64;
    if found > 0 {
        let sql = format!(
            "UPDATE event_streams SET {} FROM {} o WHERE event_streams.id ? AND o.ems_id = event_streams.ems_id \
             AND o.ems_ref = event_streams.{kept} AND event_streams.{id} IS NULL",
            assignments(columns),
            columns.table
        );
        connection.execute(&sql, &[Value::Integers(events)])?;
    }
    Ok(found)
}

/// Links events whose reference waits in `event_links`, and takes it out; returns how many waited.
fn link_table(
    connection: &mut Connection,
    (ems_id, table, key): (EmsId, &str, &str),
    ems_refs: &[&str],
    most: i64,
) -> Result<i64, VmdbError> {
    let names = event_relations::into_table(table).map(|columns| columns.name).collect();
    // The objects lead: they are few, and each is found by its index, as are those who wait for it.
    let sql = format!(
        "SELECT l.id, l.relation FROM {table} o CROSS JOIN event_links l WHERE o.ems_id = ? AND o.ems_ref ? AND \
         l.ems_id = o.ems_id AND l.manager_ref = o.{key} AND l.manager_key = ? AND l.relation ? LIMIT ?"
    );
    let values =
        [ems_id.0.into(), Value::Texts(ems_refs.to_vec()), key.into(), Value::Texts(names), most.into()];
    let waiting = connection.rows(&sql, &values)?;
    for columns in event_relations::into_table(table) {
        let of_relation = waiting.iter().filter(|row| row.text(1) == Some(columns.name));
        let links = of_relation.map(|row| row.id(0)).collect::<Result<Vec<_>, _>>()?;
        if links.is_empty() {
            continue;
        }
        let sql = format!(
            "UPDATE event_streams SET {} FROM event_links l CROSS JOIN {table} o WHERE l.id ? \
             AND event_streams.id = l.event_id AND o.ems_id = l.ems_id AND o.{key} = l.manager_ref \
             AND event_streams.{} IS NULL",
            assignments(columns),
            columns.id
        );
        connection.execute(&sql, &[Value::Integers(links.clone())])?;
        connection.execute("DELETE FROM event_links WHERE id ?", &[Value::Integers(links)])?;
    }
    Ok(waiting.len() as i64)
}

/// What linking says of an event: the id, a name that the provider left out, and the zone of a VM.
fn assignments(columns: &RelationColumns) -> String {
    let mut assignments = format!("{} = o.id", columns.id);
    if let Some(named) = columns.named {
        assignments += &format!(", {named} = COALESCE(event_streams.{named}, o.name)");
    }
    if columns.relation == event_relations::Relation::Vm {
        assignments +=
            ", availability_zone_id = COALESCE(event_streams.availability_zone_id, o.availability_zone_id)";
    }
    assignments
}
