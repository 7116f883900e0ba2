//! The values of the API's JSON: ids and times in ManageIQ's way.

use crate::vmdb::Fields;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A row's id.
    Id,
    /// A whole number.
    Integer,
    /// A text.
    Text,
    /// true or false.
    Boolean,
    /// A time.
    Time,
    /// A text that is JSON; nobody compares it.
    Json,
}

/// A value that can be read from a row.
pub(super) trait Attribute: Sized {
    /// What its column holds.
    const KIND: Kind;

    /// The value of the column at `index`; `None` for NULL.
    fn read(row: &Fields, index: usize) -> Option<Self>;
}

/// The id of a row, as a text.
#[derive(Clone, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(example = "42")]
pub(super) struct Id(String);

/// A whole number.
#[derive(Clone, Serialize, ToSchema)]
#[serde(transparent)]
pub(super) struct Integer(i64);

/// A text.
#[derive(Clone, Serialize, ToSchema)]
#[serde(transparent)]
pub(super) struct Text(String);

/// true or false.
#[derive(Clone, Serialize, ToSchema)]
#[serde(transparent)]
pub(super) struct Boolean(bool);

/// RFC 3339, in UTC.
#[derive(Clone, ToSchema)]
pub(super) struct Time(DateTime<Utc>);

/// Any JSON.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Json(Box<RawValue>);

impl PartialSchema for Json {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
    }
}

impl ToSchema for Json {}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl Attribute for Id {
    const KIND: Kind = Kind::Id;

    fn read(row: &Fields, index: usize) -> Option<Self> {
        row.integer(index).map(|id| Self(id.to_string()))
    }
}

impl Attribute for Integer {
    const KIND: Kind = Kind::Integer;

    fn read(row: &Fields, index: usize) -> Option<Self> {
        row.integer(index).map(Self)
    }
}

impl Attribute for Text {
    const KIND: Kind = Kind::Text;

    fn read(row: &Fields, index: usize) -> Option<Self> {
        row.string(index).map(Self)
    }
}

impl Attribute for Boolean {
    const KIND: Kind = Kind::Boolean;

    fn read(row: &Fields, index: usize) -> Option<Self> {
        row.boolean(index).map(Self)
    }
}

impl Attribute for Time {
    const KIND: Kind = Kind::Time;

    fn read(row: &Fields, index: usize) -> Option<Self> {
        row.time(index).map(Self)
    }
}

impl Attribute for Json {
    const KIND: Kind = Kind::Json;

    /// A text that is no JSON becomes a JSON text.
    fn read(row: &Fields, index: usize) -> Option<Self> {
        let text = row.text(index)?;
        let raw = RawValue::from_string(text.to_owned());
        raw.or_else(|_| serde_json::value::to_raw_value(text)).ok().map(Self)
    }
}
