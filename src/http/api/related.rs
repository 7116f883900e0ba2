//! The records that others show within themselves: read at once for a whole page.

use super::attributes::Attributes;
use super::error::ApiError;
use super::record::{Record, Related, Target};
use crate::vmdb::{Connection, Fields, VmdbError, api};
use std::collections::HashMap;

/// Gives each record what it is related to. `rows` are what the records were made of.
pub(super) fn relate<R: Record>(
    connection: &mut Connection,
    attributes: &Attributes<R>,
    rows: &[Fields],
    records: &mut [R],
) -> Result<(), VmdbError> {
    for (association, names) in &attributes.related {
        let Some(index) = attributes.index(association.column) else { continue };
        let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.integer(index)).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = read(connection, association.target, names.as_deref(), ids)?;
        for (record, row) in records.iter_mut().zip(rows) {
            if let Some(related) = row.integer(index).and_then(|id| found.get(&id)) {
                (association.set)(record, related.clone());
            }
        }
    }
    Ok(())
}

fn read(
    connection: &mut Connection,
    target: Target,
    names: Option<&[String]>,
    ids: Vec<i64>,
) -> Result<HashMap<i64, Related>, VmdbError> {
    match target {
        Target::Vm => read_of(connection, names, ids, |vm| Related::Vm(Box::new(vm))),
        Target::Host => read_of(connection, names, ids, |host| Related::Host(Box::new(host))),
        Target::Provider => read_of(connection, names, ids, |ems| Related::Provider(Box::new(ems))),
    }
}

fn read_of<R: Record>(
    connection: &mut Connection,
    names: Option<&[String]>,
    ids: Vec<i64>,
    related: impl Fn(R) -> Related,
) -> Result<HashMap<i64, Related>, VmdbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    // The names were checked when the request was read.
    let attributes =
        Attributes::<R>::new(names).map_err(|error: ApiError| VmdbError::Bug(error.to_string()))?;
    let rows = api::by_ids(connection, R::TABLE, &attributes.read, ids)?;
    Ok(rows.iter().filter_map(|row| Some((row.integer(0)?, related(attributes.record(row))))).collect())
}
