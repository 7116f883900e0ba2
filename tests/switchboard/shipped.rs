//! The built-in domain holds what ManageIQ ships: each of its instances of provider events comes to the same calls.

use catchall::provider::Provider;
use catchall::providers::PROVIDERS;
use catchall::switchboard::{Call, FieldKind, REFRESH_STATE_MACHINE, Switchboard, builtin_domain};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One of ManageIQ's instances.
#[derive(Deserialize)]
struct Case {
    class: String,
    instance: String,
    guard: Option<String>,
    attributes: BTreeMap<String, String>,
    /// Field, address, parameters.
    calls: Vec<(String, String, BTreeMap<String, String>)>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../data/automate/manageiq_instances.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn switchboard() -> Switchboard {
    let (switchboard, warnings) = Switchboard::load(builtin_domain(PROVIDERS), &[]).unwrap();
    assert_eq!(warnings, [], "the built-in domain is faultless");
    switchboard
}

#[test]
fn all_of_manageiqs_instances_make_the_calls_that_they_make_there() {
    let switchboard = switchboard();
    let cases = cases();
    assert_eq!(cases.len(), 602);
    for case in &cases {
        let name = format!("{}/{}", case.class, case.instance);
        let calls: Vec<Call> = case
            .calls
            .iter()
            .map(|(_, uri, params)| Call { uri: uri.clone(), params: params.clone() })
            .collect();
        let asked_otherwise = case.instance.to_uppercase();
        assert_eq!(switchboard.evaluate(&case.class, &case.instance), calls, "{name}");
        assert_eq!(switchboard.evaluate(&case.class.to_lowercase(), &asked_otherwise), calls, "{name}");

        let explanation = switchboard.explain(&case.class, &case.instance);
        let resolved = explanation.resolved.unwrap();
        assert_eq!((&resolved.instance, &resolved.attributes), (&case.instance, &case.attributes), "{name}");
        let class = format!("System/Event/EmsEvent/{}", case.class);
        assert_eq!((explanation.aborted, &resolved.class), (None, &class), "{name}");
        assert_eq!(explanation.warnings, Vec::<String>::new(), "{name}");
        let own: Vec<_> = explanation.fields.iter().filter(|run| run.class == class).collect();
        let guards = own.iter().filter(|run| run.kind == FieldKind::Assertion).map(|run| &run.value);
        assert_eq!(guards.collect::<Vec<_>>(), case.guard.iter().collect::<Vec<_>>(), "{name}");
        let fields = own.iter().filter(|run| run.kind != FieldKind::Attribute).map(|run| run.field.as_str());
        let expected = case.calls.iter().map(|(field, ..)| field.as_str());
        assert_eq!(fields.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn unknown_events_of_each_class_do_nothing() {
    let switchboard = switchboard();
    let classes: BTreeSet<String> = cases().into_iter().map(|case| case.class).collect();
    assert_eq!(classes.len(), 20);
    let without_missing: Vec<&str> = classes
        .iter()
        .map(String::as_str)
        .filter(|class| switchboard.explain(class, "no such type").resolved.is_none())
        .collect();
    assert_eq!(without_missing, ["IBMCloud-PowerVS", "PROXMOX"]);
    for class in &classes {
        assert_eq!(switchboard.evaluate(class, "no such type"), [], "{class}");
    }
}

#[test]
fn policy_events_are_enforced_and_others_of_their_namespace_do_nothing() {
    let switchboard = switchboard();
    let uris = |calls: Vec<Call>| calls.into_iter().map(|call| call.uri).collect::<Vec<_>>();
    let enforce = "/System/event_handlers/event_enforce_policy";
    assert_eq!(uris(switchboard.evaluate_in("MiqEvent", "POLICY", "vm_start")), [enforce]);
    assert_eq!(uris(switchboard.explain_in("miqevent", "policy", "vm_start").calls), [enforce]);
    assert_eq!(switchboard.evaluate_in("RequestEvent", "POLICY", "vm_start"), []);
    assert_eq!(switchboard.evaluate("POLICY", "vm_start"), [], "policy events are no provider's");
}

#[test]
fn the_refresh_state_machine_is_one_call_whichever_domain_has_it() {
    let states = "object_type: class\nobject:\n  attributes: {name: Refresh}\n  schema:\n  \
                  - field: {name: pre, aetype: state, priority: 1}\n  - field: {name: refresh, aetype: state, priority: 2}\n  \
                  - field: {name: policy, aetype: state, priority: 3}\n  instances:\n    \
                  default: {refresh: 'METHOD::target_refresh', policy: /System/event_handlers/refresh}\n    \
                  other: {refresh: 'METHOD::target_refresh'}\n";
    let domains = super::Domains::new()
        .with("Acme")
        .file("System/Event/StateMachines/Refresh.class.yaml", states)
        .instance("EVM", "Mine", &[("rel1", "/System/Event/StateMachines/Refresh/other")]);
    let (switchboard, warnings) = domains.load();
    for switchboard in [&switchboard, &self::switchboard()] {
        let calls = switchboard.evaluate("EVM", "ReconfigVM_Task_Complete");
        let params: Vec<_> = calls[0].params.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!((calls.len(), calls[0].uri.as_str()), (1, REFRESH_STATE_MACHINE));
        assert_eq!(params, ["policy_event=vm_reconfigure", "policy_target=src_vm", "refresh_target=src_vm"]);
    }
    assert_eq!(switchboard.evaluate("EVM", "Mine"), []);
    let told = |text: &str| warnings.iter().filter(|warning| warning.message.contains(text)).count();
    assert_eq!(told("is not read: Catchall does natively"), 2, "{warnings:?}");
    assert_eq!(told("refresh: is not run: Catchall has no state machines of domains"), 1, "{warnings:?}");
}

#[test]
fn a_whole_copy_of_the_built_in_domain_is_no_slip() {
    let domains = super::Domains::new().with("Copy");
    let folder = domains.folder("Copy");
    let builtin = builtin_domain(PROVIDERS);
    for (path, bytes) in &builtin {
        super::domains::write(&folder.join(path), bytes);
    }
    let (_, warnings) = Switchboard::load(builtin, &[folder]).unwrap();
    let other: Vec<_> =
        warnings.iter().filter(|warning| !warning.message.contains("does natively")).collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn every_provider_of_the_build_has_its_class() {
    let switchboard = switchboard();
    let source = |provider: &&&dyn Provider| provider.event_source();
    for provider in PROVIDERS.iter().map(|provider| source(&provider)) {
        assert!(switchboard.explain(provider, "no such type").resolved.is_some(), "{provider}");
    }
}
