//! What a collection is asked for: ManageIQ's query parameters, and `cursor`. Pure.

use super::error::ApiError;
use super::filter::Filter;
use std::collections::BTreeMap;
use url::form_urlencoded;
use utoipa::IntoParams;

/// A page holds no more than this.
pub(super) const MOST_RECORDS: i64 = 1_000;
/// Of `event_streams`, since ManageIQ's timeline asks for so many.
pub(super) const MOST_EVENTS: i64 = 5_000;
/// Beyond this, pages are reached by cursors.
const MOST_PASSED_OVER: i64 = 100_000;
const MOST_FILTERS: usize = 50;
const MOST_ATTRIBUTES: usize = 200;
const MOST_SORTS: usize = 8;

/// The query of a collection.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters; they are read by Request::parse")]
pub(super) struct CollectionParameters {
    /// `resources`: whole records instead of their addresses.
    #[param(inline)]
    expand: Option<Expand>,
    /// Attributes, computed ones and related records to be sent, separated by commas; all columns but large ones when missing.
    attributes: Option<String>,
    /// `attribute operator value`, with `=`, `!=`, `<`, `<=`, `>`, `>=`; `nil`, `[a,b]`, quotes, and `%` or `*` for anything.
    /// All have to be met, or one of those that begin with `or `.
    #[param(rename = "filter[]", max_items = 50)]
    filter: Option<Vec<String>>,
    /// Attributes, separated by commas.
    sort_by: Option<String>,
    /// For all of them, or one for each, separated by commas.
    #[param(pattern = "^(asc|desc|ascending|descending)(,(asc|desc|ascending|descending)){0,7}$")]
    sort_order: Option<String>,
    /// `ignore_case`
    #[param(inline)]
    sort_options: Option<SortOptions>,
    /// So many are passed over.
    #[param(minimum = 0, maximum = 100000)]
    offset: Option<i64>,
    /// At most so many; more than 1000 (of event_streams 5000) are as many as that.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// `links.next_cursor` of the page before.
    cursor: Option<String>,
}

/// The query of one record.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters; they are read by Request::parse_one")]
pub(super) struct RecordParameters {
    /// As ManageIQ's clients send it; a record is always whole.
    #[param(inline)]
    expand: Option<Expand>,
    /// Attributes, computed ones and related records to be sent, separated by commas.
    attributes: Option<String>,
}

#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "a word of the description")]
enum Expand {
    Resources,
}

#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "a word of the description")]
enum SortOptions {
    IgnoreCase,
}

/// A request for a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// `expand=resources`
    pub(super) expand: bool,
    /// `None`: all that are no burden.
    pub(super) attributes: Option<Vec<String>>,
    /// In order.
    pub(super) filters: Vec<Filter>,
    /// Attribute, and whether the largest come first.
    pub(super) sort: Vec<(String, bool)>,
    /// `sort_options=ignore_case`
    pub(super) ignore_case: bool,
    /// So many are passed over.
    pub(super) offset: i64,
    /// At most so many.
    pub(super) limit: i64,
    /// Behind this.
    pub(super) cursor: Option<String>,
    /// The query as it came, for the links.
    pub(super) pairs: Vec<(String, String)>,
}

const NAMES: [&str; 9] = [
    "expand",
    "attributes",
    "filter[]",
    "sort_by",
    "sort_order",
    "sort_options",
    "offset",
    "limit",
    "cursor",
];

impl Request {
    /// Reads the query of a collection of which a page holds `most`.
    pub(super) fn parse(query: &str, most: i64) -> Result<Self, ApiError> {
        let mut request = Self { limit: MOST_RECORDS, ..Self::default() };
        request.pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut given = BTreeMap::new();
        for (name, value) in &request.pairs {
            if name == "filter[]" {
                if !value.trim().is_empty() {
                    request.filters.push(Filter::parse(value)?);
                }
            } else if !NAMES.contains(&name.as_str()) {
                return Err(ApiError::unknown("query parameter", name, NAMES));
            } else {
                given.insert(name.as_str(), value.as_str());
            }
        }
        let value = |name: &str| given.get(name).copied().filter(|value| !value.is_empty());
        request.expand = expand(value("expand"))?;
        request.attributes = value("attributes").map(list);
        request.sort = sort(value("sort_by"), value("sort_order"))?;
        request.ignore_case = match value("sort_options") {
            None => false,
            Some("ignore_case") => true,
            Some(other) => return Err(ApiError::unknown("sort option", other, ["ignore_case"])),
        };
        request.offset = number("offset", value("offset"), 0, MOST_PASSED_OVER)?.unwrap_or(0);
        request.limit = number("limit", value("limit"), 1, i64::MAX)?.unwrap_or(MOST_RECORDS).min(most);
        request.cursor = value("cursor").map(str::to_owned);
        request.check()
    }

    /// Reads the query of one record.
    pub(super) fn parse_one(query: &str) -> Result<Self, ApiError> {
        let mut request = Self { expand: true, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "attributes" if !value.is_empty() => request.attributes = Some(list(&value)),
                "expand" if !value.is_empty() => {
                    expand(Some(&value))?;
                }
                "attributes" | "expand" => {}
                other => return Err(ApiError::unknown("query parameter", other, ["attributes", "expand"])),
            }
        }
        request.check()
    }

    fn check(self) -> Result<Self, ApiError> {
        let too_many = |what: &str, count: usize, most: usize| {
            Err(ApiError::BadRequest(format!("{count} {what} were given; at most {most}")))
        };
        let attributes = self.attributes.as_ref().map_or(0, Vec::len);
        if self.filters.len() > MOST_FILTERS {
            return too_many("filters", self.filters.len(), MOST_FILTERS);
        }
        if attributes > MOST_ATTRIBUTES {
            return too_many("attributes", attributes, MOST_ATTRIBUTES);
        }
        if self.sort.len() > MOST_SORTS {
            return too_many("attributes to sort by", self.sort.len(), MOST_SORTS);
        }
        if self.cursor.is_some() && self.offset > 0 {
            return Err(ApiError::BadRequest("give cursor or offset, not both".to_owned()));
        }
        Ok(self)
    }
}

fn expand(value: Option<&str>) -> Result<bool, ApiError> {
    match value {
        None => Ok(false),
        Some("resources") => Ok(true),
        Some(other) => Err(ApiError::unknown("expand", other, ["resources"])),
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn sort(by: Option<&str>, order: Option<&str>) -> Result<Vec<(String, bool)>, ApiError> {
    let orders = order.map(list).unwrap_or_default();
    let mut descending = Vec::new();
    for order in &orders {
        descending.push(match order.to_ascii_lowercase().as_str() {
            "asc" | "ascending" => false,
            "desc" | "descending" => true,
            other => return Err(ApiError::unknown("sort order", other, ["asc", "desc"])),
        });
    }
    let columns = by.map(list).unwrap_or_default().into_iter().enumerate();
    // One order stands for all; of several each has its own.
    let of = |index: usize| match descending.as_slice() {
        [one] => *one,
        several => several.get(index).copied().unwrap_or_default(),
    };
    Ok(columns.map(|(index, column)| (column, of(index))).collect())
}

fn number(name: &str, value: Option<&str>, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
    let Some(text) = value else { return Ok(None) };
    let wanted = match (name, most) {
        (_, i64::MAX) => format!("a whole number from {least} on"),
        ("offset", _) => {
            format!("a whole number from {least} to {most}; further on, follow links.next_cursor")
        }
        _ => format!("a whole number from {least} to {most}"),
    };
    let shown: String = text.chars().take(40).collect();
    match text.parse::<i64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        // More than any number is as good as the most.
        Err(error) if most == i64::MAX && *error.kind() == std::num::IntErrorKind::PosOverflow => {
            Ok(Some(most))
        }
        _ => Err(ApiError::BadRequest(format!("{name} is {shown:?}; wanted {wanted}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_whole() {
        let query = "expand=resources&attributes=id,%20name&filter%5B%5D=id%3E1&filter[]=&sort_by=name,id&\
                     sort_order=desc&sort_options=ignore_case&offset=20&limit=9999999999999999999999";
        let request = Request::parse(query, MOST_EVENTS).unwrap();
        assert!(request.expand && request.ignore_case);
        assert_eq!(request.attributes, Some(vec!["id".to_owned(), "name".to_owned()]));
        assert_eq!(request.filters.len(), 1);
        assert_eq!(request.sort, [("name".to_owned(), true), ("id".to_owned(), true)]);
        assert_eq!((request.offset, request.limit), (20, MOST_EVENTS));
        let mixed = Request::parse("sort_by=name,id&sort_order=asc,desc", MOST_RECORDS).unwrap();
        assert_eq!(mixed.sort, [("name".to_owned(), false), ("id".to_owned(), true)]);
        assert_eq!(Request::parse("", MOST_RECORDS).unwrap().limit, MOST_RECORDS);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_what_was_meant() {
        for (query, told) in [
            ("fliter[]=id=1", "did you mean filter[]?"),
            ("expand=resource", "did you mean resources?"),
            ("limit=0", "wanted a whole number from 1 on"),
            ("limit=ten", "limit is \"ten\""),
            ("offset=-1", "from 0 to 100000"),
            ("offset=1000000", "follow links.next_cursor"),
            ("sort_by=id&sort_order=up", "known are: asc, desc"),
            ("sort_options=ignore", "known are: ignore_case"),
            ("cursor=x&offset=1", "not both"),
        ] {
            let error = Request::parse(query, MOST_RECORDS).unwrap_err().to_string();
            assert!(error.contains(told), "{query}: {error}");
        }
        let many = vec!["filter[]=id=1"; MOST_FILTERS + 1].join("&");
        assert!(Request::parse(&many, MOST_RECORDS).unwrap_err().to_string().contains("at most 50"));
        assert!(Request::parse_one("limit=1").is_err());
    }
}
