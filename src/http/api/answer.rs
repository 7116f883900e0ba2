//! The answer of a collection: ManageIQ's envelope and its links. Pure.

use super::request::Request;
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;

/// A page of records.
#[derive(Serialize, ToSchema)]
pub(super) struct Collection<R: ToSchema> {
    /// The collection.
    pub(super) name: &'static str,
    /// All its records; null when there are more than 100,000.
    pub(super) count: Option<i64>,
    /// The records of this page.
    pub(super) subcount: usize,
    /// All that meet the filters, when there are any; null when there are more than 100,000, or counting would take too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub(super) subquery_count: Option<Option<i64>>,
    /// Pages of this size; null when nobody counted.
    pub(super) pages: Option<i64>,
    /// The search took its time and ended before the page was full; `links.next` goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) broken_off: bool,
    /// The records; without `expand=resources` only their addresses.
    pub(super) resources: Vec<R>,
    /// What can be done here: nothing, the API only reads.
    #[schema(value_type = Vec<String>, max_items = 0)]
    pub(super) actions: [(); 0],
    /// Other pages.
    pub(super) links: Links,
}

/// Addresses of pages.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Links {
    /// This one.
    #[serde(rename = "self")]
    this: String,
    /// The first.
    first: String,
    /// The one before, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    /// The next; missing on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The next by its cursor: misses nothing and doubles nothing though records come in, and is quick however far on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// The last, when records were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

/// Offsets beyond this are no links.
const LAST_OFFSET: i64 = 100_000;

impl Links {
    /// Of this page; `cursor` is where it ended, when there is more; `count` how many records there are in all pages.
    pub(super) fn new(path: &str, request: &Request, cursor: Option<String>, count: Option<i64>) -> Self {
        let Request { offset, limit, .. } = *request;
        let link = |name: &str, value: String| address(path, &request.pairs, Some((name, value)));
        let by_offset = |offset: i64| link("offset", offset.to_string());
        let next_cursor = cursor.map(|cursor| link("cursor", cursor));
        let by_cursor = request.cursor.is_some() || offset + limit > LAST_OFFSET;
        let next = match &next_cursor {
            Some(next) if by_cursor => Some(next.clone()),
            Some(_) => Some(by_offset(offset + limit)),
            None => None,
        };
        let last = count.filter(|count| *count > 0).map(|count| (count - 1) / limit * limit);
        Self {
            this: address(path, &request.pairs, None),
            first: by_offset(0),
            previous: (offset > 0).then(|| by_offset((offset - limit).max(0))),
            next,
            next_cursor,
            last: last.filter(|last| *last <= LAST_OFFSET).map(by_offset),
        }
    }
}

impl Links {
    /// Of a page of something that has no cursors.
    pub(super) fn by_offset(path: &str, request: &Request, count: Option<i64>) -> Self {
        let more = count.is_some_and(|count| count > request.offset + request.limit);
        let mut links = Self::new(path, request, more.then(String::new), count);
        links.next_cursor = None;
        links
    }
}

/// The address of the same query; `other` replaces both `offset` and `cursor`.
fn address(path: &str, pairs: &[(String, String)], other: Option<(&str, String)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if other.is_none() || !matches!(name.as_str(), "offset" | "cursor") {
            query.append_pair(name, value);
        }
    }
    if let Some((name, value)) = other {
        query.append_pair(name, &value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// How many pages so many records are.
pub(super) fn pages(count: Option<i64>, limit: i64) -> Option<i64> {
    count.map(|count| count / limit + i64::from(count % limit > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(query: &str, cursor: Option<&str>, count: Option<i64>) -> Links {
        let request = Request::parse(query, 1_000).unwrap();
        Links::new("/api/vms", &request, cursor.map(str::to_owned), count)
    }

    #[test]
    fn links_keep_the_query_and_change_the_page() {
        let middle = links("limit=10&offset=20&filter[]=name=a%26b", Some("xyz"), Some(45));
        assert_eq!(middle.this, "/api/vms?limit=10&offset=20&filter%5B%5D=name%3Da%26b");
        assert_eq!(middle.next.as_deref(), Some("/api/vms?limit=10&filter%5B%5D=name%3Da%26b&offset=30"));
        assert_eq!(middle.previous.as_deref(), Some("/api/vms?limit=10&filter%5B%5D=name%3Da%26b&offset=10"));
        assert_eq!(middle.last.as_deref(), Some("/api/vms?limit=10&filter%5B%5D=name%3Da%26b&offset=40"));
        assert_eq!(
            middle.next_cursor.as_deref(),
            Some("/api/vms?limit=10&filter%5B%5D=name%3Da%26b&cursor=xyz")
        );
        let end = links("limit=10&cursor=abc", None, None);
        assert_eq!((end.next, end.previous, end.last), (None, None, None));
        let far = links("offset=100000", Some("c"), None);
        assert_eq!(far.next, far.next_cursor, "further on there are only cursors");
    }

    #[test]
    fn pages_are_counted_up() {
        assert_eq!(
            [pages(Some(0), 10), pages(Some(10), 10), pages(Some(11), 10), pages(None, 10)]
                .map(|n| n.unwrap_or(-1)),
            [0, 1, 2, -1]
        );
    }
}
