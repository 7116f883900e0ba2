//! Every association that the tables allow: what saving fills, what becomes of rows that are gone, how they come back.

use crate::support::{Fresh, on_both};
use catchall::provider::{Attribute, CollectionScope, EmsId, InventoryCollection, Row};
use catchall::vmdb::VmdbError;
use catchall::vmdb::inventory::{self, SaveCounts};

on_both! {
    every_association_can_be_added_to_changed_and_emptied
    a_wrong_column_is_an_error_that_names_it_and_its_association
    what_was_archived_is_found_by_its_uid_and_gets_its_new_ems_ref
    an_archived_row_is_revived_once_and_only_by_its_own_ems
    containers_that_are_gone_are_dated_and_come_back
    nothing_refers_to_what_was_removed
    an_archived_vm_is_on_no_host_and_keeps_the_rest
    of_two_rows_with_one_ems_ref_the_last_counts
    a_time_of_nanoseconds_is_not_a_change
    many_rows_change_at_once_and_the_others_stay_as_they_are
}

const ALL: [&str; 24] = [
    "availability_zones",
    "flavors",
    "ems_clusters",
    "hosts",
    "vms",
    "miq_templates",
    "snapshots",
    "container_projects",
    "container_nodes",
    "container_groups",
    "container_replicators",
    "physical_storages",
    "cloud_tenants",
    "host_aggregates",
    "key_pairs",
    "cloud_networks",
    "cloud_subnets",
    "network_routers",
    "network_ports",
    "floating_ips",
    "security_groups",
    "cloud_volumes",
    "cloud_volume_snapshots",
    "orchestration_stacks",
];

fn text(text: &str) -> Attribute {
    Attribute::Text(text.to_owned())
}

fn row(ems_ref: &str, attributes: Vec<(&'static str, Attribute)>) -> Row {
    Row { ems_ref: ems_ref.to_owned(), attributes }
}

fn named(ems_ref: &str, name: &str) -> Row {
    row(ems_ref, vec![("name", text(name))])
}

fn refers(ems_ref: &str, column: &'static str, association: &'static str, to: &str) -> Row {
    row(ems_ref, vec![(column, Attribute::reference(association, Some(to)))])
}

async fn try_save(
    fresh: &Fresh,
    ems_id: i64,
    association: &'static str,
    rows: Vec<Row>,
) -> Result<SaveCounts, VmdbError> {
    let collection = InventoryCollection { association, rows, scope: CollectionScope::All };
    fresh.vmdb.save(move |c| inventory::save(c, EmsId(ems_id), &collection)).await
}

async fn save(fresh: &Fresh, association: &'static str, rows: Vec<Row>) -> SaveCounts {
    try_save(fresh, 1, association, rows).await.expect("it is saved")
}

fn counts(of: fn(&mut SaveCounts) -> &mut u64, count: u64) -> SaveCounts {
    let mut counts = SaveCounts::default();
    *of(&mut counts) = count;
    counts
}

async fn every_association_can_be_added_to_changed_and_emptied(fresh: Fresh) {
    // An image with the ref of an archived VM is that VM, which became a template.
    for association in ALL.into_iter().filter(|association| *association != "miq_templates") {
        // A floating IP has no name.
        let column = if association == "floating_ips" { "address" } else { "name" };
        let two = |name| vec![row("a", vec![(column, text(name))]), row("b", vec![(column, text("b"))])];
        assert_eq!(save(&fresh, association, two("a")).await, counts(|c| &mut c.added, 2), "{association}");
        let changed = SaveCounts { changed: 1, unchanged: 1, ..SaveCounts::default() };
        assert_eq!(save(&fresh, association, two("z")).await, changed, "{association}");
        assert_eq!(save(&fresh, association, vec![]).await, counts(|c| &mut c.removed, 2), "{association}");
        assert_eq!(save(&fresh, association, vec![]).await, SaveCounts::default(), "{association}");
    }
    let became = save(&fresh, "miq_templates", vec![named("a", "a"), named("c", "c")]).await;
    assert_eq!(became, SaveCounts { added: 1, revived: 1, ..SaveCounts::default() });
    let stamped = "SELECT count(*) FROM hosts WHERE created_on IS NOT NULL AND updated_on > created_on";
    assert_eq!(fresh.count(stamped).await, 2);
}

async fn a_wrong_column_is_an_error_that_names_it_and_its_association(fresh: Fresh) {
    let one = |column, value| vec![row("x", vec![(column, value)])];
    let cases = [
        ("vms", one("colour", text("red")), "association \"vms\": column \"colour\" does not exist"),
        ("flavors", one("created_on", Attribute::Null), "\"created_on\" is filled by saving"),
        ("vms", one("cpu_limit", Attribute::Integer(1 << 40)), "\"cpu_limit\" holds integers of 32 bits"),
        ("hosts", one("maintenance", text("no")), "\"maintenance\" holds booleans"),
        ("hosts", vec![row("x", vec![("name", text("a")), ("name", text("b"))])], "\"name\" is named twice"),
        ("cows", one("name", text("Elsa")), "there is no association \"cows\""),
    ];
    for (association, mut rows, words) in cases {
        rows.insert(0, named("good", "good"));
        let error = try_save(&fresh, 1, association, rows).await.unwrap_err();
        assert!(matches!(&error, VmdbError::Data(message) if message.contains(words)), "{error}");
    }
    assert_eq!(fresh.count("SELECT count(*) FROM vms").await, 0);
}

async fn what_was_archived_is_found_by_its_uid_and_gets_its_new_ems_ref(fresh: Fresh) {
    let vm = |ems_ref, uid| row(ems_ref, vec![("uid_ems", text(uid)), ("name", text(ems_ref))]);
    save(&fresh, "vms", vec![vm("vm-1", "u"), vm("vm-2", "other")]).await;
    save(&fresh, "vms", vec![]).await;
    let back = save(&fresh, "vms", vec![vm("vm-9", "u")]).await;
    assert_eq!(back, counts(|c| &mut c.revived, 1));
    let same = "SELECT id FROM vms WHERE ems_ref = 'vm-9' AND uid_ems = 'u' AND ems_id = 1 AND archived_ems_id IS NULL \
                AND updated_on > created_on AND guid IS NOT NULL AND name = 'vm-9'";
    assert_eq!(fresh.count(same).await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM vms").await, 2);
}

async fn an_archived_row_is_revived_once_and_only_by_its_own_ems(fresh: Fresh) {
    let host = |ems_ref| row(ems_ref, vec![("uid_ems", text("u"))]);
    save(&fresh, "hosts", vec![host("host-1")]).await;
    save(&fresh, "hosts", vec![]).await;
    let strangers = try_save(&fresh, 2, "hosts", vec![host("host-1"), host("host-2")]).await.unwrap();
    assert_eq!(strangers, counts(|c| &mut c.added, 2));
    let own = save(&fresh, "hosts", vec![host("host-1"), host("host-3")]).await;
    assert_eq!(own, SaveCounts { revived: 1, added: 1, ..SaveCounts::default() });
    let found = "SELECT id FROM hosts WHERE ems_id = 1 AND ems_ref = 'host-1'";
    assert_eq!(fresh.count(found).await, 1, "by its ems_ref rather than by the uid of another");
}

async fn containers_that_are_gone_are_dated_and_come_back(fresh: Fresh) {
    for association in ["container_projects", "container_nodes", "container_groups"] {
        save(&fresh, association, vec![named("a", "a"), named("b", "b")]).await;
        save(&fresh, association, vec![named("a", "a")]).await;
        let stale = fresh.vmdb.read(move |c| inventory::stale(c, EmsId(1), association, [])).await.unwrap();
        assert_eq!(stale, ["a"]);
        let back = save(&fresh, association, vec![named("a", "a"), named("b", "b")]).await;
        assert_eq!(back, SaveCounts { unchanged: 1, revived: 1, ..SaveCounts::default() }, "{association}");
    }
    let ids = "SELECT sum(id) FROM container_nodes WHERE deleted_on IS NULL AND ems_id = 1";
    assert_eq!(fresh.vmdb.read(|c| c.rows(&ids.replace("sum(id)", "id"), &[])).await.unwrap().len(), 2);
    save(&fresh, "container_replicators", vec![named("r", "r")]).await;
    save(&fresh, "container_replicators", vec![]).await;
    assert_eq!(fresh.count("SELECT count(*) FROM container_replicators").await, 0);
}

async fn nothing_refers_to_what_was_removed(fresh: Fresh) {
    let cases = [
        ("hosts", "vms", "host_id"),
        ("flavors", "vms", "flavor_id"),
        ("availability_zones", "vms", "availability_zone_id"),
        ("ems_clusters", "vms", "ems_cluster_id"),
        ("ems_clusters", "hosts", "ems_cluster_id"),
        ("availability_zones", "hosts", "availability_zone_id"),
        ("snapshots", "snapshots", "parent_id"),
        ("container_nodes", "container_groups", "container_node_id"),
        ("container_projects", "container_groups", "container_project_id"),
        ("container_replicators", "container_groups", "container_replicator_id"),
        ("container_projects", "container_replicators", "container_project_id"),
        ("cloud_tenants", "vms", "cloud_tenant_id"),
        ("cloud_tenants", "cloud_tenants", "parent_id"),
        ("cloud_tenants", "cloud_networks", "cloud_tenant_id"),
        ("cloud_networks", "cloud_subnets", "cloud_network_id"),
        ("cloud_tenants", "cloud_subnets", "cloud_tenant_id"),
        ("cloud_networks", "network_routers", "cloud_network_id"),
        ("cloud_tenants", "network_routers", "cloud_tenant_id"),
        ("vms", "network_ports", "device_id"),
        ("cloud_networks", "network_ports", "cloud_network_id"),
        ("cloud_subnets", "network_ports", "cloud_subnet_id"),
        ("cloud_tenants", "network_ports", "cloud_tenant_id"),
        ("vms", "floating_ips", "vm_id"),
        ("network_ports", "floating_ips", "network_port_id"),
        ("cloud_networks", "floating_ips", "cloud_network_id"),
        ("cloud_tenants", "floating_ips", "cloud_tenant_id"),
        ("cloud_tenants", "security_groups", "cloud_tenant_id"),
        ("availability_zones", "cloud_volumes", "availability_zone_id"),
        ("cloud_volume_snapshots", "cloud_volumes", "cloud_volume_snapshot_id"),
        ("cloud_tenants", "cloud_volumes", "cloud_tenant_id"),
        ("cloud_volumes", "cloud_volume_snapshots", "cloud_volume_id"),
        ("cloud_tenants", "cloud_volume_snapshots", "cloud_tenant_id"),
        ("orchestration_stacks", "orchestration_stacks", "parent_id"),
        ("cloud_tenants", "orchestration_stacks", "cloud_tenant_id"),
    ];
    for (parent, child, column) in cases {
        for (association, row) in [
            (parent, row("parent", vec![])),
            (parent, row("stays", vec![])),
            (child, refers("child", column, parent, "parent")),
            (child, refers("other", column, parent, "stays")),
        ] {
            fresh.write(move |c| inventory::save_rows(c, EmsId(1), association, &[row])).await;
        }
        let gone = ["parent".to_owned()];
        fresh.vmdb.save(move |c| inventory::remove(c, EmsId(1), parent, &gone)).await.unwrap();
        let sql = format!(
            "SELECT ems_ref FROM {child} WHERE {column} IS NOT NULL AND ems_ref IN ('child', 'other')"
        );
        let left = fresh.vmdb.read(move |c| c.rows(&sql, &[])).await.unwrap();
        assert_eq!(left.len(), 1, "{child}.{column}");
        assert_eq!(left[0].text(0), Some("other"), "{child}.{column}");
    }
}

async fn an_archived_vm_is_on_no_host_and_keeps_the_rest(fresh: Fresh) {
    save(&fresh, "hosts", vec![named("host-1", "h")]).await;
    save(&fresh, "flavors", vec![named("small", "s")]).await;
    let mut vm = refers("vm-1", "host_id", "hosts", "host-1");
    vm.attributes.push(("flavor_id", Attribute::reference("flavors", Some("small"))));
    save(&fresh, "vms", vec![vm.clone()]).await;
    save(&fresh, "vms", vec![]).await;
    let archived =
        "SELECT count(*) FROM vms WHERE ems_id IS NULL AND host_id IS NULL AND flavor_id IS NOT NULL";
    assert_eq!(fresh.count(archived).await, 1);
    save(&fresh, "vms", vec![vm]).await;
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id = 1 AND host_id IS NOT NULL").await, 1);
}

async fn of_two_rows_with_one_ems_ref_the_last_counts(fresh: Fresh) {
    let twice = vec![named("a", "first"), named("b", "b"), named("a", "last")];
    assert_eq!(save(&fresh, "vms", twice).await.added, 2);
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE name = 'last'").await, 1);
}

async fn a_time_of_nanoseconds_is_not_a_change(fresh: Fresh) {
    let time = "2026-11-22T10:26:01.123456789Z".parse().unwrap();
    let vm = vec![row("vm-1", vec![("ems_created_on", Attribute::Time(time))])];
    save(&fresh, "vms", vm.clone()).await;
    assert_eq!(save(&fresh, "vms", vm).await, counts(|c| &mut c.unchanged, 1));
}

async fn many_rows_change_at_once_and_the_others_stay_as_they_are(fresh: Fresh) {
    let rows = |changed: &str| -> Vec<Row> {
        let cpus = |number: i64| if number % 7 == 0 { Attribute::Null } else { Attribute::Integer(number) };
        let power = |number: i64| text(if number % 3 == 0 { changed } else { "on" });
        let row = |n: i64| row(&format!("vm-{n}"), vec![("cpu_limit", cpus(n)), ("power_state", power(n))]);
        (0..1_500).map(row).collect()
    };
    assert_eq!(save(&fresh, "vms", rows("on")).await, counts(|c| &mut c.added, 1_500));
    let changed = save(&fresh, "vms", rows("off")).await;
    assert_eq!(changed, SaveCounts { changed: 500, unchanged: 1_000, ..SaveCounts::default() });
    let dated = "SELECT count(*) FROM vms WHERE power_state = 'off' AND previous_state = 'on' \
                 AND updated_on > created_on AND state_changed_on = updated_on";
    assert_eq!(fresh.count(dated).await, 500);
    let untouched = "SELECT count(*) FROM vms WHERE power_state = 'on' AND previous_state IS NULL \
                     AND updated_on = created_on AND state_changed_on = created_on";
    assert_eq!(fresh.count(untouched).await, 1_000);
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE cpu_limit IS NULL").await, 215);
}
