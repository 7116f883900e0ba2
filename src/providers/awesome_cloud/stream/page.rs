//! A page of events: its outline, and its elements as they stand. Pure; what an element means is the parser's affair.

use super::super::parser;
use crate::provider::{NativeEvent, json_text};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What a body of `GET /v1/events` holds.
pub(super) struct Page<'a> {
    /// The events, malformed ones too.
    pub events: Vec<&'a [u8]>,
    /// Where the query goes on.
    pub next_page_token: Option<String>,
}

impl<'a> Page<'a> {
    /// `None` when the outline cannot be read: the body is broken, and nothing in it can be told from anything else.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let members = json_text::members(body)?;
        let member = |name| members.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        let next_page_token: Option<String> =
            member("next_page_token").map_or(Ok(None), serde_json::from_slice).ok()?;
        let next_page_token = next_page_token.filter(|token| !token.is_empty());
        Some(Self { events: json_text::elements(member("events")?)?, next_page_token })
    }
}

/// An element as the parser is to see it.
pub(super) fn native_event(element: &[u8]) -> NativeEvent {
    match std::str::from_utf8(element) {
        Ok(text) => NativeEvent::new(text),
        Err(error) => NativeEvent {
            defect: Some(format!("invalid UTF-8 at byte {} of the event", error.valid_up_to())),
            ..NativeEvent::new(String::from_utf8_lossy(element))
        },
    }
}

/// The `time` of an element, if it tells one.
pub(super) fn time_of(element: &[u8]) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Timed {
        time: String,
    }
    parser::time(&serde_json::from_slice::<Timed>(element).ok()?.time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_its_events_and_its_token_whatever_stands_inside_or_beside() {
        let body = b"{\"x\":[{}],\"next_page_token\":\"a\\u0062\",\"events\":[{\"a\":\"\xff\"},7]}";
        let page = Page::read(body).unwrap();
        assert_eq!(page.events, [&b"{\"a\":\"\xff\"}"[..], b"7"]);
        assert_eq!(page.next_page_token.as_deref(), Some("ab"));
        let native = native_event(page.events[0]);
        assert_eq!(native.text, "{\"a\":\"\u{FFFD}\"}");
        assert_eq!(native.defect.as_deref(), Some("invalid UTF-8 at byte 6 of the event"));
    }

    #[test]
    fn a_body_without_events_is_broken() {
        for body in [
            r"{}",
            r#"{"events":null}"#,
            r#"{"events":{}}"#,
            r#"{"events":[],"next_page_token":7}"#,
            r#"{"events":[]"#,
            r#"{"events":[{"id":"#,
            "",
            "<html>",
        ] {
            assert!(Page::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(Page::read(br#"{"events":[]}"#).is_some());
    }

    #[test]
    fn a_time_is_read_from_events_that_are_bad_elsewhere() {
        assert!(time_of(br#"{"id":null,"time":"2026-11-22T10:26:01Z","m":"\ud800"}"#).is_some());
        assert!(time_of(br#"{"time":"0000-11-22T10:26:01Z"}"#).is_none());
        assert!(time_of(b"7").is_none());
    }
}
