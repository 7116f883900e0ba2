//! The identity of an Amazon event (`event_uid`). The rule is for ever: a change would store events twice.
//!
//! 1. CloudTrail: `detail.eventID`, the GUID that CloudTrail gives to a recorded call. It comes before EventBridge's `id`,
//!    because one call may be put on a bus more than once (trails of several Regions, buses that forward to each other), each
//!    time under a new `id`. An `eventID` that is no GUID was not made by CloudTrail and identifies nothing.
//! 2. Everything else from EventBridge: `id`. Ten instances that stop within a second are ten of them.
//! 3. AWS Config: account, Region, type and id of the resource, and `configurationStateId`, the number of that change.
//! 4. Else (alarms, incomplete bodies) the message around it: SNS `MessageId`, SQS `MessageId`, its content. Where one
//!    message carries a list, the position in it is added as `#n`.

use super::envelope::Message;
use super::kind::{Body, Kind, at, text};
use crate::provider::{NativeEvent, event_uid};
use serde_json::Value;
use std::cell::LazyCell;

/// The identity of the message around the events, worked out once: it may be a hash of all of it.
pub(super) fn around(native: &NativeEvent, message: &Message) -> String {
    let id = message.sns_message_id.clone().or_else(|| message.sqs_message_id.clone());
    id.unwrap_or_else(|| event_uid::of_content(native))
}

/// The uid of the body at `index` (from 0) in `message`, which is known by `around`.
pub(super) fn event_uid(
    message: &Message,
    around: &LazyCell<String, impl FnOnce() -> String>,
    index: usize,
    kind: Kind,
) -> String {
    let own = message.bodies.get(index).and_then(|body| own_identity(kind, body));
    event_uid::bounded(own.unwrap_or_else(|| {
        if message.list { format!("{}#{}", **around, index + 1) } else { (**around).clone() }
    }))
}

fn own_identity(kind: Kind, body: &Body) -> Option<String> {
    match kind {
        Kind::Config => config_identity(body),
        Kind::ApiCall => text(body, &["detail", "eventID"])
            .filter(|id| uuid::Uuid::try_parse(id).is_ok())
            .or_else(|| text(body, &["id"]))
            .map(str::to_owned),
        Kind::InstanceState | Kind::EbsSnapshot | Kind::Alarm => text(body, &["id"]).map(str::to_owned),
    }
}

fn config_identity(body: &Body) -> Option<String> {
    let item = |key: &str| text(body, &["configurationItem", key]);
    let state_id = match at(body, &["configurationItem", "configurationStateId"])? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let resource = [item("resourceType")?, item("resourceId")?].join("/");
    let place = [item("awsAccountId"), item("awsRegion")].map(Option::unwrap_or_default).join("/");
    Some(format!("{place}/{resource}/{state_id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn uid(body: Value, sns: Option<&str>, sqs: Option<&str>) -> String {
        let body = body.as_object().unwrap().clone();
        let kind = Kind::recognize(&body).unwrap();
        let native = NativeEvent::new(Value::Object(body.clone()).to_string());
        let (sns_message_id, sqs_message_id) = (sns.map(str::to_owned), sqs.map(str::to_owned));
        let message = Message { bodies: vec![body], sns_message_id, sqs_message_id, ..Message::default() };
        event_uid(&message, &LazyCell::new(|| around(&native, &message)), 0, kind)
    }

    fn call(id: &str, event_id: &str) -> Value {
        json!({"id": id, "detail": {"eventType": "AwsApiCall", "eventName": "StopInstances", "eventID": event_id}})
    }

    #[test]
    fn one_api_call_on_two_buses_is_one_event() {
        let event_id = "4ae6cc29-5b3a-41f4-b3d8-964b38dc9568";
        assert_eq!(uid(call("a", event_id), Some("m"), Some("q")), event_id);
        assert_eq!(uid(call("b", event_id), None, Some("r")), event_id);
    }

    #[test]
    fn an_event_id_that_cloudtrail_cannot_have_made_leaves_it_to_the_id_of_eventbridge() {
        assert_eq!(uid(call("a", "e"), Some("m"), None), "a");
    }

    #[test]
    fn instances_that_stop_in_the_same_second_are_events_of_their_own() {
        let state = |id: &str| json!({"id": id, "detail-type": "EC2 Instance State-change Notification", "time": "t"});
        assert_ne!(uid(state("a"), Some("m"), None), uid(state("b"), Some("n"), None));
        assert_eq!(uid(state("a"), Some("m"), None), uid(state("a"), None, Some("q")), "whatever carried it");
    }

    #[test]
    fn a_change_of_configuration_is_known_by_resource_and_number() {
        let change = |state: Value| {
            json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem":
                {"awsAccountId": "1", "awsRegion": "eu-west-1", "resourceType": "AWS::EC2::VPC",
                 "resourceId": "vpc-1", "configurationStateId": state}})
        };
        let expected = "1/eu-west-1/AWS::EC2::VPC/vpc-1/1504785747415";
        assert_eq!(uid(change(json!(1_504_785_747_415_u64)), Some("m"), None), expected);
        assert_eq!(uid(change(json!("1504785747415")), Some("n"), None), expected);
        assert_eq!(uid(change(Value::Null), Some("n"), None), "n");
    }

    #[test]
    fn an_alarm_is_known_by_its_message_and_at_last_by_its_content() {
        let alarm = json!({"AlarmName": "a"});
        assert_eq!(uid(alarm.clone(), Some("m"), Some("q")), "m");
        assert_eq!(uid(alarm.clone(), None, Some("q")), "q");
        assert!(uid(alarm, None, None).starts_with("sha256:"));
    }
}
