//! From a message body to the notifications inside it: oslo.messaging's envelope is opened, a plain body taken as it is.
//!
//! Events as Ceilometer's successors pass them on are known by their shape too, since people paste them into `catchall
//! parse` and ManageIQ reads them: Panko's and Ceilometer's items (`traits` as objects), and the Service Telemetry
//! Framework's (`request`, then a list whose `traits` are triples). Which event it is, the parser decides.

use crate::provider::{NativeEvent, ParseError};
use serde_json::{Map, Value, json};

/// A JSON object.
pub(super) type Body = Map<String, Value>;

/// The key of oslo.messaging's envelope that holds the notification as JSON text.
const OSLO_MESSAGE: &str = "oslo.message";
/// Envelopes within envelopes are followed this far.
const DEEPEST_ENVELOPE: usize = 4;

/// Opens a message body. The notifications in their order; usually there is one.
///
/// # Errors
/// When the body, or the text in its envelope, is no JSON object.
pub(super) fn open(native: &NativeEvent) -> Result<Vec<Body>, ParseError> {
    if let Some(defect) = &native.defect {
        return Err(ParseError::new(defect));
    }
    let mut body = decode(&native.text, "the message body")?;
    for _ in 0..DEEPEST_ENVELOPE {
        body = match body {
            Value::Object(mut envelope) => match envelope.remove(OSLO_MESSAGE) {
                Some(Value::String(text)) => decode(&text, OSLO_MESSAGE)?,
                // Some drivers leave it as an object.
                Some(message @ Value::Object(_)) => message,
                Some(_) => return Err(ParseError::new("oslo.message is neither JSON text nor an object")),
                None => match envelope.remove("request") {
                    Some(request @ Value::Object(_)) if !envelope.contains_key("event_type") => request,
                    Some(request) => {
                        envelope.insert("request".to_owned(), request);
                        return Ok(notifications(envelope));
                    }
                    None => return Ok(notifications(envelope)),
                },
            },
            _ => return Err(ParseError::new("a notification is a JSON object, this is none")),
        };
    }
    Err(ParseError::new(format!("more than {DEEPEST_ENVELOPE} envelopes around one notification")))
}

fn decode(text: &str, what: &str) -> Result<Value, ParseError> {
    serde_json::from_str(text).map_err(|error| ParseError::new(format!("{what} is no JSON: {error}")))
}

/// What an opened body holds: itself, or the events that it passes on.
fn notifications(mut body: Body) -> Vec<Body> {
    if is_passed_on(&body) {
        return vec![from_traits(body)];
    }
    match body.remove("payload") {
        Some(Value::Array(items)) if !items.is_empty() && items.iter().all(is_passed_on_value) => items
            .into_iter()
            .filter_map(|item| if let Value::Object(item) = item { Some(from_traits(item)) } else { None })
            .collect(),
        Some(payload) => {
            body.insert("payload".to_owned(), payload);
            vec![body]
        }
        None => vec![body],
    }
}

fn is_passed_on_value(item: &Value) -> bool {
    item.as_object().is_some_and(is_passed_on)
}

fn is_passed_on(body: &Body) -> bool {
    body.get("traits").is_some_and(Value::is_array)
        && body.contains_key("event_type")
        && !body.contains_key("payload")
}

/// An event with a list of traits, in the form of the notification that it was made of.
fn from_traits(mut body: Body) -> Body {
    let mut payload = Map::new();
    for item in body.get("traits").and_then(Value::as_array).into_iter().flatten() {
        let (name, value) = match item {
            Value::Array(triple) => (triple.first(), triple.get(2)),
            item => (item.get("name"), item.get("value")),
        };
        if let Some(name) = name.and_then(Value::as_str) {
            payload.insert(name.to_owned(), value.cloned().unwrap_or_default());
        }
    }
    let mut notification = Map::new();
    notification.insert("payload".to_owned(), Value::Object(payload));
    let mut take = |from: &str, to: &str| {
        if let Some(value) = body.remove(from) {
            notification.insert(to.to_owned(), value);
        }
    };
    take("message_id", "message_id");
    take("event_type", "event_type");
    take("generated", "timestamp");
    notification
}

/// The notification in ManageIQ's form of `full_data`: what describes the request apart from what happened.
///
/// The three keys beside them hold AMQP properties in ManageIQ; OpenStack leaves them empty.
pub(super) fn split(notification: Body) -> Body {
    let (context, content): (Body, Body) =
        notification.into_iter().partition(|(key, _)| key.starts_with("_context_"));
    let mut full_data = Map::new();
    full_data.insert("content".to_owned(), Value::Object(content));
    full_data.insert("context".to_owned(), Value::Object(context));
    full_data.extend(["user_id", "priority", "content_type"].map(|key| (key.to_owned(), json!(null))));
    full_data
}

/// The value at `path`; JSON null counts as absent.
pub(super) fn at<'a>(body: &'a Body, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let mut value = body.get(*first)?;
    for key in rest {
        value = value.get(key)?;
    }
    (!value.is_null()).then_some(value)
}

/// The text at `path`, when it is one and not blank.
pub(super) fn text<'a>(body: &'a Body, path: &[&str]) -> Option<&'a str> {
    at(body, path).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Vec<Value> {
        open(&NativeEvent::new(text)).unwrap().into_iter().map(Value::Object).collect()
    }

    fn refused(text: &str) -> String {
        open(&NativeEvent::new(text)).unwrap_err().to_string()
    }

    #[test]
    fn an_envelope_and_a_plain_body_carry_the_same() {
        let plain = json!({"event_type": "image.create", "payload": {"id": "i"}});
        let envelope = json!({"oslo.version": "2.0", "oslo.message": plain.to_string()});
        let object = json!({"oslo.version": "2.0", "oslo.message": plain});
        for text in [plain.to_string(), envelope.to_string(), object.to_string()] {
            assert_eq!(opened(&text), std::slice::from_ref(&plain));
        }
    }

    #[test]
    fn traits_become_a_payload_in_either_form() {
        let wanted = json!({"message_id": "m", "event_type": "volume.create.end", "timestamp": "t",
                            "payload": {"resource_id": "v"}});
        let panko = json!({"message_id": "m", "event_type": "volume.create.end", "generated": "t", "raw": {},
                           "traits": [{"type": "string", "name": "resource_id", "value": "v"}]});
        assert_eq!(opened(&panko.to_string()), std::slice::from_ref(&wanted));
        let triple = json!({"message_id": "m", "event_type": "volume.create.end", "generated": "t",
                            "traits": [["resource_id", 1, "v"]]});
        let inner = json!({"event_type": "event", "payload": [triple, triple]});
        let stf = json!({"request": {"oslo.version": "2.0", "oslo.message": inner.to_string()}});
        assert_eq!(opened(&stf.to_string()), [wanted.clone(), wanted], "each of the list");
    }

    #[test]
    fn what_is_no_json_object_is_refused_with_its_place() {
        assert!(refused("nonsense").starts_with("the message body is no JSON"));
        assert!(refused(r#"{"oslo.message": "{"}"#).starts_with("oslo.message is no JSON"));
        assert_eq!(refused("[1]"), "a notification is a JSON object, this is none");
        assert_eq!(refused(r#"{"oslo.message": 1}"#), "oslo.message is neither JSON text nor an object");
        let mut text = "{}".to_owned();
        for _ in 0..5 {
            text = json!({"oslo.message": text}).to_string();
        }
        assert!(refused(&text).starts_with("more than 4 envelopes"));
    }

    #[test]
    fn a_field_called_request_makes_no_envelope_of_a_notification() {
        let plain = json!({"event_type": "x", "request": {"a": 1}});
        assert_eq!(opened(&plain.to_string()), [plain]);
    }
}
