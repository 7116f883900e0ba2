//! SQL with values: written once, with `?` for each value, and understood by both databases.
//!
//! Statements are cached by their text, so a text with a varying number of `?` belongs nowhere near a hot path; a list
//! is one value ([`Value::Texts`]) that brings its own operator.

use super::VmdbError;
use chrono::{DateTime, NaiveDateTime, Utc};

/// SQL text and its values in order.
pub(super) struct Statement<'a> {
    pub(super) sql: &'a str,
    pub(super) values: &'a [Value<'a>],
    /// The lists among the values, as JSON.
    pub(super) lists: Vec<String>,
}

/// A value of a statement.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// varchar, text.
    Text(Option<&'a str>),
    /// bigint, integer.
    Integer(Option<i64>),
    /// boolean.
    Boolean(Option<bool>),
    /// timestamp without time zone, in UTC.
    Time(Option<NaiveDateTime>),
    /// Writes `= ANY(…)` or `IN (…)` itself: `WHERE ems_ref ?`.
    Texts(Vec<&'a str>),
    /// As [`Value::Texts`].
    Integers(Vec<i64>),
    /// A table of two columns, `number` and `text`: `FROM ? AS wanted CROSS JOIN vms WHERE vms.ems_id = wanted.number …`.
    Pairs(Vec<i64>, Vec<&'a str>),
    /// A column of many rows, for PostgreSQL's UNNEST alone.
    Column(Column<'a>),
}

/// The values that many rows have in one column.
#[derive(Clone, Debug)]
pub enum Column<'a> {
    /// varchar, text.
    Text(Vec<Option<&'a str>>),
    /// bigint.
    Integer(Vec<Option<i64>>),
    /// boolean.
    Boolean(Vec<Option<bool>>),
    /// timestamp without time zone.
    Time(Vec<Option<NaiveDateTime>>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(text: &'a Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(boolean: bool) -> Self {
        Self::Boolean(Some(boolean))
    }
}

impl From<Option<bool>> for Value<'_> {
    fn from(boolean: Option<bool>) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<DateTime<Utc>> for Value<'_> {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(Some(time.naive_utc()))
    }
}

impl From<Option<DateTime<Utc>>> for Value<'_> {
    fn from(time: Option<DateTime<Utc>>) -> Self {
        Self::Time(time.map(|time| time.naive_utc()))
    }
}

/// One column of a row that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// SQL NULL.
    Null,
    /// Texts, and SQLite's timestamps.
    Text(String),
    /// Integers of any width, and SQLite's booleans.
    Integer(i64),
    /// PostgreSQL's booleans.
    Boolean(bool),
    /// PostgreSQL's timestamps.
    Time(NaiveDateTime),
    /// Floating point.
    Double(f64),
}

/// A row that was read; columns are known by their position in the SELECT.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields(pub(super) Vec<Field>);

impl Fields {
    /// The field at `index`; NULL when there is none.
    pub fn get(&self, index: usize) -> &Field {
        self.0.get(index).unwrap_or(&Field::Null)
    }

    /// Whether it is NULL.
    pub fn is_null(&self, index: usize) -> bool {
        *self.get(index) == Field::Null
    }

    /// A text that may be NULL.
    pub fn text(&self, index: usize) -> Option<&str> {
        match self.get(index) {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same, owned.
    pub fn string(&self, index: usize) -> Option<String> {
        self.text(index).map(str::to_owned)
    }

    /// An integer that may be NULL.
    pub fn integer(&self, index: usize) -> Option<i64> {
        match self.get(index) {
            Field::Integer(number) => Some(*number),
            Field::Boolean(boolean) => Some(i64::from(*boolean)),
            _ => None,
        }
    }

    /// A boolean that may be NULL.
    pub fn boolean(&self, index: usize) -> Option<bool> {
        match self.get(index) {
            Field::Boolean(boolean) => Some(*boolean),
            Field::Integer(number) => Some(*number != 0),
            _ => None,
        }
    }

    /// A timestamp that may be NULL.
    pub fn time(&self, index: usize) -> Option<DateTime<Utc>> {
        match self.get(index) {
            Field::Time(time) => Some(time.and_utc()),
            Field::Text(text) => parse_time(text).map(|time| time.and_utc()),
            _ => None,
        }
    }

    /// An integer that is never NULL.
    ///
    /// # Errors
    /// [`VmdbError::Bug`] when it is.
    pub fn id(&self, index: usize) -> Result<i64, VmdbError> {
        self.integer(index)
            .ok_or_else(|| VmdbError::Bug(format!("column {index} of {:?} is no integer", self.0)))
    }
}

/// Reads what SQLite keeps for a timestamp.
fn parse_time(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}
