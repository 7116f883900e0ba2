//! The tables are the same in both databases, and as ManageIQ's.

use crate::support::{Fresh, on_both};
use std::collections::BTreeSet;

on_both! {
    migrating_twice_does_nothing_the_second_time
    every_column_of_manageiq_that_events_need_is_there
}

async fn migrating_twice_does_nothing_the_second_time(fresh: Fresh) {
    assert_eq!(fresh.vmdb.migrate().await.unwrap(), Vec::<String>::new());
}

async fn every_column_of_manageiq_that_events_need_is_there(fresh: Fresh) {
    let rows = fresh.vmdb.read(|c| {
        c.rows(
            "SELECT dest_ems_cluster_uid, physical_storage_name, work_id, event_uid FROM event_streams",
            &[],
        )
    });
    assert_eq!(rows.await.unwrap(), vec![]);
}

#[tokio::test]
async fn going_down_and_up_again_works_in_both_databases() {
    const DOWN: [&str; 2] = [
        concat!(
            include_str!("../../migrations/sqlite/2026-11-29-100000_openstack/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-29-010000_history/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-29-000000_timeline/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-24-221000_dead_letter_transport/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-24-220000_flood/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-24-180100_relating/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-24-180000_automate/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-24-000000_vmdb/down.sql"),
        ),
        concat!(
            include_str!("../../migrations/postgres/2026-11-29-100000_openstack/down.sql"),
            include_str!("../../migrations/postgres/2026-11-29-010000_history/down.sql"),
            include_str!("../../migrations/postgres/2026-11-29-000000_timeline/down.sql"),
            include_str!("../../migrations/postgres/2026-11-24-221000_dead_letter_transport/down.sql"),
            include_str!("../../migrations/postgres/2026-11-24-220000_flood/down.sql"),
            include_str!("../../migrations/postgres/2026-11-24-180100_relating/down.sql"),
            include_str!("../../migrations/postgres/2026-11-24-180000_automate/down.sql"),
            include_str!("../../migrations/postgres/2026-11-24-000000_vmdb/down.sql"),
        ),
    ];
    for (fresh, down) in [Fresh::sqlite().await, Fresh::postgres().await].into_iter().zip(DOWN) {
        let Some(fresh) = fresh else { continue };
        fresh.write(move |c| c.batch(down)).await;
        fresh.write(|c| c.batch("DELETE FROM __diesel_schema_migrations")).await;
        assert_eq!(
            fresh.vmdb.migrate().await.unwrap(),
            [
                "20261124000000",
                "20261124180000",
                "20261124180100",
                "20261124220000",
                "20261124221000",
                "20261129000000",
                "20261129010000",
                "20261129100000"
            ]
        );
    }
}

const POSTGRES: &str = "SELECT table_name, column_name, data_type FROM information_schema.columns \
                        WHERE table_schema = current_schema() AND table_name NOT LIKE '%diesel%'";
const SQLITE: &str = "SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p \
                      WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '%diesel%'";

/// (table, column, kind), the kinds brought together.
async fn columns(fresh: &Fresh, sql: &'static str) -> BTreeSet<(String, String, &'static str)> {
    let rows = fresh.vmdb.read(move |c| c.rows(sql, &[])).await.unwrap();
    let kind = |name: &str| match name.to_lowercase().as_str() {
        "bigint" => "bigint",
        "integer" => "integer",
        "boolean" => "boolean",
        "text" | "character varying" | "jsonb" | "array" => "text",
        "blob" | "bytea" => "blob",
        name if name.starts_with("timestamp") => "timestamp",
        other => panic!("{other}"),
    };
    let row = |row: &catchall::vmdb::Fields| {
        let (table, column) = (row.string(0).unwrap(), row.string(1).unwrap());
        // SQLite gives ids by itself only to a column of type INTEGER, which holds 64 bits.
        let kind = if column == "id" { "bigint" } else { kind(row.text(2).unwrap()) };
        (table, column, kind)
    };
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let Some(postgres) = Fresh::postgres().await else { return };
    let sqlite = Fresh::sqlite().await.unwrap();
    let (postgres, sqlite) = (columns(&postgres, POSTGRES).await, columns(&sqlite, SQLITE).await);
    assert_eq!(postgres.difference(&sqlite).collect::<Vec<_>>(), Vec::<&(String, String, &str)>::new());
    assert_eq!(sqlite.difference(&postgres).collect::<Vec<_>>(), Vec::<&(String, String, &str)>::new());
    assert!(sqlite.len() > 300, "{}", sqlite.len());
}
