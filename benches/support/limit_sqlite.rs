//! What SQLite takes at most: the same rows through one connection that behaves as Catchall's, with nothing around it.

use crate::row::{COLUMNS, Row, WIDTH};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use std::path::Path;
use std::time::{Duration, Instant};

/// A raw loop: one prepared statement of one row, `per_commit` rows in a transaction.
pub fn raw_loop(file: &Path, rows: &[Row], per_commit: usize) -> Duration {
    let mut connection = open(file);
    let begin = Instant::now();
    for rows in rows.chunks(per_commit) {
        let insert = |connection: &mut SqliteConnection| {
            rows.iter().try_for_each(|row| One(row).execute(connection).map(drop))
        };
        connection.immediate_transaction(insert).unwrap();
    }
    begin.elapsed()
}

/// One statement of 500 rows in a transaction.
pub fn multi_row(file: &Path, rows: &[Row]) -> Duration {
    let mut connection = open(file);
    let begin = Instant::now();
    for rows in rows.chunks_exact(500) {
        let insert = |connection: &mut SqliteConnection| Many(rows).execute(connection);
        assert_eq!(connection.immediate_transaction(insert).unwrap(), rows.len());
    }
    begin.elapsed()
}

/// With what Catchall's writing connection is set to.
fn open(file: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(&file.display().to_string()).unwrap();
    connection
        .batch_execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -32768;",
        )
        .unwrap();
    connection
}

struct One<'a>(&'a Row);
struct Many<'a>(&'a [Row]);

impl QueryFragment<Sqlite> for One<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        head(&mut out);
        values(&mut out, self.0)
    }
}

impl QueryFragment<Sqlite> for Many<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        head(&mut out);
        for (index, row) in self.0.iter().enumerate() {
            out.push_sql(if index == 0 { "" } else { "," });
            values(&mut out, row)?;
        }
        out.push_sql(" ON CONFLICT (ems_id, event_uid) DO NOTHING");
        Ok(())
    }
}

/// A constant identity: the text is made and prepared once.
macro_rules! prepared_once {
    ($($statement:ident)*) => {$(
        impl QueryId for $statement<'_> {
            type QueryId = $statement<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }
        impl RunQueryDsl<SqliteConnection> for $statement<'_> {}
    )*};
}
prepared_once!(One Many);

fn head(out: &mut AstPass<'_, '_, Sqlite>) {
    out.push_sql("INSERT INTO event_streams (");
    out.push_sql(COLUMNS);
    out.push_sql(") VALUES ");
}

fn values<'b>(out: &mut AstPass<'_, 'b, Sqlite>, row: &'b Row) -> QueryResult<()> {
    let mut pushed = 0;
    let mut comma = |out: &mut AstPass<'_, 'b, Sqlite>| {
        out.push_sql(if pushed == 0 { "(" } else { "," });
        pushed += 1;
        debug_assert!(pushed <= WIDTH);
    };
    macro_rules! push {
        ($($kind:ty: $value:expr),* $(,)?) => {$( comma(out); out.push_bind_param::<$kind, _>($value)?; )*};
    }
    push!(
        BigInt: &row.ems_id,
        Text: &row.event_uid,
        Text: row.class,
        Text: &row.event_type,
        Text: &row.source,
        Text: &row.timestamp_text,
        Text: &row.created_on_text,
        Text: &row.full_data,
        BigInt: &row.work_id,
        Nullable<Text>: &row.message,
        Nullable<Text>: &row.ems_ref,
        Nullable<BigInt>: &row.chain_id,
        Nullable<Text>: &row.username,
        BigInt: &row.vm_or_template_id,
        Nullable<Text>: &row.vm_ems_ref,
        Nullable<Text>: &row.vm_name,
    );
    out.push_sql(")");
    Ok(())
}
