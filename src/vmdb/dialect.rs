//! The one file that knows that there are two databases: a [`Connection`] is to either, and runs the same SQL on both.
//!
//! Opening is each database's own business (`sqlite`, `postgres`).

use super::columns::{Columns, Kind};
use super::statement::{Column, Field, Fields, Statement, Value};
use super::{Access, VmdbError, postgres::Postgres};
use crate::provider::EmsId;
use chrono::NaiveDateTime;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field as _, NamedRow, Row};
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamp, Untyped};
use diesel::sqlite::{Sqlite, SqliteType};
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// A connection to the VMDB, owned by one of its threads.
pub struct Connection {
    pub(super) raw: Raw,
    reading: bool,
    in_transaction: bool,
    broken: bool,
    columns: HashMap<&'static str, Columns>,
}

pub(super) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(Box<Postgres>),
}

/// The key of PostgreSQL's advisory lock for commits of events: one for each schema.
const EVENTS: &str = "1163285838, hashtext(current_schema())";

/// And those of EMSs' events, so many that a lane, of which there are 1, 2 or 4, shares none with another.
const FIRST_EMS_LOCK: i64 = 1_163_285_839;
const EMS_LOCKS: i64 = 16;

/// Runs the same body on either connection.
macro_rules! on_vmdb {
    ($connection:expr, |$raw:ident| $body:expr) => {
        match &mut $connection.raw {
            $crate::vmdb::dialect::Raw::Sqlite($raw) => $body,
            $crate::vmdb::dialect::Raw::Postgres($raw) => {
                let $raw = &mut **$raw;
                $body
            }
        }
    };
}

impl Connection {
    pub(super) fn new(raw: Raw, access: Access) -> Self {
        let reading = access == Access::Read;
        Self { raw, reading, in_transaction: false, broken: false, columns: HashMap::new() }
    }

    /// Runs `sql` with a `?` for each of `values` (and none anywhere else, not even in a literal); returns how many rows it touched.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<usize, VmdbError> {
        let statement = self.statement(sql, values)?;
        Ok(on_vmdb!(self, |raw| statement.execute(raw))?)
    }

    /// Reads the rows of `sql`.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn rows(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Fields>, VmdbError> {
        let statement = self.statement(sql, values)?;
        Ok(on_vmdb!(self, |raw| statement.load::<Fields>(raw))?)
    }

    /// SQLite takes a list as JSON text, which has to live as long as the statement.
    fn statement<'a>(&self, sql: &'a str, values: &'a [Value<'a>]) -> Result<Statement<'a>, VmdbError> {
        let json = |value: &Value<'_>| match value {
            Value::Texts(list) => Some(serde_json::to_string(list)),
            Value::Integers(list) => Some(serde_json::to_string(list)),
            Value::Pairs(numbers, texts) => {
                Some(serde_json::to_string(&numbers.iter().zip(texts).collect::<Vec<_>>()))
            }
            _ => None,
        };
        let lists = match self.raw {
            Raw::Sqlite(_) => values.iter().filter_map(json).collect::<Result<_, _>>(),
            Raw::Postgres(_) => Ok(Vec::new()),
        };
        Ok(Statement { sql, values, lists: lists.map_err(|error| VmdbError::Bug(error.to_string()))? })
    }

    /// Runs several statements without values.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn batch(&mut self, sql: &str) -> Result<(), VmdbError> {
        Ok(on_vmdb!(self, |raw| raw.batch_execute(sql))?)
    }

    /// Commits what `work` did, or nothing of it. Within a transaction it is a part of that one.
    ///
    /// # Errors
    /// Those of `work` and of the commit. After [`VmdbError::Away`] the commit may have happened.
    pub fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, VmdbError>,
    ) -> Result<T, VmdbError> {
        if self.in_transaction {
            return work(self);
        }
        // SQLite's writers queue up at the beginning, where waiting is possible, and not at their first write.
        self.batch(if self.has_lanes() || self.reading { "BEGIN" } else { "BEGIN IMMEDIATE" })?;
        self.in_transaction = true;
        let answer = work(self).and_then(|answer| self.batch("COMMIT").map(|()| answer));
        self.in_transaction = false;
        if answer.is_err() {
            self.broken |= self.batch("ROLLBACK").is_err() && self.has_lanes();
        }
        answer
    }

    /// Does `work` as a part of the transaction under way: when it fails, nothing of it happened and the transaction goes on.
    ///
    /// # Errors
    /// Those of `work`; [`VmdbError::Away`] when the transaction cannot go on.
    pub fn savepoint<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, VmdbError>,
    ) -> Result<T, VmdbError> {
        self.batch("SAVEPOINT part")?;
        match work(self) {
            Ok(answer) => self.batch("RELEASE SAVEPOINT part").map(|()| answer),
            Err(error) => {
                self.batch("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")?;
                Err(error)
            }
        }
    }

    /// Whether several transactions may write at once, each row is locked on its own, and many rows go in one UNNEST.
    pub(super) fn has_lanes(&self) -> bool {
        matches!(self.raw, Raw::Postgres(_))
    }

    /// How long one transaction of a refresh may keep others waiting; `None`: it keeps nobody waiting, and all of a refresh
    /// is one.
    pub(super) fn slice_of_refresh(&self) -> Option<Duration> {
        if self.has_lanes() { None } else { Some(Duration::from_millis(50)) }
    }

    /// The columns of `table` that attributes can hold, from the database's catalogue; asked once for each connection.
    pub(super) fn columns(&mut self, table: &'static str) -> Result<Columns, VmdbError> {
        if let Some(known) = self.columns.get(table) {
            return Ok(known.clone());
        }
        let sql = match self.raw {
            Raw::Sqlite(_) => "SELECT name, type FROM pragma_table_info(?)",
            Raw::Postgres(_) => {
                "SELECT column_name::text, data_type::text FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = ?"
            }
        };
        let column = |row: &Fields| Some((row.string(0)?, Kind::of_type(row.text(1)?)?));
        let columns: Columns = Arc::new(self.rows(sql, &[table.into()])?.iter().filter_map(column).collect());
        self.columns.insert(table, columns.clone());
        Ok(columns)
    }

    /// How long it is between two columns of timestamps: SQL by which rows can be ordered.
    pub(super) fn length_of(&self, from: &str, to: &str) -> String {
        match self.raw {
            Raw::Sqlite(_) => format!("julianday({to}) - julianday({from})"),
            Raw::Postgres(_) => format!("{to} - {from}"),
        }
    }

    /// What makes a claim pass over rows that another transaction is claiming.
    pub(super) fn skip_locked(&self) -> &'static str {
        if self.has_lanes() { "FOR UPDATE SKIP LOCKED" } else { "" }
    }

    /// Until the end of the transaction nobody else writes to `table`, which on SQLite is so anyway.
    pub(super) fn write_alone(&mut self, table: &str) -> Result<(), VmdbError> {
        if self.has_lanes() {
            self.batch(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
        } else {
            Ok(())
        }
    }

    /// Until the end of this transaction, [`Self::wait_for_event_commits`] waits for it; and a transaction that folds
    /// events of an EMS (`true`) and others that commit events of it wait for each other. On SQLite writers wait for each other
    /// anyway.
    pub(super) fn announce_event_commit(
        &mut self,
        emss: impl Iterator<Item = (EmsId, bool)>,
    ) -> Result<(), VmdbError> {
        if !self.has_lanes() {
            return Ok(());
        }
        // In order, so that no two wait for each other for ever.
        let mut locks = BTreeMap::new();
        for (ems_id, folds) in emss {
            *locks.entry(ems_id.0.rem_euclid(EMS_LOCKS)).or_default() |= folds;
        }
        let mut sql = format!("SELECT pg_advisory_xact_lock_shared({EVENTS})");
        for (lock, alone) in locks {
            let shared = if alone { "" } else { "_shared" };
            let key = FIRST_EMS_LOCK + lock;
            sql += &format!(", pg_advisory_xact_lock{shared}({key}, hashtext(current_schema()))");
        }
        self.batch(&sql)
    }

    /// Waits until the commits of events that are under way are done; those to come see all that is committed by now.
    /// Outside of a transaction, so that nobody waits for the caller.
    pub(super) fn wait_for_event_commits(&mut self) -> Result<(), VmdbError> {
        if self.has_lanes() { self.batch(&format!("SELECT pg_advisory_xact_lock({EVENTS})")) } else { Ok(()) }
    }

    /// Rows with ids of the settings' choice were inserted: the next ids are to be higher.
    pub(super) fn ids_were_given(&mut self, table: &str) -> Result<(), VmdbError> {
        if self.has_lanes() {
            let sequence = format!("pg_get_serial_sequence('{table}', 'id')");
            self.rows(&format!("SELECT setval({sequence}, (SELECT max(id) FROM {table}))"), &[])?;
        }
        Ok(())
    }

    /// The whole seconds from 1970 to the time in `column`, as SQL.
    pub(super) fn seconds_of(&self, column: &str) -> String {
        if self.has_lanes() {
            format!("CAST(floor(date_part('epoch', {column})) AS bigint)")
        } else {
            format!("unixepoch({column})")
        }
    }

    /// Whether it must be opened anew.
    pub(super) fn is_broken(&self) -> bool {
        self.broken || self.in_transaction
    }
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Statement<'_> {}

impl QueryFragment<Sqlite> for Statement<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut lists = self.lists.iter();
        walk(self, out, |out, value| {
            let list = lists.next().ok_or_else(misplaced)?;
            out.push_sql(match value {
                Value::Pairs(..) => "(SELECT value ->> 0 AS number, value ->> 1 AS text FROM json_each(",
                _ => "IN (SELECT value FROM json_each(",
            });
            out.push_bind_param::<Text, String>(list)?;
            out.push_sql("))");
            Ok(())
        })
    }
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        walk(self, out, |out, list| match list {
            Value::Texts(list) => {
                out.push_sql("= ANY(");
                out.push_bind_param::<Array<Text>, Vec<&'b str>>(list)?;
                out.push_sql(")");
                Ok(())
            }
            Value::Integers(list) => {
                out.push_sql("= ANY(");
                out.push_bind_param::<Array<BigInt>, Vec<i64>>(list)?;
                out.push_sql(")");
                Ok(())
            }
            Value::Pairs(numbers, texts) => {
                out.push_sql("(SELECT * FROM UNNEST(");
                out.push_bind_param::<Array<BigInt>, Vec<i64>>(numbers)?;
                out.push_sql(", ");
                out.push_bind_param::<Array<Text>, Vec<&'b str>>(texts)?;
                out.push_sql(") AS pair (number, text))");
                Ok(())
            }
            Value::Column(Column::Text(list)) => out.push_bind_param::<Array<Nullable<Text>>, _>(list),
            Value::Column(Column::Integer(list)) => out.push_bind_param::<Array<Nullable<BigInt>>, _>(list),
            Value::Column(Column::Boolean(list)) => out.push_bind_param::<Array<Nullable<Bool>>, _>(list),
            Value::Column(Column::Time(list)) => out.push_bind_param::<Array<Nullable<Timestamp>>, _>(list),
            _ => Err(misplaced()),
        })
    }
}

/// Writes the text with a placeholder for each value; `list` writes those that the databases write differently.
fn walk<'b, DB>(
    statement: &'b Statement<'_>,
    mut out: AstPass<'_, 'b, DB>,
    mut list: impl FnMut(&mut AstPass<'_, 'b, DB>, &'b Value<'b>) -> QueryResult<()>,
) -> QueryResult<()>
where
    DB: Backend + HasSqlType<Nullable<Text>> + HasSqlType<Nullable<BigInt>>,
    DB: HasSqlType<Nullable<Bool>> + HasSqlType<Nullable<Timestamp>>,
    Option<&'b str>: ToSql<Nullable<Text>, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    Option<bool>: ToSql<Nullable<Bool>, DB>,
    Option<NaiveDateTime>: ToSql<Nullable<Timestamp>, DB>,
{
    let mut values = statement.values.iter();
    for (number, text) in statement.sql.split('?').enumerate() {
        if number > 0 {
            match values.next().ok_or_else(misplaced)? {
                Value::Text(text) => out.push_bind_param::<Nullable<Text>, Option<&'b str>>(text)?,
                Value::Integer(number) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
                Value::Boolean(boolean) => out.push_bind_param::<Nullable<Bool>, _>(boolean)?,
                Value::Time(time) => out.push_bind_param::<Nullable<Timestamp>, _>(time)?,
                other => list(&mut out, other)?,
            }
        }
        out.push_sql(text);
    }
    Ok(())
}

fn misplaced() -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError("values and `?` of a statement differ".into())
}

impl QueryableByName<Sqlite> for Fields {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut fields = Vec::with_capacity(row.field_count());
        for index in 0..row.field_count() {
            let field = Row::get(row, index).ok_or("a row shorter than its count")?;
            let Some(value) = field.value() else {
                fields.push(Field::Null);
                continue;
            };
            fields.push(match value.value_type() {
                None => Field::Null,
                Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                    Field::Integer(FromSql::<BigInt, Sqlite>::from_sql(value)?)
                }
                Some(SqliteType::Float | SqliteType::Double) => {
                    Field::Double(FromSql::<Double, Sqlite>::from_sql(value)?)
                }
                Some(_) => Field::Text(FromSql::<Text, Sqlite>::from_sql(value)?),
            });
        }
        Ok(Self(fields))
    }
}

impl QueryableByName<Pg> for Fields {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let mut fields = Vec::with_capacity(row.field_count());
        for index in 0..row.field_count() {
            let field = Row::get(row, index).ok_or("a row shorter than its count")?;
            let Some(value) = field.value() else {
                fields.push(Field::Null);
                continue;
            };
            // The object ids of PostgreSQL's own types never change.
            fields.push(match value.get_oid().get() {
                16 => Field::Boolean(FromSql::<Bool, Pg>::from_sql(value)?),
                20 => Field::Integer(FromSql::<BigInt, Pg>::from_sql(value)?),
                23 => Field::Integer(i64::from(<i32 as FromSql<Integer, Pg>>::from_sql(value)?)),
                701 => Field::Double(FromSql::<Double, Pg>::from_sql(value)?),
                1114 => Field::Time(FromSql::<Timestamp, Pg>::from_sql(value)?),
                19 | 25 | 1043 => Field::Text(FromSql::<Text, Pg>::from_sql(value)?),
                other => return Err(format!("a column of type {other}: cast it to text").into()),
            });
        }
        Ok(Self(fields))
    }
}
