//! Saving inventory: only what changed is written, what is gone is archived, what comes back is the same row.

use crate::support::{Fresh, on_both};
use catchall::provider::{Attribute, CollectionScope, EmsId, InventoryCollection, Row};
use catchall::vmdb::inventory::{self, SaveCounts};
use catchall::vmdb::inventory_save::InventorySave;

on_both! {
    rows_are_added_then_left_alone_then_changed
    references_become_ids_and_unknown_ones_null
    what_is_gone_is_archived_and_comes_back_as_the_same_row
    vms_and_templates_share_a_table_and_not_their_scope
    flavors_that_are_gone_are_deleted_and_other_emss_keep_theirs
    a_targeted_collection_speaks_only_for_what_it_was_asked
    changes_of_the_power_state_are_dated
    every_kind_of_value_can_be_saved_and_set_to_null
}

fn row(ems_ref: &str, attributes: Vec<(&'static str, Attribute)>) -> Row {
    Row { ems_ref: ems_ref.to_owned(), attributes }
}

fn named(ems_ref: &str, name: &str) -> Row {
    row(ems_ref, vec![("name", Attribute::Text(name.to_owned()))])
}

async fn save(
    fresh: &Fresh,
    association: &'static str,
    rows: Vec<Row>,
    scope: CollectionScope,
) -> SaveCounts {
    let collection = InventoryCollection { association, rows, scope };
    fresh.vmdb.save(move |c| inventory::save(c, EmsId(1), &collection)).await.expect("it is saved")
}

async fn save_all(fresh: &Fresh, association: &'static str, rows: Vec<Row>) -> SaveCounts {
    save(fresh, association, rows, CollectionScope::All).await
}

async fn rows_are_added_then_left_alone_then_changed(fresh: Fresh) {
    let rows = vec![named("vm-1", "one"), named("vm-2", "two")];
    assert_eq!(save_all(&fresh, "vms", rows.clone()).await, SaveCounts { added: 2, ..SaveCounts::default() });
    let updated =
        "SELECT count(DISTINCT updated_on) FROM vms WHERE created_on = updated_on AND guid IS NOT NULL";
    assert_eq!(fresh.count(updated).await, 1);
    assert_eq!(save_all(&fresh, "vms", rows).await, SaveCounts { unchanged: 2, ..SaveCounts::default() });
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE created_on = updated_on").await, 2);
    let rows = vec![named("vm-1", "one"), named("vm-2", "renamed")];
    let counts = SaveCounts { unchanged: 1, changed: 1, ..SaveCounts::default() };
    assert_eq!(save_all(&fresh, "vms", rows).await, counts);
    assert_eq!(
        fresh.count("SELECT count(*) FROM vms WHERE name = 'renamed' AND updated_on > created_on").await,
        1
    );
}

async fn references_become_ids_and_unknown_ones_null(fresh: Fresh) {
    save_all(&fresh, "hosts", vec![named("host-1", "h")]).await;
    let on = |host: &str| vec![("host_id", Attribute::reference("hosts", Some(host)))];
    save_all(&fresh, "vms", vec![row("vm-1", on("host-1")), row("vm-2", on("host-9"))]).await;
    assert_eq!(
        fresh
            .count("SELECT count(*) FROM vms v JOIN hosts h ON h.id = v.host_id WHERE v.ems_ref = 'vm-1'")
            .await,
        1
    );
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE host_id IS NULL AND ems_ref = 'vm-2'").await, 1);
}

async fn what_is_gone_is_archived_and_comes_back_as_the_same_row(fresh: Fresh) {
    save_all(&fresh, "vms", vec![named("vm-1", "one"), named("vm-2", "two")]).await;
    let gone = save_all(&fresh, "vms", vec![named("vm-1", "one")]).await;
    assert_eq!(gone, SaveCounts { unchanged: 1, removed: 1, ..SaveCounts::default() });
    let archived =
        "SELECT count(*) FROM vms WHERE ems_ref = 'vm-2' AND ems_id IS NULL AND archived_ems_id = 1";
    assert_eq!(fresh.count(archived).await, 1);
    let back = save_all(&fresh, "vms", vec![named("vm-1", "one"), named("vm-2", "two")]).await;
    assert_eq!(back, SaveCounts { unchanged: 1, revived: 1, ..SaveCounts::default() });
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id = 1 AND archived_ems_id IS NULL").await, 2);
    assert_eq!(fresh.count("SELECT count(*) FROM vms").await, 2);
}

async fn vms_and_templates_share_a_table_and_not_their_scope(fresh: Fresh) {
    save_all(&fresh, "miq_templates", vec![named("image-1", "i")]).await;
    save_all(&fresh, "vms", vec![named("vm-1", "one")]).await;
    let stale = fresh.vmdb.read(|c| inventory::stale(c, EmsId(1), "vms", [])).await.unwrap();
    assert_eq!(stale, ["vm-1"]);
    save_all(&fresh, "miq_templates", vec![]).await;
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id = 1 AND template IS NOT TRUE").await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id IS NULL AND template").await, 1);
}

async fn flavors_that_are_gone_are_deleted_and_other_emss_keep_theirs(fresh: Fresh) {
    save_all(&fresh, "flavors", vec![named("small", "Small"), named("large", "Large")]).await;
    let others = [named("small", "Small")];
    fresh.write(move |c| inventory::save_rows(c, EmsId(2), "flavors", &others)).await;
    assert_eq!(save_all(&fresh, "flavors", vec![]).await.removed, 2);
    assert_eq!(fresh.count("SELECT count(*) FROM flavors WHERE ems_id = 2").await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM flavors").await, 1);
}

async fn a_targeted_collection_speaks_only_for_what_it_was_asked(fresh: Fresh) {
    save_all(&fresh, "vms", vec![named("a", "a"), named("b", "b"), named("c", "c")]).await;
    let asked = CollectionScope::EmsRefs(vec!["a".to_owned(), "b".to_owned(), "never".to_owned()]);
    let counts = save(&fresh, "vms", vec![named("a", "a")], asked).await;
    assert_eq!(counts, SaveCounts { unchanged: 1, removed: 1, ..SaveCounts::default() });
    let counts = save(&fresh, "vms", vec![named("d", "d")], CollectionScope::Nothing).await;
    assert_eq!(counts, SaveCounts { added: 1, ..SaveCounts::default() });
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id = 1").await, 3);
}

async fn changes_of_the_power_state_are_dated(fresh: Fresh) {
    let state = |state: &str| vec![row("vm-1", vec![("power_state", Attribute::Text(state.to_owned()))])];
    save_all(&fresh, "vms", state("on")).await;
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE state_changed_on = created_on").await, 1);
    save_all(&fresh, "vms", state("off")).await;
    let dated = "SELECT count(*) FROM vms WHERE state_changed_on > created_on AND previous_state = 'on'";
    assert_eq!(fresh.count(dated).await, 1);
}

async fn every_kind_of_value_can_be_saved_and_set_to_null(fresh: Fresh) {
    let time = chrono::DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap();
    let columns = ["description", "cpu_limit", "retired", "boot_time", "flavor_id"];
    let values = [
        Attribute::Text("d".to_owned()),
        Attribute::Integer(4),
        Attribute::Boolean(true),
        Attribute::Time(time),
        Attribute::Integer(1 << 40),
    ];
    let full = row("vm-1", columns.into_iter().zip(values).collect());
    let empty = |ems_ref| row(ems_ref, columns.into_iter().map(|column| (column, Attribute::Null)).collect());
    save_all(&fresh, "vms", vec![full.clone(), empty("vm-2")]).await;
    assert_eq!(save_all(&fresh, "vms", vec![full, empty("vm-2")]).await.unchanged, 2);
    assert_eq!(save_all(&fresh, "vms", vec![empty("vm-1"), empty("vm-2")]).await.changed, 1);
    let null = "SELECT count(*) FROM vms WHERE description IS NULL AND cpu_limit IS NULL AND retired IS NULL AND \
                boot_time IS NULL AND flavor_id IS NULL";
    assert_eq!(fresh.count(null).await, 2);
}

#[tokio::test]
async fn on_postgres_no_plan_for_a_small_table_is_kept_while_a_first_save_fills_it() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let vm = |n| named(&format!("vm-{n}"), "vm");
    let rows: Vec<Row> = (0..10_000).map(vm).collect();
    let plans = fresh.write(move |c| {
        let mut save = InventorySave::new((EmsId(1), None), vec![("vms", rows)], vec![]);
        save.advance(c)?;
        assert!(save.is_done(), "it is one transaction");
        let sql = "SELECT sum(generic_plans)::bigint, sum(custom_plans)::bigint FROM pg_prepared_statements \
                   WHERE statement LIKE ?";
        let rows = c.rows(sql, &["SELECT % FROM vms WHERE ems_id = %".into()])?;
        Ok((rows[0].id(0)?, rows[0].id(1)?))
    });
    let (kept, made) = plans.await;
    assert_eq!(kept, 0, "plans that look at no size");
    assert!(made >= 10, "{made} plans for ten thousand rows");
}
