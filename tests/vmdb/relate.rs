//! References of events become ids of inventory, by ManageIQ's rules and never across EMSs.

use crate::support::{Fresh, batch, event, on_both};
use catchall::provider::EmsEvent;
use catchall::vmdb::{Fields, event_commit};

on_both! {
    a_reference_is_found_within_its_ems_only
    a_uid_is_found_in_the_ems_and_among_archived_rows_it_owned
    hosts_zones_and_clusters_are_found_and_the_zone_of_the_vm_is_taken
}

const VMS: &str = "
    INSERT INTO vms (id, name, ems_id, ems_ref, uid_ems, archived_ems_id, availability_zone_id) VALUES
        (1, 'other cloud', 2, 'vm-1', 'uid-1', NULL, NULL),
        (2, 'mine', 1, 'vm-1', 'uid-2', NULL, 77),
        (3, 'archived, mine', NULL, 'vm-3', 'uid-3', 1, NULL),
        (4, 'archived, other', NULL, 'vm-4', 'uid-4', 2, NULL),
        (5, 'archived twin', NULL, 'vm-5', 'uid-5', 1, NULL),
        (6, 'live twin', 1, 'vm-6', 'uid-5', NULL, NULL);
    INSERT INTO hosts (id, name, ems_id, ems_ref, uid_ems, archived_ems_id) VALUES
        (1, 'host', 1, 'host-1', 'host-uid-1', NULL), (2, 'old host', NULL, 'host-2', 'host-uid-2', 1);
    INSERT INTO availability_zones (id, name, ems_id, ems_ref) VALUES (5, 'zone', 1, 'az-1');
    INSERT INTO ems_clusters (id, name, ems_id, ems_ref) VALUES (6, 'cluster', 1, 'cluster-1');";

/// Commits an event made by `say`, and returns the columns of its row.
async fn related(fresh: &Fresh, uid: &'static str, say: impl FnOnce(&mut EmsEvent)) -> Fields {
    let mut said = event(uid, "X");
    say(&mut said.event);
    let batches = vec![batch(vec![said])];
    let sql = "SELECT vm_or_template_id, vm_name, dest_vm_or_template_id, dest_vm_name, host_id, host_name, \
               dest_host_id, availability_zone_id, ems_cluster_id, ems_cluster_name FROM event_streams WHERE event_uid = ?";
    let work = move |c: &mut catchall::vmdb::Connection| {
        event_commit::commit(c, &batches)?;
        c.rows(sql, &[uid.into()])
    };
    fresh.vmdb.commit(0, work).await.unwrap().remove(0)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn a_reference_is_found_within_its_ems_only(fresh: Fresh) {
    fresh.write(|c| c.batch(VMS)).await;
    let row = related(&fresh, "a", |e| e.vm_ems_ref = text("vm-1")).await;
    assert_eq!((row.integer(0), row.text(1)), (Some(2), Some("mine")));
    let row = related(&fresh, "b", |e| (e.vm_ems_ref, e.vm_name) = (text("vm-1"), text("said"))).await;
    assert_eq!((row.integer(0), row.text(1)), (Some(2), Some("said")));
    let row = related(&fresh, "c", |e| e.vm_ems_ref = text("vm-3")).await;
    assert_eq!((row.integer(0), row.text(1)), (None, None));
    let row = related(&fresh, "d", |e| e.dest_vm_ems_ref = text("vm-6")).await;
    assert_eq!((row.integer(2), row.text(3), row.integer(0)), (Some(6), Some("live twin"), None));
}

async fn a_uid_is_found_in_the_ems_and_among_archived_rows_it_owned(fresh: Fresh) {
    fresh.write(|c| c.batch(VMS)).await;
    let found =
        [("a", "uid-2", Some(2)), ("b", "uid-3", Some(3)), ("c", "uid-4", None), ("d", "uid-1", None)];
    for (uid, uid_ems, id) in found {
        let row = related(&fresh, uid, |e| e.vm_uid_ems = text(uid_ems)).await;
        assert_eq!(row.integer(0), id, "{uid_ems}");
    }
    let row = related(&fresh, "e", |e| e.vm_uid_ems = text("uid-5")).await;
    assert_eq!(row.text(1), Some("live twin"));
    let row = related(&fresh, "f", |e| (e.vm_ems_ref, e.vm_uid_ems) = (text("gone"), text("uid-3"))).await;
    assert_eq!(row.integer(0), Some(3));
    let row = related(&fresh, "g", |e| e.host_uid_ems = text("host-uid-2")).await;
    assert_eq!((row.integer(4), row.text(5)), (Some(2), Some("old host")));
}

async fn hosts_zones_and_clusters_are_found_and_the_zone_of_the_vm_is_taken(fresh: Fresh) {
    fresh.write(|c| c.batch(VMS)).await;
    let row = related(&fresh, "a", |e| {
        e.host_ems_ref = text("host-1");
        e.dest_host_ems_ref = text("host-1");
        e.availability_zone_ems_ref = text("az-1");
        e.ems_cluster_ems_ref = text("cluster-1");
        e.vm_ems_ref = text("vm-1");
    })
    .await;
    let ids: Vec<_> = [4, 6, 7, 8].iter().map(|column| row.integer(*column)).collect();
    assert_eq!(ids, [Some(1), Some(1), Some(5), Some(6)]);
    assert_eq!((row.text(5), row.text(9)), (Some("host"), Some("cluster")));
    let row = related(&fresh, "b", |e| e.vm_ems_ref = text("vm-1")).await;
    assert_eq!(row.integer(7), Some(77));
}
