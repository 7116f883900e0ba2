//! Events that come before their object are linked by the refresh that brings it, once, and never to another EMS's.

use crate::support::{Fresh, batch, event, on_both};
use catchall::provider::{Attribute, CollectionScope, EmsEvent, EmsId, InventoryCollection, Row};
use catchall::vmdb::{Connection, Fields, VmdbError, event_commit, event_links, inventory};

on_both! {
    each_reference_is_linked_by_the_refresh_that_brings_its_object
    containers_and_storages_are_linked_too
    a_uid_is_linked_and_a_name_that_was_said_stays
    another_emss_object_of_the_same_name_links_nothing
    an_archived_vm_that_comes_back_is_linked
    what_is_linked_stays_linked_to_its_first_object
    more_events_than_one_transaction_takes_are_all_linked
    what_was_found_at_the_commit_waits_for_nothing
}

type Rows = Vec<(&'static str, Vec<(&'static str, Attribute)>)>;

/// What a refresh of this EMS does with these rows, until nothing waits.
fn save(c: &mut Connection, ems_id: i64, association: &'static str, rows: Rows) -> Result<(), VmdbError> {
    let row = |(ems_ref, attributes): (&str, _)| Row { ems_ref: ems_ref.to_owned(), attributes };
    let rows = rows.into_iter().map(row).collect();
    let scope = CollectionScope::Nothing;
    inventory::save(c, EmsId(ems_id), &InventoryCollection { association, rows, scope })?;
    while event_links::link_waiting(c, EmsId(ems_id))? {}
    Ok(())
}

fn name(name: &str) -> Vec<(&'static str, Attribute)> {
    vec![("name", Attribute::Text(name.to_owned()))]
}

/// Commits an event of EMS 1.
async fn commit(fresh: &Fresh, uid: &'static str, say: impl FnOnce(&mut EmsEvent)) {
    let mut said = event(uid, "X");
    say(&mut said.event);
    let batches = vec![batch(vec![said])];
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &batches)).await.unwrap();
}

const COLUMNS: &str = "vm_or_template_id, vm_name, dest_vm_or_template_id, dest_vm_name, host_id, host_name, dest_host_id, \
                       dest_host_name, availability_zone_id, ems_cluster_id, ems_cluster_name, container_node_id, \
                       container_node_name, container_group_id, container_group_name, container_replicator_id, \
                       container_replicator_name, physical_storage_id, physical_storage_name";

async fn row(fresh: &Fresh, uid: &'static str) -> Fields {
    let sql = format!("SELECT {COLUMNS} FROM event_streams WHERE event_uid = ?");
    fresh.write(move |c| c.rows(&sql, &[uid.into()])).await.remove(0)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The ids and names of a row, NULLs left out.
fn told(row: &Fields) -> String {
    let column = |index| row.string(index).or_else(|| row.integer(index).map(|id| id.to_string()));
    (0..19).filter_map(column).collect::<Vec<_>>().join(" ")
}

async fn each_reference_is_linked_by_the_refresh_that_brings_its_object(fresh: Fresh) {
    commit(&fresh, "a", |e| {
        e.vm_ems_ref = text("vm-1");
        e.dest_vm_ems_ref = text("vm-2");
        e.host_ems_ref = text("host-1");
        e.dest_host_ems_ref = text("host-2");
        e.ems_cluster_ems_ref = text("cluster-1");
    })
    .await;
    commit(&fresh, "b", |e| e.availability_zone_ems_ref = text("az-2")).await;
    assert_eq!(told(&row(&fresh, "a").await), "");
    let zone = vec![
        ("name", Attribute::Text("web".to_owned())),
        ("availability_zone_id", Attribute::reference("availability_zones", Some("az-1"))),
    ];
    fresh
        .write(|c| {
            save(c, 1, "availability_zones", vec![("az-1", name("zone")), ("az-2", name("zone 2"))])?;
            save(c, 1, "ems_clusters", vec![("cluster-1", name("cluster"))])?;
            save(c, 1, "hosts", vec![("host-1", name("h1")), ("host-2", name("h2"))])?;
            save(c, 1, "vms", vec![("vm-2", name("db"))])?;
            save(c, 1, "vms", vec![("vm-1", zone)])
        })
        .await;
    // The zone is the VM's.
    assert_eq!(told(&row(&fresh, "a").await), "2 web 1 db 1 h1 2 h2 1 1 cluster");
    assert_eq!(told(&row(&fresh, "b").await), "2");
    assert_eq!(fresh.count("SELECT count(*) FROM event_links").await, 0);
    assert_eq!(fresh.count("SELECT count(*) FROM late_links").await, 0);
}

async fn containers_and_storages_are_linked_too(fresh: Fresh) {
    commit(&fresh, "a", |e| {
        e.container_node_ems_ref = text("n");
        e.container_group_ems_ref = text("g");
        e.container_replicator_ems_ref = text("r");
        e.physical_storage_ems_ref = text("s");
    })
    .await;
    let insert = "
        INSERT INTO container_nodes (id, name, ems_id, ems_ref) VALUES (1, 'other', 2, 'n'), (2, 'node', 1, 'n');
        INSERT INTO container_groups (id, name, ems_id, ems_ref) VALUES (3, 'group', 1, 'g');
        INSERT INTO container_replicators (id, name, ems_id, ems_ref) VALUES (4, 'replicator', 1, 'r');
        INSERT INTO physical_storages (id, name, ems_id, ems_ref, created_at, updated_at) VALUES
            (5, 'storage', 1, 's', '2026-11-24 12:00:00', '2026-11-24 12:00:00');";
    fresh
        .write(move |c| {
            c.batch(insert)?;
            for (table, ems_ref) in [
                ("container_nodes", "n"),
                ("container_groups", "g"),
                ("container_replicators", "r"),
                ("physical_storages", "s"),
            ] {
                event_links::link(c, EmsId(1), table, &[ems_ref])?;
            }
            Ok(())
        })
        .await;
    let all = "2 node 3 group 4 replicator 5 storage";
    assert_eq!(told(&row(&fresh, "a").await), all);
    // And so they are when they were there first.
    commit(&fresh, "b", |e| {
        e.container_node_ems_ref = text("n");
        e.container_group_ems_ref = text("g");
        e.container_replicator_ems_ref = text("r");
        e.physical_storage_ems_ref = text("s");
    })
    .await;
    assert_eq!(told(&row(&fresh, "b").await), all);
}

async fn a_uid_is_linked_and_a_name_that_was_said_stays(fresh: Fresh) {
    commit(&fresh, "a", |e| (e.vm_uid_ems, e.vm_name) = (text("uid-1"), text("said"))).await;
    commit(&fresh, "b", |e| e.host_uid_ems = text("uid-1")).await;
    commit(&fresh, "c", |e| (e.vm_ems_ref, e.vm_uid_ems) = (text("vm-1"), text("uid-1"))).await;
    let with_uid = || vec![("uid_ems", Attribute::Text("uid-1".to_owned()))];
    fresh
        .write(move |c| {
            save(c, 1, "hosts", vec![("host-7", with_uid())])?;
            save(c, 1, "vms", vec![("vm-1", with_uid())])
        })
        .await;
    assert_eq!(told(&row(&fresh, "a").await), "1 said");
    assert_eq!(row(&fresh, "b").await.integer(4), Some(1));
    assert_eq!(told(&row(&fresh, "c").await), "1");
    assert_eq!(fresh.count("SELECT count(*) FROM event_links").await, 0);
}

async fn another_emss_object_of_the_same_name_links_nothing(fresh: Fresh) {
    commit(&fresh, "a", |e| (e.vm_ems_ref, e.host_ems_ref) = (text("1"), text("1"))).await;
    commit(&fresh, "b", |e| e.vm_uid_ems = text("uid")).await;
    let uid = vec![("uid_ems", Attribute::Text("uid".to_owned()))];
    fresh
        .write(move |c| {
            save(c, 2, "vms", vec![("1", uid)])?;
            save(c, 2, "hosts", vec![("1", name("other"))])?;
            // A cluster of the same name is not what the event is about.
            save(c, 1, "ems_clusters", vec![("1", name("cluster"))])
        })
        .await;
    assert_eq!(told(&row(&fresh, "a").await), "");
    assert_eq!(told(&row(&fresh, "b").await), "");
    assert_eq!(fresh.count("SELECT count(*) FROM event_links").await, 2);
}

async fn an_archived_vm_that_comes_back_is_linked(fresh: Fresh) {
    fresh.write(|c| save(c, 1, "vms", vec![("vm-1", name("web"))])).await;
    fresh.write(|c| inventory::remove(c, EmsId(1), "vms", &["vm-1".to_owned()])).await;
    commit(&fresh, "a", |e| e.vm_ems_ref = text("vm-1")).await;
    assert_eq!(told(&row(&fresh, "a").await), "");
    fresh.write(|c| save(c, 1, "vms", vec![("vm-1", name("web 2"))])).await;
    assert_eq!(told(&row(&fresh, "a").await), "1 web 2");
}

async fn what_is_linked_stays_linked_to_its_first_object(fresh: Fresh) {
    commit(&fresh, "a", |e| (e.vm_ems_ref, e.vm_uid_ems) = (text("vm-1"), text("moved"))).await;
    fresh.write(|c| save(c, 1, "vms", vec![("vm-1", name("first"))])).await;
    let moved = vec![("uid_ems", Attribute::Text("moved".to_owned()))];
    fresh.write(move |c| save(c, 1, "vms", vec![("vm-2", moved)])).await;
    assert_eq!(told(&row(&fresh, "a").await), "1 first");
    assert_eq!(fresh.count("SELECT count(*) FROM event_links").await, 0);
}

async fn more_events_than_one_transaction_takes_are_all_linked(fresh: Fresh) {
    let said = |number: usize| {
        let mut said = event(&format!("{number}"), "X");
        said.event.vm_ems_ref = Some(format!("vm-{}", number % 3));
        said.event.host_ems_ref = text("host-1");
        said
    };
    let batches = vec![batch((0..2_500).map(said).collect())];
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &batches)).await.unwrap();
    fresh
        .write(|c| {
            save(c, 1, "hosts", vec![("host-1", name("h1"))])?;
            save(c, 1, "vms", vec![("vm-0", name("0")), ("vm-1", name("1")), ("vm-2", name("2"))])
        })
        .await;
    let linked =
        "SELECT count(*) FROM event_streams WHERE vm_or_template_id IS NOT NULL AND host_id IS NOT NULL";
    assert_eq!(fresh.count(linked).await, 2_500);
    assert_eq!(fresh.count("SELECT count(*) FROM late_links").await, 0);
}

async fn what_was_found_at_the_commit_waits_for_nothing(fresh: Fresh) {
    fresh.write(|c| save(c, 1, "hosts", vec![("host-1", name("h1"))])).await;
    commit(&fresh, "a", |e| e.host_ems_ref = text("host-1")).await;
    commit(&fresh, "a", |e| e.host_ems_ref = text("host-2")).await;
    assert_eq!(told(&row(&fresh, "a").await), "1 h1");
    // A duplicate is no event, and waits for nothing either.
    assert_eq!(fresh.count("SELECT count(*) FROM event_links").await, 0);
}
