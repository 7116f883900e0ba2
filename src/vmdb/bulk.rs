//! Many rows of one table, new or changed: on PostgreSQL one statement over arrays, on SQLite one cached statement for some
//! rows each.

use super::VmdbError;
use super::dialect::Connection;
use super::statement::{Column, Fields, Value};

/// One column with the values of all rows.
pub(super) type BulkColumn<'a> = (&'static str, Vec<Value<'a>>);

/// Rows a statement of PostgreSQL takes at most. Its arrays are spread in memory up to `work_mem` (4 MB), beyond that on
/// the disk, which a thousand events of a kilobyte stay well below.
const CHUNK: usize = 1000;

/// Rows a statement of SQLite takes; what remains goes row by row.
const SQLITE_ROWS: usize = 16;

/// Inserts rows in their order. `tail` follows the values (`ON CONFLICT …`, `RETURNING …`); what it returns is returned.
///
/// Columns that are NULL in all rows are left out, which is most of them.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn insert(
    connection: &mut Connection,
    table: &str,
    columns: &[BulkColumn<'_>],
    tail: &str,
) -> Result<Vec<Fields>, VmdbError> {
    inserting(connection, columns, |names, source| format!("INSERT INTO {table} ({names}) {source} {tail}"))
}

/// As [`insert`], but passes over rows whose `ems_id` and `event_uid` the table `known` has. It is asked row by row and by its
/// index, whatever a planner thinks of its size.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn insert_unknown(
    connection: &mut Connection,
    table: &str,
    known: &str,
    columns: &[BulkColumn<'_>],
    tail: &str,
) -> Result<Vec<Fields>, VmdbError> {
    inserting(connection, columns, |names, source| {
        format!(
            "WITH fresh ({names}) AS ({source}) INSERT INTO {table} ({names}) SELECT {names} FROM fresh WHERE \
             (SELECT 1 FROM {known} known WHERE known.ems_id = fresh.ems_id AND known.event_uid = fresh.event_uid) IS NULL \
             {tail}"
        )
    })
}

/// Runs the statement that `sql` makes of the names of the columns and the rows' source, chunk by chunk.
fn inserting(
    connection: &mut Connection,
    columns: &[BulkColumn<'_>],
    sql: impl Fn(&str, &str) -> String,
) -> Result<Vec<Fields>, VmdbError> {
    let used: Vec<_> = columns.iter().filter(|(_, values)| !values.iter().all(is_null)).collect();
    let names = names(&used);
    let mut returned = Vec::new();
    in_chunks(connection, &used, |connection, source, values| {
        returned.append(&mut connection.rows(&sql(&names, source), values)?);
        Ok(())
    })?;
    Ok(returned)
}

/// Changes rows, which are known by the first column, `id`. `set` is what to set, in terms of the columns of `fresh`:
/// `name = fresh.name`.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn update(
    connection: &mut Connection,
    table: &str,
    columns: &[BulkColumn<'_>],
    set: &str,
) -> Result<(), VmdbError> {
    let columns: Vec<_> = columns.iter().collect();
    let names = names(&columns);
    in_chunks(connection, &columns, |connection, source, values| {
        let sql = format!(
            "WITH fresh ({names}) AS ({source}) UPDATE {table} SET {set} FROM fresh WHERE {table}.id = fresh.id"
        );
        connection.execute(&sql, values).map(drop)
    })
}

fn names(columns: &[&BulkColumn<'_>]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Calls `work` with what stands for some rows in a statement, and their values, until all rows had their turn.
fn in_chunks(
    connection: &mut Connection,
    columns: &[&BulkColumn<'_>],
    mut work: impl FnMut(&mut Connection, &str, &[Value<'_>]) -> Result<(), VmdbError>,
) -> Result<(), VmdbError> {
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    let marks = vec!["?"; columns.len()].join(", ");
    let mut start = 0;
    while start < rows {
        if connection.has_lanes() {
            let end = rows.min(start + CHUNK);
            let values: Vec<_> = columns.iter().map(|(_, values)| array(&values[start..end])).collect();
            work(connection, &format!("SELECT * FROM UNNEST({marks})"), &values)?;
            start = end;
        } else {
            // Two texts for each table and set of columns, so that both stay in the statement cache.
            let count = if rows - start >= SQLITE_ROWS { SQLITE_ROWS } else { 1 };
            let tuples = vec![format!("({marks})"); count].join(", ");
            let values = (start..start + count)
                .flat_map(|row| columns.iter().map(move |(_, values)| values[row].clone()));
            work(connection, &format!("VALUES {tuples}"), &values.collect::<Vec<_>>())?;
            start += count;
        }
    }
    Ok(())
}

fn is_null(value: &Value<'_>) -> bool {
    matches!(value, Value::Text(None) | Value::Integer(None) | Value::Boolean(None) | Value::Time(None))
}

/// The values of a column are of one kind.
fn array<'a>(values: &[Value<'a>]) -> Value<'a> {
    macro_rules! of {
        ($kind:ident) => {
            Value::Column(Column::$kind(
                values
                    .iter()
                    .map(|value| if let Value::$kind(value) = value { *value } else { None })
                    .collect(),
            ))
        };
    }
    match values.first() {
        Some(Value::Integer(_)) => of!(Integer),
        Some(Value::Boolean(_)) => of!(Boolean),
        Some(Value::Time(_)) => of!(Time),
        _ => of!(Text),
    }
}
