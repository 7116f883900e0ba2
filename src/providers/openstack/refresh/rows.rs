//! A thing as its API tells it → its row, with ManageIQ's columns and classes. Pure. One file for each service; here is what
//! they share.

pub(super) mod compute;
pub(super) mod identity;
pub(super) mod image;
pub(super) mod network;
pub(super) mod orchestration;
pub(super) mod volume;

use crate::provider::{Attribute, ParseError, Row, json_text};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

const MEBIBYTE: i64 = 1 << 20;
const GIBIBYTE: i64 = 1 << 30;

fn read<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    json_text::check(text)?;
    Ok(serde_json::from_str(text)?)
}

/// A key, which is never empty.
fn ems_ref(text: String) -> Result<String, ParseError> {
    if text.is_empty() { Err(ParseError::new("the key is empty")) } else { Ok(text) }
}

fn row(key: String, attributes: Vec<(&'static str, Attribute)>) -> Result<Row, ParseError> {
    Ok(Row { ems_ref: ems_ref(key)?, attributes })
}

fn text(text: &str) -> Attribute {
    Attribute::Text(text.to_owned())
}

/// A class of ManageIQ's cloud manager.
fn cloud(name: &str) -> Attribute {
    Attribute::Text(format!("ManageIQ::Providers::Openstack::CloudManager::{name}"))
}

fn boolean(value: Option<bool>) -> Attribute {
    value.map_or(Attribute::Null, Attribute::Boolean)
}

/// The name, or what stands for it where there is none.
fn named(name: Option<String>, otherwise: &str) -> Attribute {
    Attribute::Text(name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| otherwise.to_owned()))
}

/// A reference; an empty one is none.
fn reference(association: &'static str, ems_ref: Option<String>) -> Attribute {
    Attribute::reference(association, ems_ref.filter(|ems_ref| !ems_ref.is_empty()))
}

/// A number, which some versions write as text, and nothing as an empty one.
fn number(value: Option<&Value>) -> Result<Option<i64>, ParseError> {
    let wrong = || ParseError::new("a number that is none");
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(wrong),
        Some(Value::String(text)) if text.is_empty() => Ok(Some(0)),
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}

fn integer(value: Option<&Value>) -> Result<Attribute, ParseError> {
    Ok(number(value)?.map_or(Attribute::Null, Attribute::Integer))
}

/// So many units, in bytes.
fn bytes(value: Option<&Value>, unit: i64) -> Result<Attribute, ParseError> {
    match number(value)?.map(|amount| amount.checked_mul(unit)) {
        None => Ok(Attribute::Null),
        Some(Some(bytes)) => Ok(Attribute::Integer(bytes)),
        Some(None) => Err(ParseError::new("a size that no number of bytes can tell")),
    }
}

/// A text, or a number as one.
fn written(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A time with its zone, or without: then it is UTC.
fn time(text: Option<&str>) -> Result<Attribute, ParseError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Attribute::Null) };
    let parsed = match text.parse::<DateTime<Utc>>() {
        Ok(time) => Ok(time),
        Err(_) => text.parse::<NaiveDateTime>().map(|time| time.and_utc()),
    };
    parsed.map(Attribute::Time).map_err(|error| ParseError::new(format!("{text:?} is no time: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A recorded answer.
    pub(super) fn recorded(text: &str) -> Value {
        serde_json::from_str::<Value>(text).unwrap()["body"].take()
    }

    /// What a row says of `column`.
    pub(super) fn attribute(row: &Row, column: &str) -> Attribute {
        let found = row.attributes.iter().find(|(known, _)| *known == column);
        found.map(|(_, value)| value.clone()).unwrap_or_else(|| panic!("{column}"))
    }

    /// Checks what a row says, column by column.
    pub(super) fn says(row: &Row, expected: &[(&str, Attribute)]) {
        for (column, value) in expected {
            assert_eq!(&attribute(row, column), value, "{column}");
        }
    }

    #[test]
    fn numbers_are_read_in_every_form_that_versions_write() {
        for (value, read) in
            [(json!(5), Some(5)), (json!("5"), Some(5)), (json!(""), Some(0)), (Value::Null, None)]
        {
            assert_eq!(number(Some(&value)).unwrap(), read, "{value}");
        }
        assert!(number(Some(&json!("many"))).is_err() && number(Some(&json!(1.5))).is_err());
        assert!(bytes(Some(&json!(i64::MAX)), MEBIBYTE).is_err());
    }

    #[test]
    fn times_have_a_zone_or_are_utc() {
        let expected = Attribute::Time("2026-11-22T11:27:55Z".parse().unwrap());
        for text in ["2026-11-22T11:27:55Z", "2026-11-22T11:27:55.000000", "2026-11-22T12:27:55+01:00"] {
            assert_eq!(time(Some(text)).unwrap(), expected, "{text}");
        }
        assert_eq!(time(None).unwrap(), Attribute::Null);
        assert!(time(Some("yesterday")).is_err());
    }

    #[test]
    fn what_the_vmdb_cannot_hold_makes_no_row() {
        use super::super::kinds::KINDS;
        for kind in &KINDS {
            assert!((kind.row)("{\"id\": \"a\", \"name\": \"a\\u0000\"}").is_err(), "{}", kind.association);
            assert!((kind.row)("[]").is_err(), "{}", kind.association);
        }
    }
}
