//! Relates events to inventory: references that providers send become ids, names that they left out are filled in.
//!
//! ManageIQ's rules (`EmsEvent.add`), save that a `uid_ems` is looked up within the event's EMS and among archived rows
//! that this EMS owned last, never across EMSs. What is not found leaves the event as it is, until a refresh brings it
//! (`event_links`). One look-up for each table and batch.

use super::VmdbError;
use super::dialect::Connection;
use super::event_relations::{self, COUNT, RELATIONS, Reference, Relation, RelationColumns};
use super::statement::{Fields, Value};
use crate::provider::{EmsEvent, EmsId};
use std::collections::HashMap;
use std::rc::Rc;

/// What an event's references mean.
#[derive(Clone, Debug, Default)]
pub(super) struct Relations([Option<Rc<Found>>; COUNT]);

/// A row of inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) name: Option<String>,
    availability_zone_id: Option<i64>,
}

impl Relations {
    /// The row that was found.
    pub(super) fn of(&self, relation: Relation) -> Option<&Found> {
        self.0[relation as usize].as_deref()
    }

    /// The zone that the provider named, else that of the VM.
    pub(super) fn availability_zone_id(&self) -> Option<i64> {
        let named = self.of(Relation::AvailabilityZone).map(|zone| zone.id);
        named.or_else(|| self.of(Relation::Vm)?.availability_zone_id)
    }
}

/// Relates all events of a transaction.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn relate(
    connection: &mut Connection,
    events: &[(EmsId, &EmsEvent)],
) -> Result<Vec<Relations>, VmdbError> {
    let mut relations = vec![Relations::default(); events.len()];
    let mut tables: Vec<&str> = RELATIONS.iter().map(|columns| columns.table).collect();
    tables.dedup();
    for table in tables {
        let columns: Vec<_> = event_relations::into_table(table).collect();
        let index = Index::load(connection, table, &wanted(events, &columns))?;
        if index.is_empty() {
            continue;
        }
        for (relations, (ems, event)) in relations.iter_mut().zip(events) {
            for columns in &columns {
                relations.0[columns.relation as usize] = index.find(*ems, event, columns);
            }
        }
    }
    Ok(relations)
}

/// Distinct references of a batch into one table, as (EMS, reference).
struct Wanted<'a> {
    ems_refs: Vec<(i64, &'a str)>,
    uids: Vec<(i64, &'a str)>,
}

fn wanted<'a>(events: &[(EmsId, &'a EmsEvent)], columns: &[&RelationColumns]) -> Wanted<'a> {
    let all = |references: Vec<Reference>| {
        let of_event = |(ems, event): &(EmsId, &'a EmsEvent)| -> Vec<(i64, &'a str)> {
            references.iter().filter_map(|get| Some((ems.0, get(event)?))).collect()
        };
        let mut all: Vec<_> = events.iter().flat_map(of_event).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    Wanted {
        ems_refs: all(columns.iter().map(|columns| columns.ems_ref).collect()),
        uids: all(columns.iter().filter_map(|columns| columns.uid_ems).collect()),
    }
}

fn pairs<'a>(references: &[(i64, &'a str)]) -> Value<'a> {
    let (emss, texts) = references.iter().copied().unzip();
    Value::Pairs(emss, texts)
}

#[derive(Default)]
struct Index {
    ems_refs: HashMap<EmsId, HashMap<String, Rc<Found>>>,
    uids: HashMap<EmsId, HashMap<String, Rc<Found>>>,
}

impl Index {
    fn load(connection: &mut Connection, table: &str, wanted: &Wanted<'_>) -> Result<Self, VmdbError> {
        let mut index = Self::default();
        if wanted.ems_refs.is_empty() && wanted.uids.is_empty() {
            return Ok(index);
        }
        let has_uid = event_relations::has_uid(table);
        let [archived, uid, zone] = match has_uid {
            true => ["archived_ems_id", "uid_ems", "availability_zone_id"],
            false => ["NULL", "NULL", "NULL"],
        };
        let by = |ems_id: &str, reference: &str| {
            // The references lead, whatever a planner thinks of the tables.
            format!(
                "SELECT id, name, ems_id, {archived}, ems_ref, {uid}, {zone} FROM ? AS wanted CROSS JOIN {table} \
                 WHERE {ems_id} = wanted.number AND {reference} = wanted.text"
            )
        };
        let mut sql = by("ems_id", "ems_ref");
        let mut values = vec![pairs(&wanted.ems_refs)];
        if !wanted.uids.is_empty() {
            let (live, archived) = (by("ems_id", "uid_ems"), by("archived_ems_id", "uid_ems"));
            // The plus keeps SQLite from reading all archived rows of all EMSs by another index.
            sql = format!("{sql} UNION ALL {live} UNION ALL {archived} AND +ems_id IS NULL");
            values.extend([pairs(&wanted.uids), pairs(&wanted.uids)]);
        }
        for row in connection.rows(&sql, &values)? {
            index.keep(&row)?;
        }
        Ok(index)
    }

    /// Of several rows with one uid, a live one goes before archived ones, then the oldest.
    fn keep(&mut self, row: &Fields) -> Result<(), VmdbError> {
        let found = Found { id: row.id(0)?, name: row.string(1), availability_zone_id: row.integer(6) };
        let found = Rc::new(found);
        let live = row.integer(2);
        let Some(ems) = live.or(row.integer(3)).map(EmsId) else { return Ok(()) };
        if let (Some(_), Some(ems_ref)) = (live, row.string(4)) {
            self.ems_refs.entry(ems).or_default().insert(ems_ref, found.clone());
        }
        if let Some(uid) = row.string(5) {
            // The query gives the live rows first.
            let known = self.uids.entry(ems).or_default().entry(uid).or_insert_with(|| found.clone());
            if live.is_some() && found.id < known.id {
                *known = found;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.ems_refs.is_empty() && self.uids.is_empty()
    }

    fn find(&self, ems: EmsId, event: &EmsEvent, columns: &RelationColumns) -> Option<Rc<Found>> {
        let by_ref = || self.ems_refs.get(&ems)?.get((columns.ems_ref)(event)?);
        let by_uid = || self.uids.get(&ems)?.get(columns.uid_ems?(event)?);
        by_ref().or_else(by_uid).cloned()
    }
}
