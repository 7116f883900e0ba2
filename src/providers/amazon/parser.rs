//! Native event → [`EmsEvent`]: which event it is, when it happened, and what it is about.
//!
//! Event types, messages and references are ManageIQ's (reference: its Amazon event catcher and event parser); where they
//! differ, `docs/deviations.md` says why. Pure.

use super::envelope::{self, Message, Opened, UNRECOGNIZED};
use super::identity::{around, event_uid};
use super::kind::{Body, Kind, at, text};
use crate::provider::{EmsEvent, EventParser, FullData, NativeEvent, ParseError, Parsed, ParsedEvent};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::cell::LazyCell;

/// `event_streams.source`.
pub(super) const SOURCE: &str = "AMAZON";

/// Ruby: `ManageIQ::Providers::Amazon::CloudManager::EventParser`.
#[derive(Debug)]
pub(super) struct AmazonEventParser;

impl EventParser for AmazonEventParser {
    fn parse(&self, native: &NativeEvent) -> Result<Parsed, ParseError> {
        let message = match envelope::open(native)? {
            Opened::Message(message) => message,
            Opened::Filtered(reason) => return Ok(Parsed::Filtered(reason)),
        };
        let around = LazyCell::new(|| around(native, &message));
        let mut events = Vec::with_capacity(message.bodies.len());
        for (index, body) in message.bodies.iter().enumerate() {
            if let Some(kind) = Kind::recognize(body) {
                let event_uid = event_uid(&message, &around, index, kind);
                events.push(ParsedEvent { event_uid, event: event_to_hash(&message, body, kind)? });
            }
        }
        Ok(if events.is_empty() { Parsed::Filtered(UNRECOGNIZED) } else { Parsed::Events(events) })
    }
}

fn event_to_hash(message: &Message, body: &Body, kind: Kind) -> Result<EmsEvent, ParseError> {
    let owned = |path: &[&str]| text(body, path).map(str::to_owned);
    let event_type = event_type(kind, body)?;
    let mut event = EmsEvent {
        source: SOURCE.to_owned(),
        timestamp: timestamp(kind, body, message)?,
        full_data: full_data(message, body, kind, &event_type),
        event_type,
        ..EmsEvent::default()
    };
    match kind {
        Kind::Config => {
            event.message = at(body, &["configurationItemDiff"]).map(Value::to_string);
            event.availability_zone_ems_ref = owned(&["configurationItem", "availabilityZone"]);
            if text(body, &["configurationItem", "resourceType"]) == Some("AWS::EC2::Instance") {
                event.vm_ems_ref = owned(&["configurationItem", "resourceId"]);
            }
        }
        Kind::ApiCall => {
            let json = |key| at(body, &["detail", key]).map(Value::to_string).unwrap_or_default();
            event.message = Some(format!(
                "request: {}, response: {}",
                json("requestParameters"),
                json("responseElements")
            ));
            event.vm_ems_ref = first_instance(body);
            event.username = owned(&["detail", "userIdentity", "userName"]).or_else(|| {
                owned(&["detail", "userIdentity", "sessionContext", "sessionIssuer", "userName"])
            });
        }
        Kind::InstanceState => {
            event.message = at(body, &["detail"]).map(Value::to_string);
            event.vm_ems_ref = owned(&["detail", "instance-id"]);
        }
        Kind::EbsSnapshot => event.message = at(body, &["detail"]).map(Value::to_string),
        Kind::Alarm => event.message = owned(&["AlarmName"]),
    }
    Ok(event)
}

fn event_type(kind: Kind, body: &Body) -> Result<String, ParseError> {
    let needed = |path: &[&str]| {
        text(body, path).ok_or_else(|| ParseError::new(format!("{} is missing", path.join("."))))
    };
    Ok(match kind {
        Kind::Config => {
            let resource_type = needed(&["configurationItem", "resourceType"])?;
            format!("{resource_type}_{}", change(resource_type, body)?).replace("::", "_")
        }
        Kind::ApiCall => format!("AWS_API_CALL_{}", needed(&["detail", "eventName"])?),
        Kind::InstanceState => {
            let state = text(body, &["detail", "state"]).map(|state| format!("_{state}"));
            format!("EC2_Instance_State_change_Notification{}", state.unwrap_or_default())
        }
        Kind::EbsSnapshot => "EBS_Snapshot_Notification".to_owned(),
        Kind::Alarm => format!("AWS_ALARM_{}", needed(&["AlarmName"])?),
    })
}

/// What happened to the resource. Of an instance, the new state tells more than `UPDATE`.
fn change<'a>(resource_type: &str, body: &'a Body) -> Result<&'a str, ParseError> {
    const STATE: [&str; 4] =
        ["configurationItemDiff", "changedProperties", "Configuration.State.Name", "updatedValue"];
    let change_type = text(body, &["configurationItemDiff", "changeType"]);
    let state = text(body, &STATE).filter(|_| resource_type.ends_with("::Instance"));
    let change = if change_type == Some("CREATE") { change_type } else { state.or(change_type) };
    // Without a difference to the last recording there is still what the recording says of itself.
    change
        .or(match text(body, &["configurationItem", "configurationItemStatus"]) {
            Some("ResourceDiscovered") => Some("CREATE"),
            Some("ResourceDeleted" | "ResourceDeletedNotRecorded") => Some("DELETE"),
            Some("OK") => Some("UPDATE"),
            _ => None,
        })
        .ok_or_else(|| ParseError::new("configurationItemDiff.changeType is missing"))
}

/// When it happened, by AWS's clock; at last, when SNS took it.
fn timestamp(kind: Kind, body: &Body, message: &Message) -> Result<DateTime<Utc>, ParseError> {
    let own: &[&[&str]] = match kind {
        Kind::Config => {
            &[&["notificationCreationTime"], &["configurationItem", "configurationItemCaptureTime"]]
        }
        Kind::ApiCall => &[&["time"], &["detail", "eventTime"]],
        Kind::InstanceState | Kind::EbsSnapshot => &[&["time"]],
        Kind::Alarm => &[&["StateChangeTime"]],
    };
    let candidates = own.iter().filter_map(|path| text(body, path)).chain(message.sent.as_deref());
    candidates.filter_map(instant).next().ok_or_else(|| {
        ParseError::new(format!(
            "{} is missing or no time",
            own.first().map(|p| p.join(".")).unwrap_or_default()
        ))
    })
}

/// RFC 3339, or CloudWatch's form of it with an offset without a colon.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|time| time.to_utc())
}

fn first_instance(body: &Body) -> Option<String> {
    let items = at(body, &["detail", "responseElements", "instancesSet", "items"])?;
    Some(items.get(0)?.get("instanceId")?.as_str()?.to_owned())
}

fn full_data(message: &Message, body: &Body, kind: Kind, event_type: &str) -> FullData {
    let mut full_data = body.clone();
    full_data.insert("eventType".to_owned(), json!(event_type));
    full_data.insert("event_source".to_owned(), json!(kind.event_source()));
    if let Some(message_id) = &message.sqs_message_id {
        full_data.insert("messageId".to_owned(), json!(message_id));
    }
    FullData::from_value(&Value::Object(full_data))
}
