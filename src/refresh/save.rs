//! Saves what a collector brought. Reads first: what is as it should be is dropped, what seems gone is asked for by id. Then
//! writes what is left, references first, deletions last; where nothing changed, nothing is written.

mod order;

use super::Failure;
use super::turns::Turn;
use crate::provider::{CollectionScope, Collector, EmsId, Inventory, InventoryCollection, RefreshError, Row};
use crate::vmdb::event_links;
use crate::vmdb::inventory::{self, SaveCounts};
use crate::vmdb::inventory_history::Because;
use crate::vmdb::inventory_save::{CountsByAssociation, InventorySave};
use crate::vmdb::{Vmdb, VmdbError};
use std::collections::{HashMap, HashSet, VecDeque};

/// Rows compared in one go.
const AT_ONCE: usize = 1_000;

/// What saving an inventory did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// By association.
    pub by_association: CountsByAssociation,
}

impl Saved {
    /// All associations together.
    pub fn total(&self) -> SaveCounts {
        let mut total = SaveCounts::default();
        self.by_association.values().for_each(|counts| total += *counts);
        total
    }
}

/// Why an inventory was not saved. Rows may have been saved, in which case they are true; nothing was removed that the
/// provider has.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The VMDB did not do it.
    #[error("{0}")]
    Vmdb(#[from] VmdbError),
    /// The provider did not say what is gone.
    #[error("{0}")]
    Refresh(#[from] RefreshError),
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Vmdb(error) => error.into(),
            SaveError::Refresh(error) => error.into(),
        }
    }
}

/// Saves all collections, then removes what is gone. With `because`, what changes is kept as history. The turn lasts until the
/// VMDB has done what it was given, also when the future is dropped.
///
/// # Errors
/// See [`SaveError`]. The whole refresh is to be made again.
pub async fn save(
    vmdb: &Vmdb,
    (turn, because): (&Turn, Option<Because>),
    collector: &mut dyn Collector,
    inventory: Inventory,
) -> Result<Saved, SaveError> {
    let (ems_id, mut saved) = (turn.ems_id(), Saved::default());
    let (mut differing, mut gone) = (Vec::new(), Vec::new());
    for collection in order::by_references(inventory.collections) {
        let association = collection.association;
        let compared = compare(vmdb, ems_id, collection).await?;
        saved.by_association.entry(association).or_default().unchanged += compared.unchanged;
        // Absence from a listing is only a hint: pages shift under deletes. Asked for by id, it is an answer.
        let missing = match compared.scope {
            CollectionScope::All if !compared.missing.is_empty() => {
                collector.confirm_gone(association, compared.missing).await?
            }
            CollectionScope::All | CollectionScope::EmsRefs(_) | CollectionScope::Nothing => compared.missing,
        };
        differing.push((association, compared.rows));
        gone.push((association, missing));
    }
    let mut save = InventorySave::new((ems_id, because), differing, gone);
    while !save.is_done() {
        let turn = turn.clone();
        let slice = move |connection: &mut _| {
            let _held = turn;
            save.advance(connection).map(|()| save)
        };
        save = vmdb.save(slice).await?;
        fail::fail_point!("refresh.slice");
    }
    // Events that waited for new rows, where they are too many for the slices.
    while vmdb.save(move |connection| event_links::link_waiting(connection, ems_id)).await? {}
    for (association, counts) in save.into_counts() {
        *saved.by_association.entry(association).or_default() += counts;
    }
    Ok(saved)
}

/// What is left of a collection.
struct Compared {
    /// Rows that differ from what is stored.
    rows: Vec<Row>,
    unchanged: u64,
    /// The `ems_ref`s in its scope that it does not hold.
    missing: Vec<String>,
    scope: CollectionScope,
}

async fn compare(vmdb: &Vmdb, ems_id: EmsId, collection: InventoryCollection) -> Result<Compared, SaveError> {
    let InventoryCollection { association, rows, scope } = collection;
    let mut rows = last_of_each(rows);
    let missing = match &scope {
        CollectionScope::Nothing => Vec::new(),
        CollectionScope::EmsRefs(asked) => {
            let present: HashSet<&str> = rows.iter().map(|row| row.ems_ref.as_str()).collect();
            asked.iter().filter(|ems_ref| !present.contains(ems_ref.as_str())).cloned().collect()
        }
        CollectionScope::All => {
            let (given_back, missing) = vmdb
                .read(move |connection| {
                    let present = rows.iter().map(|row| row.ems_ref.as_str());
                    let missing = inventory::stale(connection, ems_id, association, present)?;
                    Ok((rows, missing))
                })
                .await?;
            rows = given_back;
            missing
        }
    };
    let (mut differing, mut unchanged) = (Vec::new(), 0);
    // What was compared and is as it should be is let go at once.
    let mut rows = VecDeque::from(rows);
    while !rows.is_empty() {
        let some = rows.drain(..rows.len().min(AT_ONCE)).collect();
        let (left, same) =
            vmdb.read(move |connection| inventory::differing(connection, ems_id, association, some)).await?;
        differing.extend(left);
        unchanged += same;
    }
    Ok(Compared { rows: differing, unchanged, missing, scope })
}

/// Of several rows with one `ems_ref` the last counts.
fn last_of_each(mut rows: Vec<Row>) -> Vec<Row> {
    let last: HashMap<&str, usize> =
        rows.iter().enumerate().map(|(index, row)| (row.ems_ref.as_str(), index)).collect();
    if last.len() == rows.len() {
        return rows;
    }
    let kept: HashSet<usize> = last.into_values().collect();
    let mut index = 0..;
    rows.retain(|_| index.next().is_some_and(|index| kept.contains(&index)));
    rows
}
