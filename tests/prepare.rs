//! From a parsed event to what is committed with it: checks, calls, work.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/automate_files.rs"]
mod automate_files;
#[path = "support/tiny_provider.rs"]
mod tiny_provider;

use catchall::automate::Automation;
use catchall::event_catcher::prepare::{Outcome, Preparation, dead_letter, parse_native, prepare};
use catchall::provider::{NativeEvent, ParseError, Parsed, ParsedEvent, Provider, Target};
use catchall::settings::RefreshSettings;
use catchall::switchboard::{Switchboard, builtin_domain};
use catchall::vmdb::Work;
use std::time::Duration;
use tiny_provider::{TINY, Tiny};

const ON: RefreshSettings = RefreshSettings {
    enabled: true,
    allow_targeted_refresh: true,
    refresh_interval: Duration::from_secs(86_400),
    full_refresh_threshold: 100,
};

fn parsed(native: &str) -> ParsedEvent {
    match parse_native(&TINY, &NativeEvent::new(native)).unwrap() {
        Parsed::Events(mut events) => events.remove(0),
        Parsed::Filtered(reason) => panic!("filtered: {reason:?}"),
    }
}

fn prepared(
    event: ParsedEvent,
    tiny: &Tiny,
    refresh: &RefreshSettings,
) -> Result<(Work, Vec<Outcome>), ParseError> {
    let providers: [&dyn Provider; 1] = [&TINY];
    let (switchboard, _) = Switchboard::load(builtin_domain(&providers), &[]).unwrap();
    let automation = Automation { switchboard, ..Automation::default() };
    let preparation = Preparation { provider: tiny, ems: "tiny", automation: &automation, refresh };
    prepare(event, &preparation).map(|(ready, outcomes)| (ready.work, outcomes))
}

fn work(event_type: &str, vm: &str, tiny: &Tiny, refresh: &RefreshSettings) -> (Work, Vec<Outcome>) {
    let native = format!(r#"{{"id": "e", "type": "{event_type}", "vm": {vm}}}"#);
    prepared(parsed(&native), tiny, refresh).unwrap()
}

#[test]
fn a_refresh_call_makes_work_of_the_providers_targets_once() {
    let vm = Work::Refresh(vec![Target::by_ems_ref("vms", "vm-1")]);
    assert_eq!(work("vm.changed", r#""vm-1""#, &TINY, &ON), (vm.clone(), vec![]), "two calls, one target");
    assert_eq!(work("VM.Changed", "null", &TINY, &ON), (Work::None, vec![]), "no target, no work");
    assert_eq!(work("vm.moved", r#""vm-1""#, &TINY, &ON), (vm, vec![]));
    assert_eq!(work("vm.moved", "null", &TINY, &ON), (Work::FullRefresh, vec![]));
    assert_eq!(work("cloud.changed", r#""vm-1""#, &TINY, &ON), (Work::FullRefresh, vec![]));
    assert_eq!(work("unheard", r#""vm-1""#, &TINY, &ON), (Work::None, vec![]));
}

#[test]
fn without_targeted_refresh_everything_is_refreshed() {
    let whole = RefreshSettings { allow_targeted_refresh: false, ..ON };
    for event_type in ["vm.changed", "vm.moved"] {
        assert_eq!(work(event_type, r#""vm-1""#, &TINY, &whole), (Work::FullRefresh, vec![]), "{event_type}");
    }
}

#[test]
fn a_refresh_that_makes_no_work_is_counted() {
    let off = RefreshSettings { enabled: false, ..ON };
    let counted = (Work::None, vec![Outcome::RefreshWithoutWork]);
    for event_type in ["vm.moved", "cloud.changed"] {
        assert_eq!(work(event_type, r#""vm-1""#, &TINY, &off), counted);
        assert_eq!(work(event_type, r#""vm-1""#, &Tiny { has_collector: false }, &ON), counted);
    }
    assert_eq!(work("vm.changed", r#""vm-1""#, &TINY, &off).1.len(), 2, "each call");
}

#[test]
fn handlers_that_are_not_there_yet_and_targets_that_do_not_exist_are_counted_by_name() {
    let unhandled = |name: &str| (Work::None, vec![Outcome::Unhandled(name.to_owned())]);
    assert_eq!(work("vm.scan", r#""vm-1""#, &TINY, &ON), unhandled("event_action_scan"));
    assert_eq!(work("odd", r#""vm-1""#, &TINY, &ON), unhandled("event_action_refresh?target=nosuch"));
}

#[test]
fn what_the_vmdb_cannot_hold_is_told_with_its_column() {
    let long = "x".repeat(256);
    let event = |change: &dyn Fn(&mut ParsedEvent)| {
        let mut event = parsed(r#"{"id": "e", "type": "unheard"}"#);
        change(&mut event);
        prepared(event, &TINY, &ON).unwrap_err().0
    };
    assert!(event(&|parsed| parsed.event_uid.clear()).starts_with("event_uid: is empty"));
    assert!(event(&|parsed| parsed.event_uid.clone_from(&long)).starts_with("event_uid: is 256 bytes"));
    assert!(event(&|parsed| parsed.event.event_type.clear()).starts_with("event_type: is empty"));
    assert!(
        event(&|parsed| parsed.event.event_type.clone_from(&long)).starts_with("event_type: is 256 bytes")
    );
    assert!(event(&|parsed| parsed.event.vm_name = Some("a\0b".into())).starts_with("vm_name: holds NUL"));
    assert!(
        event(&|parsed| parsed.event.timestamp = "+12026-01-01T00:00:00Z".parse().unwrap())
            .starts_with("timestamp: the year 12026")
    );
    let nul = parsed(r#"{"id": "e", "type": "unheard", "deep": [{"a": "\u0000"}]}"#);
    assert!(prepared(nul, &TINY, &ON).unwrap_err().0.starts_with("full_data: holds NUL"));
    assert!(prepared(parsed(r#"{"id": "e", "type": "unheard", "a": "\\u0000"}"#), &TINY, &ON).is_ok());
}

#[test]
fn a_panic_of_a_providers_parsers_is_this_events_problem_alone() {
    let error = parse_native(&TINY, &NativeEvent::new(r#"{"panic": true}"#)).unwrap_err();
    assert!(error.0.contains("asked to panic"), "{error}");
    let event = parsed(r#"{"id": "e", "type": "vm.changed", "targets": "panic"}"#);
    assert!(prepared(event, &TINY, &ON).unwrap_err().0.contains("asked to panic over targets"));
}

#[test]
fn a_defect_of_the_transport_is_not_parsed() {
    let native = NativeEvent { defect: Some("cut off".to_owned()), ..NativeEvent::new(r#"{"type": "x"}"#) };
    assert_eq!(parse_native(&TINY, &native).unwrap_err(), ParseError::new("cut off"));
}

#[test]
fn a_dead_letter_is_known_by_its_text() {
    let letter = dead_letter("abc", "no");
    assert_eq!(letter.event_uid, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!((letter.native.as_str(), letter.reason.as_str()), ("abc", "no"));
    let with_nul = dead_letter("a\0", "holds \0");
    assert_eq!((with_nul.native.as_str(), with_nul.reason.as_str()), ("a\u{FFFD}", "holds \u{FFFD}"));
    assert_ne!(with_nul.event_uid, dead_letter("a\u{FFFD}", "").event_uid);
}
