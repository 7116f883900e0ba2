//! Which columns a provider may fill, of which kind each is, and values made fit for them. A column that is not there is an
//! error that names the association and the column, on both databases alike.

use super::VmdbError;
use super::associations::Association;
use super::dialect::Connection;
use super::inventory_plan::References;
use super::statement::Value;
use crate::provider::Attribute;
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// Filled by saving, or of a kind that an attribute cannot hold.
const NOT_FOR_PROVIDERS: [&str; 12] = [
    "id",
    "ems_id",
    "ems_ref",
    "guid",
    "archived_ems_id",
    "deleted_on",
    "created_on",
    "updated_on",
    "created_at",
    "updated_at",
    "capabilities",
    "provider_services_supported",
];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    Time,
}

/// The columns of a table by name.
pub(super) type Columns = Arc<HashMap<String, Kind>>;

impl Kind {
    /// From the name of a type in either database's catalogue.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        match name.as_str() {
            "text" | "character varying" => Some(Self::Text),
            "bigint" | "integer" => Some(Self::Integer),
            "boolean" => Some(Self::Boolean),
            _ if name.starts_with("timestamp") => Some(Self::Time),
            _ => None,
        }
    }
}

/// The kinds of `names`, in their order.
///
/// # Errors
/// [`VmdbError::Data`] for a column that is not there, is not the provider's to fill, or is named twice.
pub(super) fn kinds(
    connection: &mut Connection,
    association: &Association,
    names: &[&'static str],
) -> Result<Vec<Kind>, VmdbError> {
    let columns = connection.columns(association.table)?;
    let wrong = |column: &str, why: &str| {
        VmdbError::Data(format!(
            "association {:?}: column {column:?} {why}; see the table {} and the provider's collector",
            association.name, association.table
        ))
    };
    let kind = |(index, name): (usize, &&'static str)| {
        if NOT_FOR_PROVIDERS.contains(name) {
            return Err(wrong(name, "is filled by saving"));
        }
        if names[..index].contains(name) {
            return Err(wrong(name, "is named twice in one row"));
        }
        columns.get(*name).copied().ok_or_else(|| wrong(name, "does not exist"))
    };
    names.iter().enumerate().map(kind).collect()
}

/// An attribute as the column's value; NULL is of the column's kind.
///
/// # Errors
/// [`VmdbError::Data`] when the column is of another kind.
pub(super) fn value<'a>(
    (association, column): (&Association, &str),
    kind: Kind,
    attribute: &'a Attribute,
    references: &References<'a>,
) -> Result<Value<'a>, VmdbError> {
    Ok(match (kind, attribute) {
        (Kind::Text, Attribute::Text(text)) => Value::Text(Some(text)),
        (Kind::Text, Attribute::Null) => Value::Text(None),
        (Kind::Integer, Attribute::Integer(number)) => Value::Integer(Some(*number)),
        (Kind::Integer, Attribute::Null) => Value::Integer(None),
        (Kind::Integer, Attribute::Reference { association, ems_ref }) => {
            Value::Integer(references.get(&(*association, ems_ref.as_str())).copied())
        }
        (Kind::Boolean, Attribute::Boolean(boolean)) => Value::Boolean(Some(*boolean)),
        (Kind::Boolean, Attribute::Null) => Value::Boolean(None),
        (Kind::Time, Attribute::Time(time)) => Value::from(stored(*time)),
        (Kind::Time, Attribute::Null) => Value::Time(None),
        (Kind::Text | Kind::Integer | Kind::Boolean | Kind::Time, attribute) => {
            return Err(VmdbError::Data(format!(
                "association {:?}: column {column:?} holds {}, and the provider's collector gave {attribute:?}",
                association.name,
                match kind {
                    Kind::Text => "text",
                    Kind::Integer => "integers or references",
                    Kind::Boolean => "booleans",
                    Kind::Time => "times",
                }
            )));
        }
    })
}

/// As both databases keep it: a time of nanoseconds would differ from what is stored for ever.
fn stored(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}
