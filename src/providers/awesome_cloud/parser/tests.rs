use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(native: &str) -> Result<(String, EmsEvent), ParseError> {
    match Parser.parse(&NativeEvent::new(native))? {
        Parsed::Events(mut events) if events.len() == 1 => {
            Ok(events.pop().map(|parsed| (parsed.event_uid, parsed.event)).unwrap())
        }
        other => panic!("not one event: {other:?}"),
    }
}

fn native() -> Value {
    json!({"id": "ev-1", "event_name": "com.awesome-cloud.vm.create", "time": "2026-11-22T10:26:01.123456789Z",
           "vm": {"id": "vm-1", "name": "web-1"}, "host": {"id": "host-1", "name": "node-1"},
           "chain_id": 17, "username": "alice", "message": "created"})
}

fn with(field: &str, value: Value) -> String {
    let mut native = native();
    native[field] = value;
    native.to_string()
}

#[test]
fn a_vm_event_is_mapped_as_the_guide_says() {
    let (uid, event) = parse(&native().to_string()).unwrap();
    assert_eq!(uid, "ev-1");
    let mut row = serde_json::to_value(&event).unwrap();
    assert_eq!(row["full_data"].take(), native());
    assert_eq!(
        row,
        json!({"event_type": "com.awesome-cloud.vm.create", "source": "AWESOME_CLOUD", "ems_ref": "ev-1",
               "timestamp": "2026-11-22T10:26:01.123456789Z", "chain_id": 17, "username": "alice",
               "message": "created", "vm_uid_ems": "vm-1", "vm_ems_ref": "vm-1", "vm_name": "web-1",
               "full_data": null})
    );
}

#[test]
fn a_host_event_names_its_host_and_no_vm() {
    let (_, event) = parse(&with("event_name", json!("com.awesome-cloud.host.resume"))).unwrap();
    assert_eq!((event.host_ems_ref.as_deref(), event.host_name.as_deref()), (Some("host-1"), Some("node-1")));
    assert_eq!((event.vm_ems_ref, event.vm_uid_ems, event.vm_name), (None, None, None));
}

#[test]
fn a_login_names_neither() {
    let (_, event) = parse(&with("event_name", json!("com.awesome-cloud.login"))).unwrap();
    assert_eq!((event.vm_ems_ref, event.host_ems_ref), (None, None));
}

#[test]
fn optional_fields_may_be_absent_or_null() {
    for native in [
        r#"{"id":"e","event_name":"com.awesome-cloud.vm.stop","time":"2026-11-22T10:26:01Z"}"#,
        r#"{"id":"e","event_name":"com.awesome-cloud.vm.stop","time":"2026-11-22T10:26:01Z","vm":null,"host":null,
            "chain_id":null,"username":null,"message":null}"#,
        r#"{"id":"e","event_name":"com.awesome-cloud.vm.stop","time":"2026-11-22T10:26:01Z","vm":{}}"#,
    ] {
        let (_, event) = parse(native).unwrap();
        assert_eq!((event.vm_ems_ref, event.chain_id, event.message), (None, None, None));
    }
}

#[test]
fn full_data_is_the_native_text_to_the_letter() {
    let native = r#"{ "id":"e", "event_name":"x", "time":"2026-11-22T10:26:01Z", "big": 123456789012345678901234567890.10, "huge":1e999, "zone": {"b":1,"a":[null]} }"#;
    assert_eq!(parse(native).unwrap().1.full_data.text(), native);
}

#[test]
fn a_malformed_event_is_refused_with_the_reason() {
    let time = |text: &str| with("time", json!(text));
    for (native, reason) in [
        (with("id", Value::Null), "invalid type: null"),
        (with("event_name", Value::Null), "invalid type: null"),
        (with("time", Value::Null), "invalid type: null"),
        (r#"{"event_name":"x","time":"2026-11-22T10:26:01Z"}"#.into(), "missing field `id`"),
        (with("id", json!("")), "`id` is empty"),
        (with("id", json!(5)), "invalid type: integer"),
        (with("chain_id", json!("17")), "invalid type: string"),
        (with("chain_id", json!(1.5)), "invalid type: floating point"),
        (with("vm", json!("vm-1")), "invalid type: string"),
        (with("vm", json!(["vm-1", "web-1"])), "invalid type: sequence"),
        (with("vm", json!({"id": 1})), "invalid type: integer"),
        (with("username", json!("a\u{0}b")), "NUL in a text"),
        (with("unknown", json!({"deep": ["\u{0}"]})), "NUL in a text"),
        (native().to_string().replace("alice", "\\ud83d"), "lone surrogate"),
        (native().to_string().replace("17", "\"\\udc00\""), "lone surrogate"),
        (time("2026-11-22"), "no RFC 3339 time"),
        (time("12026-11-22T10:26:01Z"), "no RFC 3339 time"),
        (time("0000-11-22T10:26:01Z"), "outside the years"),
        (time("9999-12-31T23:59:59-05:00"), "outside the years"),
        (format!("{}1{}", "[".repeat(5000), "]".repeat(5000)), "nested deeper"),
        (r#"["e","x","2026-11-22T10:26:01Z",null,null,null,null,null]"#.into(), "is an object"),
        ("{".into(), "EOF"),
        ("".into(), "is an object"),
    ] {
        let error = parse(&native).expect_err(&native[..native.len().min(200)]).0;
        assert!(error.contains(reason), "{error:?} does not say {reason:?}");
    }
}

#[test]
fn a_defect_found_by_the_stream_is_the_reason() {
    let native = NativeEvent { defect: Some("invalid UTF-8 at byte 7".into()), ..NativeEvent::new("{}") };
    assert_eq!(Parser.parse(&native).unwrap_err().0, "invalid UTF-8 at byte 7");
}

#[test]
fn a_megabyte_of_text_and_a_leap_second_are_no_trouble() {
    let long = "x".repeat(1 << 20);
    assert_eq!(parse(&with("message", json!(long))).unwrap().1.message.unwrap().len(), 1 << 20);
    let leap = parse(&with("time", json!("2016-12-31T23:59:60.5Z"))).unwrap().1.timestamp;
    assert_eq!(leap.to_rfc3339(), "2016-12-31T23:59:59.999999999+00:00");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}", mangled in 0_usize..200, byte in any::<char>()) {
        let _ = parse_any(&text);
        let mut native: Vec<char> = native().to_string().chars().collect();
        let at = mangled % native.len();
        native[at] = byte;
        let _ = parse_any(&native.into_iter().collect::<String>());
    }
}

fn parse_any(text: &str) -> Result<Parsed, ParseError> {
    Parser.parse(&NativeEvent::new(text))
}
