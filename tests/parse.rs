//! `catchall parse`: one answer for each line, whatever the line holds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/automate_files.rs"]
mod automate_files;
#[path = "support/tiny_provider.rs"]
mod tiny_provider;

use catchall::cli::parse::run;
use catchall::provider::Provider;
use catchall::settings::EventNameFilter;
use catchall::switchboard::{Switchboard, builtin_domain};
use serde_json::{Value, json};
use tiny_provider::TINY;

/// (the answers, whether all could be parsed).
fn answers(input: &[u8]) -> (Vec<Value>, bool) {
    let providers: [&dyn Provider; 1] = [&TINY];
    let (switchboard, warnings) = Switchboard::load(builtin_domain(&providers), &[]).unwrap();
    assert_eq!(warnings.len(), 1, "the odd target: {warnings:?}");
    let blacklist = EventNameFilter::new(vec!["vm.scan".to_owned()]).unwrap();
    let mut output = Vec::new();
    let all_parsed = run(&TINY, &blacklist, &switchboard, input, &mut output).unwrap();
    let lines = String::from_utf8(output).unwrap();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), all_parsed)
}

#[test]
fn an_event_is_answered_with_targets_and_actions() {
    let native = r#"{"id": "e1", "type": "vm.moved", "vm": "vm-1"}"#;
    let (lines, all_parsed) = answers(format!("{native}\n").as_bytes());
    let expected = json!({
        "event": {
            "event_type": "vm.moved", "source": "TINY", "timestamp": "2026-11-22T10:26:01Z", "vm_ems_ref": "vm-1",
            "full_data": {"id": "e1", "type": "vm.moved", "vm": "vm-1"},
        },
        "event_uid": "e1",
        "filtered": false,
        "targets": [{"association": "vms", "manager_ref": {"ems_ref": "vm-1"}}],
        "actions": [{"uri": "/System/event_handlers/event_action_refresh", "params": {"target": "vm"}}],
        "error": null,
    });
    assert_eq!(lines, [expected]);
    assert!(all_parsed);
}

#[test]
fn a_message_with_several_events_is_one_line() {
    let native = br#"{"events": [{"id": "m#1", "type": "vm.changed"}, {"id": "m#2", "type": "unheard"}]}"#;
    let (lines, all_parsed) = answers(native);
    assert_eq!(lines.len(), 1);
    let uids: Vec<&Value> =
        lines[0]["events"].as_array().unwrap().iter().map(|line| &line["event_uid"]).collect();
    assert_eq!(uids, ["m#1", "m#2"]);
    assert_eq!(lines[0]["events"][1]["actions"], json!([]));
    assert!(all_parsed);
}

#[test]
fn blacklisted_and_foreign_messages_are_filtered_without_error() {
    let (lines, all_parsed) =
        answers(b"{\"id\": \"e\", \"type\": \"vm.scan\"}\n{\"ping\": 1}\n{\"events\": []}\n");
    assert!(lines.iter().all(|line| line["filtered"] == true && line["error"].is_null()), "{lines:?}");
    assert_eq!(lines[0]["actions"][0]["params"], json!({"target": "vm", "param": ""}));
    assert_eq!(lines[1]["event"], Value::Null);
    assert!(all_parsed);
}

#[test]
fn what_cannot_be_parsed_is_told_on_its_line_and_every_other_line_is_answered() {
    let good = r#"{"id": "e1", "type": "vm.changed", "vm": "vm-1"}"#;
    let deep = "[".repeat(100_000);
    let long = format!(r#"{{"id": "e2", "type": "vm.changed", "note": "{}"}}"#, "x".repeat(3 << 20));
    let bad: [(&[u8], bool, &str); 9] = [
        (b"no json", true, "expected"),
        (b"", true, "EOF"),
        (br#"{"Body": "no json"}"#, true, "`type` is missing"),
        (br#"{"id": "x"}"#, false, "`type` is missing"),
        (b"{\"id\": \"\xff\"}", false, "no UTF-8 from byte 9"),
        (br#"{"panic": true}"#, false, "panicked"),
        (br#"{"id": "x", "type": "vm.changed", "targets": "panic"}"#, false, "asked to panic over targets"),
        (br#"{"id": "x", "type": "vm.changed", "note": "\u0000"}"#, false, "message: holds NUL"),
        (br#"["\ud800"]"#, false, "hex escape"),
    ];
    let mut input = Vec::new();
    for (line, ..) in bad {
        input.extend_from_slice(line);
        input.extend_from_slice(format!("\r\n{good}\n").as_bytes());
    }
    input.extend_from_slice(format!("{deep}\n{long}").as_bytes());
    let (lines, all_parsed) = answers(&input);
    assert_eq!(lines.len(), 2 * bad.len() + 2);
    assert!(!all_parsed);
    for ((native, filtered, reason), pair) in bad.iter().zip(lines.chunks(2)) {
        let native = String::from_utf8_lossy(native);
        assert!(pair[0]["error"].as_str().unwrap().contains(reason), "{native}: {}", pair[0]["error"]);
        assert_eq!(pair[0]["filtered"], *filtered, "{native}");
        assert_eq!(pair[1]["event_uid"], "e1");
        assert_eq!(pair[1]["error"], Value::Null);
    }
    assert!(lines[2 * bad.len()]["error"].is_string());
    assert_eq!(lines[2 * bad.len() + 1]["event"]["message"].as_str().unwrap().len(), 3 << 20);
}

#[test]
fn without_automate_files_there_are_no_actions() {
    let mut output = Vec::new();
    let native = br#"{"id": "e", "type": "vm.changed"}"#;
    let switchboard = Switchboard::default();
    assert!(run(&TINY, &EventNameFilter::default(), &switchboard, &native[..], &mut output).unwrap());
    let line: Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(line["actions"], json!([]));
}
