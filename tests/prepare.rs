//! From a parsed event to what is committed with it: checks, calls, work.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/automate_files.rs"]
mod automate_files;
#[path = "support/tiny_provider.rs"]
mod tiny_provider;

use catchall::automate::Automation;
use catchall::automate::handlers::{HandlerContext, Plan, plan};
use catchall::event_catcher::prepare::{Outcome, Preparation, dead_letter, parse_native, prepare};
use catchall::provider::{EmsEvent, NativeEvent, ParseError, Parsed, ParsedEvent, Provider, Target};
use catchall::settings::RefreshSettings;
use catchall::switchboard::{Call, Switchboard, builtin_domain};
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

/// `refresh` or `event_action_policy?target=src_vm&…` as a call.
fn call(uri: &str) -> Call {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let path = if path.contains('/') { path.to_owned() } else { format!("/System/event_handlers/{path}") };
    Call { uri: path, params: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect() }
}

/// What these calls come to for an event about this VM.
fn planned(calls: &[&str], vm: &str, tiny: &Tiny, refresh: &RefreshSettings) -> Plan {
    let mut event = parsed(r#"{"id": "e", "type": "unheard"}"#).event;
    event.vm_ems_ref = Some(vm.to_owned()).filter(|vm| !vm.is_empty());
    let calls: Vec<_> = calls.iter().map(|uri| call(uri)).collect();
    plan(&calls, &HandlerContext { provider: tiny, refresh, event: &event }).unwrap()
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
fn what_needs_the_vmdb_is_passed_on_in_order() {
    let passed_on = |calls: &[&str], vm: &str| planned(calls, vm, &TINY, &ON).calls;
    let scan = "event_action_scan?target=vm";
    let policy = "event_action_policy?target=src_vm&policy_event=vm_start&param=";
    assert_eq!(passed_on(&[policy, "refresh", scan], "vm-1"), [call(policy), call(scan)]);
    let sync = "event_action_refresh_sync?target=src_vm";
    assert_eq!(
        passed_on(&["refresh_sync", sync], "vm-1"),
        [call("refresh_sync"), call(sync)],
        "they have tasks"
    );
    assert_eq!(passed_on(&["refresh_sync"], ""), [], "no target, no task");
    assert_eq!(passed_on(&["/Acme/Tools/reboot"], "vm-1").len(), 1, "the worker says that there is none");
}

#[test]
fn a_refresh_target_that_does_not_exist_ends_the_calls_and_the_worker_keeps_why() {
    let plan = planned(
        &["event_action_refresh?target=nosuch", "event_action_refresh?target=ems"],
        "vm-1",
        &TINY,
        &ON,
    );
    assert_eq!((plan.work, plan.calls), (Work::None, vec![call("event_action_refresh?target=nosuch")]));
}

#[test]
fn a_named_target_is_the_reference_that_the_event_has() {
    let named = |name: &str, change: &dyn Fn(&mut EmsEvent)| {
        let mut event = parsed(r#"{"id": "e", "type": "unheard"}"#).event;
        change(&mut event);
        let calls = [call(&format!("event_action_refresh?target={name}"))];
        let plan = plan(&calls, &HandlerContext { provider: &TINY, refresh: &ON, event: &event }).unwrap();
        (plan.work, plan.calls.len())
    };
    let vm = |event: &mut EmsEvent| event.vm_ems_ref = Some("v".to_owned());
    let host = |event: &mut EmsEvent| event.host_ems_ref = Some("h".to_owned());
    let dest_vm = |event: &mut EmsEvent| event.dest_vm_ems_ref = Some("w".to_owned());
    let dest_host = |event: &mut EmsEvent| event.dest_host_ems_ref = Some("k".to_owned());
    let all_set = |event: &mut EmsEvent| {
        for set in [&vm as &dyn Fn(&mut EmsEvent), &host, &dest_vm, &dest_host] {
            set(event);
        }
    };
    let nothing = |_: &mut EmsEvent| ();
    let one =
        |association: &str, ems_ref: &str| (Work::Refresh(vec![Target::by_ems_ref(association, ems_ref)]), 0);
    let whole = (Work::FullRefresh, 0);
    for (name, set, work) in [
        ("src_vm", &all_set as &dyn Fn(&mut EmsEvent), one("vms", "v")),
        ("vm", &host, one("hosts", "h")),
        ("src_vm", &dest_vm, whole.clone()),
        ("host", &all_set, one("hosts", "h")),
        ("src_host", &nothing, whole.clone()),
        ("dest_vm", &all_set, one("vms", "w")),
        ("dest_vm", &dest_host, one("hosts", "k")),
        ("dest_host", &all_set, one("hosts", "k")),
        ("src_vm_or_dest_host", &all_set, one("vms", "v")),
        ("src_vm_or_dest_host", &dest_host, one("hosts", "k")),
        ("ems_cluster", &all_set, whole.clone()),
        ("first_chained_src_vm", &all_set, one("vms", "v")),
        ("", &all_set, (Work::None, 0)),
        // What the provider makes of the event stands for a reference that the event does not have.
        ("dest_host", &vm, one("vms", "v")),
    ] {
        assert_eq!(named(name, set), work, "{name}");
    }
    let chained = |event: &mut EmsEvent| event.chain_id = Some(7);
    assert_eq!(
        named("first_chained_src_vm", &chained),
        (Work::None, 1),
        "only the VMDB knows the first event"
    );
    assert_eq!(named("first_chained_ems", &chained), whole);
}

#[test]
fn without_refreshes_a_state_machine_is_its_policy_event() {
    let machine =
        "/System/Event/StateMachines/Refresh/default?refresh_target=vm&policy_event=p&policy_target=src_vm";
    assert_eq!(planned(&[machine], "vm-1", &TINY, &ON).calls, [call(machine)]);
    let off = RefreshSettings { enabled: false, ..ON };
    let plan = planned(&[machine], "vm-1", &TINY, &off);
    assert_eq!(plan.calls, [call("event_action_policy?target=src_vm&policy_event=p")]);
    assert_eq!(plan.outcomes, [Outcome::RefreshWithoutWork]);
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
