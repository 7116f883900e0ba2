//! Reads tables for the API: chosen columns, conditions, an order, a page.
//!
//! Names of tables and columns are `&'static str`: they come from a list in the code, never from a request. `event_streams`,
//! which may hold ten million rows, is searched by `event_search`; every other table is asked as it is.

mod condition;
pub mod event_search;

pub use condition::{Comparison, Condition, Operand};

use super::{Connection, Fields, Value, VmdbError};

/// Rows are counted up to this; what is more is not worth the time.
pub const MOST_COUNTED: i64 = 100_000;

/// By what rows are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub column: &'static str,
    /// Largest first.
    pub descending: bool,
    /// Upper and lower case are the same; texts alone.
    pub ignore_case: bool,
}

/// A page of a table.
#[derive(Clone, Debug)]
pub struct Page<'q> {
    /// The table; it has a column `id`.
    pub table: &'static str,
    /// What is read of each row.
    pub columns: &'q [&'static str],
    /// Which rows.
    pub condition: &'q Condition,
    /// In this order; then by id, so that pages do not overlap.
    pub order: &'q [Order],
    /// So many are passed over.
    pub offset: i64,
    /// At most so many.
    pub limit: i64,
}

/// The rows of a page, each with its columns in the order of `page.columns`.
///
/// # Errors
/// See [`VmdbError`].
pub fn page(connection: &mut Connection, page: &Page<'_>) -> Result<Vec<Fields>, VmdbError> {
    let mut values = Vec::new();
    let mut sql = format!("SELECT {} FROM {} WHERE ", page.columns.join(", "), page.table);
    page.condition.write(&mut sql, &mut values);
    sql.push_str(" ORDER BY ");
    for Order { column, descending, ignore_case } in page.order {
        let by = if *ignore_case { format!("lower({column})") } else { (*column).to_owned() };
        // Both databases are told, since each has its own way where nothing is said.
        let direction = if *descending { "DESC NULLS FIRST" } else { "ASC NULLS LAST" };
        sql.push_str(&format!("{by} {direction}, "));
    }
    sql.push_str("id LIMIT ? OFFSET ?");
    values.extend([Value::from(page.limit), page.offset.into()]);
    connection.rows(&sql, &values)
}

/// How many rows meet the condition; `None`: more than [`MOST_COUNTED`].
///
/// # Errors
/// See [`VmdbError`].
pub fn count(
    connection: &mut Connection,
    table: &'static str,
    condition: &Condition,
) -> Result<Option<i64>, VmdbError> {
    let mut values = Vec::new();
    let mut sql = format!("SELECT count(*) FROM (SELECT 1 FROM {table} WHERE ");
    condition.write(&mut sql, &mut values);
    sql.push_str(" LIMIT ?) AS found");
    values.push((MOST_COUNTED + 1).into());
    let rows = connection.rows(&sql, &values)?;
    let count = rows.first().map(|row| row.id(0)).transpose()?.unwrap_or_default();
    Ok((count <= MOST_COUNTED).then_some(count))
}

/// Rows by their ids, in no order.
///
/// # Errors
/// See [`VmdbError`].
pub fn by_ids(
    connection: &mut Connection,
    table: &'static str,
    columns: &[&'static str],
    ids: Vec<i64>,
) -> Result<Vec<Fields>, VmdbError> {
    let sql = format!("SELECT {} FROM {table} WHERE id ?", columns.join(", "));
    connection.rows(&sql, &[Value::Integers(ids)])
}
