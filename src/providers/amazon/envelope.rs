//! From the body of an SQS message to the events inside it: SNS envelopes are opened, raw deliveries taken as they are.
//!
//! Which event it is, the parser decides; here nothing is known but wrappings.

use crate::provider::{Filtered, NativeEvent, ParseError};
use serde_json::{Map, Value};

/// SNS's own messages about a subscription.
pub(super) const SNS_CONTROL: Filtered = Filtered("sns_control");
/// JSON, but nothing that this provider takes for an event.
pub(super) const UNRECOGNIZED: Filtered = Filtered("unrecognized");

/// An opened message.
#[derive(Debug, PartialEq)]
pub(super) enum Opened {
    /// What it carries.
    Message(Message),
    /// It carries no event.
    Filtered(Filtered),
}

/// What an SQS message carries, out of its wrappings.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Message {
    /// Its JSON objects, in order.
    pub(super) bodies: Vec<Map<String, Value>>,
    /// Whether they came as a list; then the position belongs to the identity.
    pub(super) list: bool,
    /// `MessageId` of the SNS envelope, the same on every delivery of one publication.
    pub(super) sns_message_id: Option<String>,
    /// `Timestamp` of the SNS envelope.
    pub(super) sent: Option<String>,
}

/// Opens the body of an SQS message.
///
/// # Errors
/// When the body, or the `Message` of an SNS envelope, is no JSON.
pub(super) fn open(native: &NativeEvent) -> Result<Opened, ParseError> {
    let body = decode(&native.text, "the body of the SQS message")?;
    // An EventBridge input transformer sends its text as one JSON string.
    let body = match body {
        Value::String(text) => decode(&text, "the text in the body of the SQS message")?,
        body => body,
    };
    match body {
        Value::Object(envelope) if is_sns_control(&envelope) => Ok(Opened::Filtered(SNS_CONTROL)),
        Value::Object(envelope) if is_sns_envelope(&envelope) => open_sns(&envelope),
        body => Ok(carrying(body, Message::default())),
    }
}

fn open_sns(envelope: &Map<String, Value>) -> Result<Opened, ParseError> {
    let message = envelope.get("Message").and_then(Value::as_str).unwrap_or_default();
    let body = decode(message, "the Message of the SNS envelope")?;
    let text = |key: &str| envelope.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(carrying(
        body,
        Message { sns_message_id: text("MessageId"), sent: text("Timestamp"), ..Message::default() },
    ))
}

fn carrying(body: Value, mut message: Message) -> Opened {
    match body {
        Value::Object(body) => message.bodies.push(body),
        Value::Array(items) => {
            message.list = true;
            message.bodies.extend(items.into_iter().map(|item| match item {
                Value::Object(body) => body,
                _ => Map::new(), // keeps its position, and is recognized as nothing
            }));
        }
        _ => return Opened::Filtered(UNRECOGNIZED),
    }
    Opened::Message(message)
}

fn is_sns_control(body: &Map<String, Value>) -> bool {
    matches!(
        body.get("Type").and_then(Value::as_str),
        Some("SubscriptionConfirmation" | "UnsubscribeConfirmation")
    )
}

/// With raw delivery the body is the event itself, which may well have a field of this name.
fn is_sns_envelope(body: &Map<String, Value>) -> bool {
    let is_event = ["messageType", "detail-type", "AlarmName"].iter().any(|key| body.contains_key(*key));
    body.get("Message").is_some_and(Value::is_string) && !is_event
}

fn decode(text: &str, what: &str) -> Result<Value, ParseError> {
    serde_json::from_str(text).map_err(|error| ParseError::new(format!("{what} is no JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Opened {
        open(&NativeEvent::new(text)).unwrap()
    }

    fn bodies(text: &str) -> Vec<Map<String, Value>> {
        match opened(text) {
            Opened::Message(message) => message.bodies,
            Opened::Filtered(reason) => panic!("filtered: {reason:?}"),
        }
    }

    #[test]
    fn an_sns_envelope_a_raw_delivery_and_a_quoted_one_carry_the_same() {
        let raw = bodies(r#"{"detail-type":"x"}"#);
        let text = r#"{"Type":"Notification","MessageId":"m","Message":"{\"detail-type\":\"x\"}"}"#;
        assert_eq!(bodies(text), raw);
        assert_eq!(bodies(r#""{\"detail-type\":\"x\"}""#), raw);
    }

    #[test]
    fn an_event_with_a_field_called_message_is_no_envelope() {
        assert_eq!(bodies(r#"{"AlarmName":"a","Message":"b"}"#).len(), 1);
    }

    #[test]
    fn confirmations_of_sns_are_filtered_although_their_text_is_no_json() {
        let text = r#"{"Type":"SubscriptionConfirmation","Message":"You have chosen to subscribe"}"#;
        assert_eq!(opened(text), Opened::Filtered(SNS_CONTROL));
    }

    #[test]
    fn json_that_holds_no_object_is_filtered() {
        assert_eq!(opened("42"), Opened::Filtered(UNRECOGNIZED));
    }

    #[test]
    fn what_is_no_json_is_an_error_that_names_the_wrapping() {
        let error = open(&NativeEvent::new("not json")).unwrap_err().to_string();
        assert!(error.starts_with("the body of the SQS message is no JSON: "), "{error}");
        let error = open(&NativeEvent::new(r#"{"Type":"Notification","Message":"not json"}"#)).unwrap_err();
        assert!(error.to_string().starts_with("the Message of the SNS envelope is no JSON: "), "{error}");
    }
}
