//! Saving what a collector brought, as a refresh does: any order of collections, nothing written that is as it was, events
//! committed meanwhile, and a save that fails half way.

use crate::support::{Fresh, on_both};
use async_trait::async_trait;
use catchall::provider::{
    Attribute, CollectionScope, Collector, EmsId, Inventory, InventoryCollection, RefreshError, RefreshScope,
    Row,
};
use catchall::refresh::save::{self, SaveError, Saved};
use catchall::refresh::turns::Turn;
use catchall::vmdb::inventory::SaveCounts;
use catchall::vmdb::{Access, Vmdb, VmdbError};

on_both! {
    a_child_that_came_before_its_parent_is_saved_after_it
    references_within_an_association_and_in_a_circle_are_all_resolved
    an_unchanged_inventory_is_saved_through_a_vmdb_that_cannot_be_written
    what_only_seems_gone_is_kept_and_the_rest_is_counted_by_association
    events_are_committed_while_a_large_inventory_is_saved
    a_save_that_fails_half_way_removes_nothing_and_the_next_one_brings_all
    a_provider_that_cannot_say_what_is_gone_leaves_everything_as_it_was
}

/// What the provider says when it is asked what is really gone.
struct Told(Result<Vec<&'static str>, &'static str>);

#[async_trait]
impl Collector for Told {
    async fn collect(&mut self, _: &RefreshScope) -> Result<Inventory, RefreshError> {
        unreachable!("the inventory is given")
    }

    async fn confirm_gone(&mut self, _: &str, ems_refs: Vec<String>) -> Result<Vec<String>, RefreshError> {
        match &self.0 {
            Ok(kept) => Ok(ems_refs.into_iter().filter(|gone| !kept.contains(&gone.as_str())).collect()),
            Err(reason) => Err(RefreshError::Unreachable((*reason).to_owned())),
        }
    }
}

fn row(ems_ref: impl Into<String>, attributes: Vec<(&'static str, Attribute)>) -> Row {
    Row { ems_ref: ems_ref.into(), attributes }
}

fn named(ems_ref: impl Into<String>, name: &str) -> Row {
    row(ems_ref, vec![("name", Attribute::Text(name.to_owned()))])
}

fn refers(ems_ref: &str, column: &'static str, association: &'static str, to: &str) -> Row {
    row(ems_ref, vec![(column, Attribute::reference(association, Some(to)))])
}

fn inventory(collections: Vec<(&'static str, Vec<Row>)>) -> Inventory {
    let collection =
        |(association, rows)| InventoryCollection { association, rows, scope: CollectionScope::All };
    Inventory { collections: collections.into_iter().map(collection).collect() }
}

async fn try_save(vmdb: &Vmdb, inventory: Inventory) -> Result<Saved, SaveError> {
    save::save(vmdb, (&Turn::alone(EmsId(1)), None), &mut Told(Ok(vec![])), inventory).await
}

async fn save(fresh: &Fresh, collections: Vec<(&'static str, Vec<Row>)>) -> Saved {
    try_save(&fresh.vmdb, inventory(collections)).await.expect("it is saved")
}

async fn a_child_that_came_before_its_parent_is_saved_after_it(fresh: Fresh) {
    let collections = vec![
        ("vms", vec![refers("vm-1", "host_id", "hosts", "host-1")]),
        ("hosts", vec![refers("host-1", "ems_cluster_id", "ems_clusters", "cluster-1")]),
        ("ems_clusters", vec![named("cluster-1", "c")]),
    ];
    let saved = save(&fresh, collections.clone()).await;
    assert_eq!(saved.total(), SaveCounts { added: 3, ..SaveCounts::default() });
    let joined = "SELECT count(*) FROM vms v JOIN hosts h ON h.id = v.host_id JOIN ems_clusters c ON c.id = h.ems_cluster_id";
    assert_eq!(fresh.count(joined).await, 1);
    assert_eq!(save(&fresh, collections).await.total(), SaveCounts { unchanged: 3, ..SaveCounts::default() });
}

async fn references_within_an_association_and_in_a_circle_are_all_resolved(fresh: Fresh) {
    // The lists are made up: columns hold ids, whatever they are of.
    let collections = vec![
        (
            "snapshots",
            vec![
                refers("s-2", "parent_id", "snapshots", "s-1"),
                row(
                    "s-1",
                    vec![
                        ("parent_id", Attribute::Null),
                        ("vm_or_template_id", Attribute::reference("vms", Some("vm-1"))),
                    ],
                ),
            ],
        ),
        ("vms", vec![refers("vm-1", "host_id", "hosts", "host-1")]),
        ("hosts", vec![refers("host-1", "physical_server_id", "vms", "vm-1")]),
    ];
    let saved = save(&fresh, collections.clone()).await;
    assert_eq!(saved.total(), SaveCounts { added: 4, ..SaveCounts::default() });
    let parent = "SELECT count(*) FROM snapshots s JOIN snapshots p ON p.id = s.parent_id JOIN vms v ON v.id = p.vm_or_template_id";
    assert_eq!(fresh.count(parent).await, 1);
    let circle =
        "SELECT count(*) FROM vms v JOIN hosts h ON h.id = v.host_id AND h.physical_server_id = v.id";
    assert_eq!(fresh.count(circle).await, 1);
    assert_eq!(save(&fresh, collections).await.total(), SaveCounts { unchanged: 4, ..SaveCounts::default() });
    // What was there before and now refers to what is new has changed once.
    let moved = vec![(
        "snapshots",
        vec![
            refers("s-2", "parent_id", "snapshots", "s-3"),
            refers("s-1", "vm_or_template_id", "vms", "vm-1"),
            named("s-3", "new"),
        ],
    )];
    let counts = save(&fresh, moved).await.total();
    assert_eq!((counts.added, counts.changed, counts.unchanged), (1, 1, 1));
}

async fn an_unchanged_inventory_is_saved_through_a_vmdb_that_cannot_be_written(fresh: Fresh) {
    let vms = |name: &'static str| -> Vec<Row> {
        let vm = |number| {
            let mut vm = refers(&format!("vm-{number}"), "host_id", "hosts", "host-1");
            vm.attributes.push(("name", Attribute::Text(name.to_owned())));
            vm.attributes.push(("boot_time", Attribute::Null));
            vm
        };
        (0..2_500).map(vm).collect()
    };
    let all = |name| vec![("vms", vms(name)), ("hosts", vec![named("host-1", "h")])];
    save(&fresh, all("a")).await;
    let reader = Vmdb::open(&fresh.settings, Access::Read).await.unwrap();
    let saved = try_save(&reader, inventory(all("a"))).await.unwrap();
    assert_eq!(saved.total(), SaveCounts { unchanged: 2_501, ..SaveCounts::default() });
    let error = try_save(&reader, inventory(all("b"))).await.unwrap_err();
    assert!(matches!(error, SaveError::Vmdb(VmdbError::Full(_))), "{error}");
    reader.close().await;
}

async fn what_only_seems_gone_is_kept_and_the_rest_is_counted_by_association(fresh: Fresh) {
    save(
        &fresh,
        vec![
            ("hosts", vec![named("host-1", "h")]),
            (
                "vms",
                ["vm-1", "vm-2", "vm-3"].map(|ems_ref| refers(ems_ref, "host_id", "hosts", "host-1")).into(),
            ),
        ],
    )
    .await;
    let now = inventory(vec![("vms", vec![named("vm-1", "one"), named("vm-4", "four")]), ("hosts", vec![])]);
    let saved = save::save(&fresh.vmdb, (&Turn::alone(EmsId(1)), None), &mut Told(Ok(vec!["vm-2"])), now)
        .await
        .unwrap();
    let vms = SaveCounts { changed: 1, added: 1, removed: 1, ..SaveCounts::default() };
    assert_eq!(saved.by_association["vms"], vms);
    assert_eq!(saved.by_association["hosts"], SaveCounts { removed: 1, ..SaveCounts::default() });
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id = 1").await, 3);
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE host_id IS NOT NULL").await, 0);
}

async fn events_are_committed_while_a_large_inventory_is_saved(fresh: Fresh) {
    const VMS: i64 = 6_000;
    let vms = (0..VMS).map(|number| named(format!("vm-{number}"), "n")).collect();
    let vmdb = fresh.vmdb.clone();
    let mut saving = tokio::spawn(async move { try_save(&vmdb, inventory(vec![("vms", vms)])).await });
    let mut seen = Vec::new();
    let saved = loop {
        tokio::select! {
            saved = &mut saving => break saved.unwrap().unwrap(),
            () = async {
                let count = fresh.vmdb.commit(0, |c| c.rows("SELECT count(*) FROM vms", &[])?[0].id(0));
                seen.push(count.await.unwrap());
            } => {}
        }
    };
    assert_eq!(saved.total().added, VMS as u64);
    let between = seen.iter().filter(|count| **count > 0 && **count < VMS).count();
    if fresh.vmdb.lanes() > 1 {
        assert!(seen.len() > 1 && between == 0, "PostgreSQL: all or nothing is seen, {seen:?}");
    } else {
        assert!(between >= 5, "SQLite: commits go between the slices, {seen:?}");
    }
}

async fn a_save_that_fails_half_way_removes_nothing_and_the_next_one_brings_all(fresh: Fresh) {
    let old = vec![("hosts", vec![named("host-1", "h")]), ("vms", vec![named("old", "old")])];
    save(&fresh, old).await;
    fresh.write(|c| c.batch("CREATE UNIQUE INDEX only_once ON vms (name)")).await;
    let now = || {
        let mut vms: Vec<Row> =
            (0..1_200).map(|number| named(format!("vm-{number}"), &format!("n{number}"))).collect();
        vms.push(named("twin", "n0"));
        inventory(vec![("hosts", vec![named("host-1", "renamed")]), ("vms", vms)])
    };
    let error = try_save(&fresh.vmdb, now()).await.unwrap_err();
    assert!(matches!(error, SaveError::Vmdb(VmdbError::Data(_))), "{error}");
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_ref = 'old' AND ems_id = 1").await, 1);
    let there = fresh.count("SELECT count(*) FROM vms").await;
    let renamed = fresh.count("SELECT count(*) FROM hosts WHERE name = 'renamed'").await;
    if fresh.vmdb.lanes() > 1 {
        assert_eq!((there, renamed), (1, 0), "PostgreSQL: one transaction");
    } else {
        assert!(there > 1 && there < 1_202 && renamed == 1, "SQLite: {there} VMs, {renamed} hosts");
    }
    fresh.write(|c| c.batch("DROP INDEX only_once")).await;
    let saved = try_save(&fresh.vmdb, now()).await.unwrap();
    assert_eq!(saved.by_association["vms"].removed, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id = 1").await, 1_201);
}

async fn a_provider_that_cannot_say_what_is_gone_leaves_everything_as_it_was(fresh: Fresh) {
    save(&fresh, vec![("vms", vec![named("vm-1", "one")])]).await;
    let now = inventory(vec![("vms", vec![named("vm-2", "two")])]);
    let error = save::save(&fresh.vmdb, (&Turn::alone(EmsId(1)), None), &mut Told(Err("no route")), now)
        .await
        .unwrap_err();
    assert!(matches!(error, SaveError::Refresh(RefreshError::Unreachable(_))), "{error}");
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id = 1 AND ems_ref = 'vm-1'").await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM vms").await, 1);
}
