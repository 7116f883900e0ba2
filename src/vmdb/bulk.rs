//! Many rows into one table: on PostgreSQL one statement over arrays, on SQLite one cached statement for some rows each.

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
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    let used: Vec<_> = columns.iter().filter(|(_, values)| !values.iter().all(is_null)).collect();
    let names = used.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let marks = vec!["?"; used.len()].join(", ");
    let mut returned = Vec::new();
    if connection.has_lanes() {
        let sql = format!("INSERT INTO {table} ({names}) SELECT * FROM UNNEST({marks}) {tail}");
        for start in (0..rows).step_by(CHUNK) {
            let end = rows.min(start + CHUNK);
            let values: Vec<_> = used.iter().map(|(_, values)| array(&values[start..end])).collect();
            returned.append(&mut connection.rows(&sql, &values)?);
        }
    } else {
        let mut start = 0;
        while start < rows {
            // Two texts for each table and set of columns, so that both stay in the statement cache.
            let count = if rows - start >= SQLITE_ROWS { SQLITE_ROWS } else { 1 };
            let tuples = vec![format!("({marks})"); count].join(", ");
            let sql = format!("INSERT INTO {table} ({names}) VALUES {tuples} {tail}");
            let places = (start..start + count)
                .flat_map(|row| used.iter().map(move |(_, values)| values[row].clone()));
            returned.append(&mut connection.rows(&sql, &places.collect::<Vec<_>>())?);
            start += count;
        }
    }
    Ok(returned)
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
