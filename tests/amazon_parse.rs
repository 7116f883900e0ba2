//! Amazon's native events become the events, uids and targets that `tests/data/amazon/cases.yml` says, by either way of
//! delivery; and every event type of its switchboard stands under a heading of the timeline.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use catchall::provider::{EmsEvent, NativeEvent, ParseError, Parsed, ParsedEvent, Provider};
use catchall::providers::amazon::Amazon;
use catchall::settings::EventGroups;
use serde_json::{Value, json};

fn parse(text: impl Into<String>) -> Result<Parsed, ParseError> {
    let native = NativeEvent { text: text.into(), transport_id: Some("sqs-1".to_owned()), defect: None };
    Amazon.event_parser().parse(&native)
}

fn in_sns(native: &Value) -> String {
    json!({"Type": "Notification", "MessageId": "sns-1", "TopicArn": "arn:aws:sns:eu-west-1:1:t",
           "Message": native.to_string(), "Timestamp": "2026-11-24T10:01:00.000Z"})
    .to_string()
}

fn events(parsed: Parsed) -> Vec<ParsedEvent> {
    match parsed {
        Parsed::Events(events) => events,
        Parsed::Filtered(reason) => panic!("filtered as {}", reason.0),
    }
}

fn targets(event: &EmsEvent) -> Vec<String> {
    let targets = Amazon.event_target_parser().parse(event).unwrap();
    let key = |(key, value): (&String, &Value)| format!("{key}={}", value.as_str().unwrap());
    targets
        .iter()
        .map(|t| format!("{} {}", t.association, t.manager_ref.iter().map(key).collect::<String>()))
        .collect()
}

fn check_event(name: &str, case: &Value, way: &str, parsed: Parsed) {
    let parsed = events(parsed);
    assert_eq!(parsed.len(), 1, "{name}");
    let ParsedEvent { event_uid, event } = &parsed[0];
    let got = serde_json::to_value(event).unwrap();
    for (key, wanted) in case["event"].as_object().unwrap() {
        assert_eq!(&got[key], wanted, "{name}: {key}");
    }
    let uid = &case["event_uid"];
    assert_eq!(event_uid, uid[way].as_str().or(uid.as_str()).unwrap(), "{name} through {way}");
    let mut full_data: Value = event.full_data.read().unwrap();
    let full_data = full_data.as_object_mut().unwrap();
    assert_eq!(full_data.remove("eventType"), Some(json!(event.event_type)), "{name}");
    assert_eq!(full_data.remove("event_source"), Some(case["event_source"].clone()), "{name}");
    assert_eq!(full_data.remove("messageId"), Some(json!("sqs-1")), "{name}");
    assert_eq!(&Value::Object(full_data.clone()), &case["native"], "{name}: nothing else is added or lost");
    assert_eq!(json!(targets(event)), case["targets"], "{name}");
}

#[test]
fn every_case_gives_the_same_event_by_either_way_of_delivery() {
    let cases: Vec<Value> = serde_yaml::from_str(include_str!("data/amazon/cases.yml")).unwrap();
    assert!(cases.len() > 10);
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        for (way, text) in [("sqs", case["native"].to_string()), ("sns", in_sns(&case["native"]))] {
            match parse(text) {
                Err(error) => assert_eq!(json!(error.to_string()), case["error"], "{name}"),
                Ok(Parsed::Filtered(reason)) => assert_eq!(json!(reason.0), case["filtered"], "{name}"),
                Ok(parsed) => check_event(name, case, way, parsed),
            }
        }
    }
}

#[test]
fn ten_instances_that_stop_in_one_second_are_ten_events() {
    let uids: std::collections::BTreeSet<String> = (0..10)
        .flat_map(|n| {
            let native = json!({"id": format!("id-{n}"), "detail-type": "EC2 Instance State-change Notification",
                "time": "2026-11-24T10:00:01Z", "detail": {"instance-id": format!("i-{n}"), "state": "stopped"}});
            events(parse(in_sns(&native)).unwrap())
        })
        .map(|event| event.event_uid)
        .collect();
    assert_eq!(uids.len(), 10);
}

#[test]
fn a_list_in_one_message_is_numbered_where_its_events_have_no_identity() {
    let alarm = |name: &str| json!({"AlarmName": name, "StateChangeTime": "2026-11-24T10:00:07.916+0000"});
    let parsed = events(parse(in_sns(&json!([alarm("a"), {"other": 1}, alarm("b")]))).unwrap());
    let uids: Vec<&str> = parsed.iter().map(|event| event.event_uid.as_str()).collect();
    assert_eq!(
        uids,
        ["sns-1#1", "sns-1#3"],
        "the position stays, whatever a later version recognizes between"
    );
}

#[test]
fn an_event_without_a_time_of_its_own_takes_that_of_its_envelope() {
    let native = json!({"id": "a", "detail-type": "EBS Snapshot Notification", "detail": {}});
    let event = events(parse(in_sns(&native)).unwrap()).remove(0).event;
    assert_eq!(event.timestamp.to_rfc3339(), "2026-11-24T10:01:00+00:00");
    let error = parse(native.to_string()).unwrap_err().to_string();
    assert_eq!(error, "time is missing or no time");
}

#[test]
fn parameters_nested_deeper_than_manageiq_looks_still_give_their_targets() {
    let mut parameters = json!({"instanceId": "i-deep"});
    for _ in 0..60 {
        parameters = json!({"networkInterface": parameters});
    }
    let native = json!({"id": "a", "time": "2026-11-24T10:00:02Z",
        "detail": {"eventType": "AwsApiCall", "eventName": "X", "requestParameters": parameters}});
    let event = events(parse(native.to_string()).unwrap()).remove(0).event;
    assert_eq!(targets(&event), ["vms ems_ref=i-deep"]);
}

#[test]
fn poison_is_an_error_and_never_a_panic() {
    let whole =
        in_sns(&json!({"id": "a", "detail-type": "EBS Snapshot Notification", "detail": {"x": [1, null]}}));
    for end in 0..whole.len() {
        assert!(parse(&whole[..end]).is_err(), "{end}");
    }
    assert!(parse("[".repeat(100_000)).is_err());
    for odd in [r#"{"detail":[]}"#, r#"{"Message":"[[],1]"}"#, r#"{"messageType":1,"AlarmName":{}}"#, "null"]
    {
        assert!(matches!(parse(odd), Ok(Parsed::Filtered(_))), "{odd}");
    }
}

fn event_groups() -> EventGroups {
    let settings: Value = serde_yaml::from_str(Amazon.default_settings()).unwrap();
    let mut groups = EventGroups::default();
    for (key, levels) in settings["ems"]["ems_amazon"]["event_handling"]["event_groups"].as_object().unwrap()
    {
        let group = groups.add_group(key, key);
        for level in catchall::settings::event_groups::LEVELS {
            for event_type in levels.get(level).and_then(Value::as_array).into_iter().flatten() {
                groups.list(group, level, event_type.as_str().unwrap()).unwrap();
            }
        }
    }
    groups
}

#[test]
fn every_event_type_of_the_switchboard_has_a_group_and_level() {
    let groups = event_groups();
    let mut event_types = Vec::new();
    for (path, text) in Amazon.automate() {
        let file: Value = serde_yaml::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let instances = file["object"]["instances"].as_object().unwrap();
        event_types.extend(instances.keys().filter(|name| *name != ".missing").cloned());
    }
    assert_eq!(event_types.len(), 110);
    for event_type in event_types {
        assert_ne!(groups.group_and_level(&event_type).group, "other", "{event_type}");
    }
}

#[test]
fn a_state_is_grouped_with_its_dash_and_as_manageiq_lists_it() {
    let groups = event_groups();
    for state in ["shutting-down", "shutting_down"] {
        let found = groups.group_and_level(&format!("EC2_Instance_State_change_Notification_{state}")).group;
        assert_eq!(found, "power");
    }
}
