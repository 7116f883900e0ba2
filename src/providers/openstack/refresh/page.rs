//! One page of a list, as each of the services writes it. Pure.
//!
//! Nova, Neutron, Cinder: `servers_links: [{rel: next, href}]`; Glance: `next: /v2/images?…`; Keystone: `links: {next}`; Heat:
//! `links: [{rel: next, href}]`. Of such an address only the query is taken: behind a proxy its host and path are often
//! wrong, and our token goes nowhere but where the catalogue says.

use crate::provider::json_text;
use reqwest::Url;
use serde_json::Value;

/// A page.
#[derive(Debug, PartialEq)]
pub(super) struct Page {
    /// Each as it stands.
    pub elements: Vec<String>,
    /// The query of the next one.
    pub next: Option<Vec<(String, String)>>,
}

/// The page whose list is called `list`; `None` when it is none.
pub(super) fn read(body: &[u8], list: &str) -> Option<Page> {
    let members = json_text::members(body)?;
    let find = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let elements = json_text::elements(find(list)?)?;
    let elements = elements.into_iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    let value = |name: &str| serde_json::from_slice::<Value>(find(name)?).ok();
    let own_links = value(&format!("{list}_links")).or_else(|| value("links"));
    let href = match own_links {
        Some(Value::Array(links)) => {
            let next = links.iter().find(|link| link["rel"] == "next");
            next.and_then(|link| link["href"].as_str()).map(str::to_owned)
        }
        Some(links) => links["next"].as_str().map(str::to_owned),
        None => value("next").and_then(|next| next.as_str().map(str::to_owned)),
    };
    Some(Page { elements, next: href.as_deref().and_then(query) })
}

/// The query of an address, which may lack its host.
fn query(href: &str) -> Option<Vec<(String, String)>> {
    let nowhere = Url::parse("http://nowhere/").ok()?;
    let url = nowhere.join(href).ok()?;
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    (!pairs.is_empty()).then_some(pairs)
}

/// What to ask for the page behind `next`: what we asked at first, and what the service says of where to go on.
pub(super) fn following(first: &[(String, String)], next: Vec<(String, String)>) -> Vec<(String, String)> {
    let said = |name: &str| next.iter().any(|(known, _)| known == name);
    let mut query: Vec<_> = first.iter().filter(|(name, _)| !said(name)).cloned().collect();
    query.extend(next);
    query
}

/// The thing in an answer that holds it under a name, or is it.
pub(super) fn member(body: &[u8], name: Option<&str>) -> Option<String> {
    let members = json_text::members(body)?;
    let text = match name {
        None => body,
        Some(name) => members.iter().find(|(known, _)| known == name)?.1,
    };
    Some(String::from_utf8_lossy(text).into_owned())
}

/// The key of an element that makes no row.
pub(super) fn key(text: &str, pointer: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    match value.pointer(pointer)? {
        Value::String(key) => Some(key.clone()),
        Value::Number(key) => Some(key.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(body: &str, list: &str) -> Option<String> {
        let pairs = read(body.as_bytes(), list).unwrap().next?;
        Some(pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn the_next_page_is_found_as_each_service_writes_it() {
        for (body, list, query) in [
            (
                r#"{"servers": [], "servers_links": [{"rel": "self", "href": "x"},
                    {"rel": "next", "href": "http://proxy/v2.1/servers/detail?all_tenants=1&marker=a%20b"}]}"#,
                "servers",
                Some("all_tenants=1&marker=a b"),
            ),
            (
                r#"{"ports": [], "ports_links": [{"rel": "previous", "href": "http://n/?marker=z&page_reverse=True"}]}"#,
                "ports",
                None,
            ),
            (r#"{"images": [], "next": "/v2/images?marker=i"}"#, "images", Some("marker=i")),
            (
                r#"{"projects": [], "links": {"next": "http://k/v3/projects?marker=p"}}"#,
                "projects",
                Some("marker=p"),
            ),
            (r#"{"projects": [], "links": {"next": null, "self": "x"}}"#, "projects", None),
            (
                r#"{"stacks": [], "links": [{"rel": "next", "href": "http://h/v1/p/stacks?marker=s"}]}"#,
                "stacks",
                Some("marker=s"),
            ),
            (r#"{"volumes": []}"#, "volumes", None),
        ] {
            assert_eq!(next(body, list).as_deref(), query, "{body}");
        }
    }

    #[test]
    fn what_is_no_page_is_none() {
        for body in ["", "[]", "{}", r#"{"ports": {}}"#, r#"{"ports": [}"#] {
            assert_eq!(read(body.as_bytes(), "ports"), None, "{body}");
        }
    }

    #[test]
    fn the_service_says_where_to_go_on_and_we_say_what_we_want() {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let first = pairs(&[("limit", "1000"), ("all_tenants", "1")]);
        assert_eq!(
            following(&first, pairs(&[("limit", "50"), ("marker", "x")])),
            pairs(&[("all_tenants", "1"), ("limit", "50"), ("marker", "x")])
        );
    }

    #[test]
    fn a_thing_is_under_its_name_or_the_whole_body() {
        assert_eq!(member(br#"{"server": {"id": "a"}}"#, Some("server")).unwrap(), r#"{"id": "a"}"#);
        assert_eq!(member(br#"{"id": "a"}"#, None).unwrap(), r#"{"id": "a"}"#);
        assert_eq!(member(b"<html>", None), None);
        assert_eq!(key(r#"{"service": {"host": "h"}}"#, "/service/host").as_deref(), Some("h"));
        assert_eq!(key(r#"{"id": 7}"#, "/id").as_deref(), Some("7"));
    }
}
