//! In which order collections are saved: each after those that its rows refer to. Pure.

use crate::provider::{Attribute, InventoryCollection};
use std::collections::BTreeSet;

/// Sorts collections so that references point backwards. Where they go round in a circle, the collection that came first goes
/// first, and saving comes back to its rows. Otherwise the order stays as it was.
pub(super) fn by_references(collections: Vec<InventoryCollection>) -> Vec<InventoryCollection> {
    let mut left: Vec<_> =
        collections.into_iter().map(|collection| (referred_to(&collection), collection)).collect();
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_ready = |(wants, of): &(BTreeSet<&str>, InventoryCollection)| {
            !left
                .iter()
                .any(|(_, other)| other.association != of.association && wants.contains(other.association))
        };
        let next = left.iter().position(is_ready).unwrap_or(0);
        sorted.push(left.remove(next).1);
    }
    sorted
}

fn referred_to(collection: &InventoryCollection) -> BTreeSet<&'static str> {
    let attributes = collection.rows.iter().flat_map(|row| &row.attributes);
    let association = |(_, attribute): &(&str, Attribute)| match attribute {
        Attribute::Reference { association, .. } => Some(*association),
        _ => None,
    };
    attributes.filter_map(association).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{CollectionScope, Row};

    fn collection(association: &'static str, refers_to: &[&'static str]) -> InventoryCollection {
        let reference = |association: &&'static str| ("x_id", Attribute::reference(association, Some("x")));
        let row = Row { ems_ref: "x".to_owned(), attributes: refers_to.iter().map(reference).collect() };
        InventoryCollection { association, rows: vec![row], scope: CollectionScope::Nothing }
    }

    fn order(collections: &[(&'static str, &[&'static str])]) -> Vec<&'static str> {
        let collections = collections.iter().map(|(name, refers_to)| collection(name, refers_to)).collect();
        by_references(collections).iter().map(|collection| collection.association).collect()
    }

    #[test]
    fn what_is_referred_to_goes_first_whatever_the_collector_thought_of() {
        let given: [(&str, &[&str]); 5] = [
            ("snapshots", &["vms", "snapshots"]),
            ("vms", &["flavors", "hosts"]),
            ("hosts", &["ems_clusters", "availability_zones"]),
            ("flavors", &[]),
            ("ems_clusters", &[]),
        ];
        assert_eq!(order(&given), ["flavors", "ems_clusters", "hosts", "vms", "snapshots"]);
        assert_eq!(
            order(&[("flavors", &[]), ("hosts", &[]), ("vms", &["hosts"])]),
            ["flavors", "hosts", "vms"]
        );
    }

    #[test]
    fn two_collections_of_one_association_are_both_there_before_what_refers_to_them() {
        let given: [(&str, &[&str]); 3] = [("hosts", &[]), ("vms", &["hosts"]), ("hosts", &[])];
        assert_eq!(order(&given), ["hosts", "hosts", "vms"]);
    }

    #[test]
    fn a_circle_is_broken_where_it_began() {
        let given: [(&str, &[&str]); 4] =
            [("vms", &["hosts"]), ("hosts", &["ems_clusters"]), ("ems_clusters", &["vms"]), ("flavors", &[])];
        assert_eq!(order(&given), ["flavors", "vms", "ems_clusters", "hosts"]);
    }
}
