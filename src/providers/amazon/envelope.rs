//! From the body of an SQS message to the events inside it: SNS envelopes are opened, raw deliveries taken as they are.
//!
//! Which event it is, the parser decides; here nothing is known but wrappings.

use crate::provider::{Filtered, NativeEvent, ParseError};
use serde_json::{Map, Value};

/// SNS's own messages about a subscription.
pub(super) const SNS_CONTROL: Filtered = Filtered("sns_control");
/// JSON, but nothing that this provider takes for an event.
pub(super) const UNRECOGNIZED: Filtered = Filtered("unrecognized");

/// Longer than any id that SNS or SQS make: such a text is none, and would be kept with each event of its message.
const LONGEST_ID: usize = 255;

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
    /// SQS's `MessageId`.
    pub(super) sqs_message_id: Option<String>,
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
    let mut message = Message { sqs_message_id: native.transport_id.clone(), ..Message::default() };
    let mut body = decode(&native.text, "the body of the SQS message")?;
    // A whole message, as `aws sqs receive-message` prints it: what people paste into `catchall parse`.
    if let Some(text) = sqs_body(&body) {
        let inner = decode(text, "the Body of the SQS message")?;
        message.sqs_message_id = message.sqs_message_id.or_else(|| message_id(&body));
        body = inner;
    }
    // An EventBridge input transformer sends its text as one JSON string.
    if let Value::String(text) = &body {
        body = decode(text, "the text in the body of the SQS message")?;
    }
    match &body {
        Value::Object(envelope) if is_sns_control(envelope) => return Ok(Opened::Filtered(SNS_CONTROL)),
        Value::Object(envelope) if is_sns_envelope(envelope) => {
            let inner = text_of(&body, "Message").unwrap_or_default();
            message.sns_message_id = message_id(&body);
            message.sent = text_of(&body, "Timestamp");
            body = decode(&inner, "the Message of the SNS envelope")?;
        }
        _ => {}
    }
    Ok(carrying(body, message))
}

fn text_of(body: &Value, key: &str) -> Option<String> {
    body.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn message_id(body: &Value) -> Option<String> {
    text_of(body, "MessageId").filter(|id| id.len() <= LONGEST_ID)
}

fn sqs_body(body: &Value) -> Option<&str> {
    let whole = body.get("ReceiptHandle").is_some() || body.get("MessageId").is_some();
    body.get("Body").and_then(Value::as_str).filter(|_| whole && body.get("Message").is_none())
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
        assert_eq!(bodies(r#"{"MessageId":"m","Body":"{\"detail-type\":\"x\"}"}"#), raw);
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
