//! Saves what a collector brought, in slices between the event commits: references first, deletions last.

use super::Failure;
use crate::provider::{CollectionScope, Collector, EmsId, Inventory, InventoryCollection};
use crate::vmdb::Vmdb;
use crate::vmdb::event_links;
use crate::vmdb::inventory::{self, SaveCounts};
use std::collections::HashSet;

/// Rows of one slice: well below 50 ms on SQLite.
const SLICE: usize = 250;

/// Saves all collections, then removes what is gone.
pub(super) async fn save(
    vmdb: &Vmdb,
    ems_id: EmsId,
    collector: &mut dyn Collector,
    inventory: Inventory,
) -> Result<SaveCounts, Failure> {
    let mut counts = SaveCounts::default();
    let mut gone = Vec::new();
    for collection in inventory.collections {
        let association = collection.association;
        let missing = missing(vmdb, ems_id, &collection).await?;
        let InventoryCollection { rows, scope, .. } = collection;
        for slice in rows.chunks(SLICE) {
            let slice = slice.to_vec();
            counts += vmdb
                .save(move |connection| inventory::save_rows(connection, ems_id, association, &slice))
                .await?;
        }
        gone.push((association, missing, scope));
    }
    // Events that waited for new rows, where they are too many for the slices.
    while vmdb.save(move |connection| event_links::link_waiting(connection, ems_id)).await? {}
    // What is referred to goes last.
    for (association, missing, scope) in gone.into_iter().rev() {
        // Absence from a listing is only a hint: pages shift under deletes. Asked for by id, it is an answer.
        let missing = match scope {
            CollectionScope::All if !missing.is_empty() => {
                collector.confirm_gone(association, missing).await?
            }
            CollectionScope::All | CollectionScope::EmsRefs(_) | CollectionScope::Nothing => missing,
        };
        for slice in missing.chunks(SLICE) {
            let slice = slice.to_vec();
            counts += vmdb
                .save(move |connection| inventory::remove(connection, ems_id, association, &slice))
                .await?;
        }
    }
    Ok(counts)
}

/// The `ems_ref`s in the collection's scope that it does not hold.
async fn missing(
    vmdb: &Vmdb,
    ems_id: EmsId,
    collection: &InventoryCollection,
) -> Result<Vec<String>, Failure> {
    let present: Vec<String> = collection.rows.iter().map(|row| row.ems_ref.clone()).collect();
    Ok(match &collection.scope {
        CollectionScope::Nothing => Vec::new(),
        CollectionScope::EmsRefs(refs) => {
            let present: HashSet<&String> = present.iter().collect();
            refs.iter().filter(|ems_ref| !present.contains(ems_ref)).cloned().collect()
        }
        CollectionScope::All => {
            let association = collection.association;
            vmdb.read(move |connection| inventory::stale(connection, ems_id, association, &present)).await?
        }
    })
}
