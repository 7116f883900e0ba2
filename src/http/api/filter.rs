//! One `filter[]` of a request, as ManageIQ writes them: `name='a*'`, `id=[1,2]`, `or host_id!=nil`. Pure.

use super::error::ApiError;
use crate::vmdb::api::Comparison;

/// A filter, taken apart. What its attribute means is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    /// `or …`: it is enough that this one is met.
    pub(super) or: bool,
    /// The attribute, perhaps of a related record (`vm.name`).
    pub(super) attribute: String,
    /// How it is compared.
    pub(super) comparison: Comparison,
    /// With what.
    pub(super) value: Wanted,
}

/// The right side of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `nil`, `NULL`.
    Nothing,
    /// A value; in a text `%` and `*` stand for anything.
    One(String),
    /// `[a,b]`.
    OneOf(Vec<String>),
}

/// In this order: the longer ones begin with shorter ones.
const OPERATORS: [(&str, Comparison); 6] = [
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

/// More values than this in one list are refused.
const MOST_VALUES: usize = 500;

impl Filter {
    /// Reads a filter.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let shown = || text.chars().take(80).collect::<String>();
        let trimmed = text.trim();
        let (or, rest) = match trimmed.get(..3) {
            Some(start) if start.eq_ignore_ascii_case("or ") => (true, trimmed[3..].trim_start()),
            _ => (false, trimmed),
        };
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
        let (attribute, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let rest = rest.trim_start();
        let found =
            OPERATORS.iter().find_map(|(sign, comparison)| Some((rest.strip_prefix(sign)?, *comparison)));
        let Some((value, comparison)) = found.filter(|_| !attribute.is_empty()) else {
            return Err(ApiError::BadRequest(format!(
                "unknown operator in filter {:?}; write an attribute, one of != <= >= < > =, and a value",
                shown()
            )));
        };
        let value = wanted(value.trim());
        match &value {
            Wanted::OneOf(values) if values.len() > MOST_VALUES => Err(ApiError::BadRequest(format!(
                "the filter on {attribute} lists {} values; at most {MOST_VALUES}",
                values.len()
            ))),
            Wanted::One(_) => Ok(Self { or, attribute: attribute.to_owned(), comparison, value }),
            _ if matches!(comparison, Comparison::Equal | Comparison::NotEqual) => {
                Ok(Self { or, attribute: attribute.to_owned(), comparison, value })
            }
            _ => Err(ApiError::BadRequest(format!(
                "filter {:?}: lists and nil are compared with = or != alone",
                shown()
            ))),
        }
    }
}

fn wanted(text: &str) -> Wanted {
    if let Some(list) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let values = list.split(',').map(|value| unquoted(value.trim()).unwrap_or(value.trim()).to_owned());
        return Wanted::OneOf(values.filter(|value| !value.is_empty()).collect());
    }
    match unquoted(text) {
        Some(text) => Wanted::One(text.to_owned()),
        None if text.eq_ignore_ascii_case("nil") || text.eq_ignore_ascii_case("null") => Wanted::Nothing,
        None => Wanted::One(text.to_owned()),
    }
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"'].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

/// The same as a pattern of LIKE, when it holds a `%` or `*`.
pub(super) fn pattern(text: &str) -> Option<String> {
    if !text.contains(['%', '*']) {
        return None;
    }
    let mut pattern = String::with_capacity(text.len() + 4);
    for character in text.chars() {
        match character {
            '*' | '%' => pattern.push('%'),
            '_' | '\\' => pattern.extend(['\\', character]),
            other => pattern.push(other),
        }
    }
    Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (bool, String, Comparison, Wanted) {
        let Filter { or, attribute, comparison, value } = Filter::parse(text).unwrap();
        (or, attribute, comparison, value)
    }

    #[test]
    fn filters_are_read_as_manageiq_writes_them() {
        let one = |text: &str| Wanted::One(text.to_owned());
        let list = |values: &[&str]| Wanted::OneOf(values.iter().map(|value| (*value).to_owned()).collect());
        for (text, or, attribute, comparison, value) in [
            ("name='a b'", false, "name", Comparison::Equal, one("a b")),
            ("name=\"a*\"", false, "name", Comparison::Equal, one("a*")),
            ("or name != nil", true, "name", Comparison::NotEqual, Wanted::Nothing),
            ("OR ems_id = NULL", true, "ems_id", Comparison::Equal, Wanted::Nothing),
            ("name='nil'", false, "name", Comparison::Equal, one("nil")),
            (
                "timestamp>=2026-11-24T00:00:00Z",
                false,
                "timestamp",
                Comparison::GreaterOrEqual,
                one("2026-11-24T00:00:00Z"),
            ),
            ("name='a<=b'", false, "name", Comparison::Equal, one("a<=b")),
            ("group=[power,'other one']", false, "group", Comparison::Equal, list(&["power", "other one"])),
            ("vm.name<m", false, "vm.name", Comparison::Less, one("m")),
            ("order=1", false, "order", Comparison::Equal, one("1")),
            ("message=", false, "message", Comparison::Equal, one("")),
        ] {
            assert_eq!(parsed(text), (or, attribute.to_owned(), comparison, value), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_told() {
        for text in ["", "name", "=1", "name~1", "or", "or =2", "ü=1", "id>[1,2]", "id<nil"] {
            assert!(matches!(Filter::parse(text), Err(ApiError::BadRequest(_))), "{text}");
        }
        assert!(Filter::parse(&format!("id=[{}]", vec!["1"; MOST_VALUES + 1].join(","))).is_err());
    }

    #[test]
    fn only_percent_and_star_are_wild() {
        assert_eq!(pattern("100% a_b\\*"), Some("100% a\\_b\\\\%".to_owned()));
        assert_eq!(pattern("a_b"), None);
    }
}
