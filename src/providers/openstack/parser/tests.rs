use super::*;
use serde_json::json;

fn event(notification: &Value) -> EmsEvent {
    match OpenstackEventParser.parse(&NativeEvent::new(notification.to_string())).unwrap() {
        Parsed::Events(mut events) if events.len() == 1 => events.remove(0).event,
        parsed => panic!("{parsed:?}"),
    }
}

#[test]
fn full_data_is_split_into_context_and_content_without_secrets() {
    let event = event(&json!({
        "event_type": "compute.instance.create.end", "timestamp": "2026-11-22 11:30:00", "message_id": "m",
        "payload": {"instance_id": "i", "admin_password": "p"},
        "_context_auth_token": "gAAAA", "_context_user_name": "ada"
    }));
    let full_data: Value = event.full_data.read().unwrap();
    assert_eq!(
        full_data,
        json!({
            "content": {"event_type": "compute.instance.create.end", "timestamp": "2026-11-22 11:30:00",
                        "message_id": "m", "payload": {"instance_id": "i", "admin_password": "REDACTED"}},
            "context": {"_context_auth_token": "REDACTED", "_context_user_name": "ada"},
            "user_id": null, "priority": null, "content_type": null
        })
    );
    assert_eq!(event.message.as_deref(), Some(r#"{"admin_password":"REDACTED","instance_id":"i"}"#));
}

#[test]
fn several_in_one_message_are_events_of_their_own() {
    let item = |id: &str| json!({"event_type": id, "generated": "2026-11-22T11:30:00", "traits": []});
    let body = json!({"event_type": "event", "payload": [item("a"), item("b")]}).to_string();
    let Parsed::Events(events) = OpenstackEventParser.parse(&NativeEvent::new(body)).unwrap() else {
        panic!()
    };
    let [one, other] = &events[..] else { panic!() };
    assert_eq!([&one.event.event_type, &other.event.event_type], ["a", "b"]);
    assert_eq!(one.event_uid.strip_suffix("#1"), other.event_uid.strip_suffix("#2"));
}

#[test]
fn a_payload_that_is_no_object_is_kept() {
    let with = |payload: Value| {
        event(&json!({"event_type": "x", "timestamp": "2026-11-22 11:30:00", "payload": payload}))
    };
    assert_eq!(with(json!("plain words")).message.as_deref(), Some("plain words"));
    assert_eq!(with(json!([1, 2])).message.as_deref(), Some("[1,2]"));
    assert_eq!(with(json!(null)).message, None);
}
