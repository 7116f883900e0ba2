//! Native events of OpenStack become the events, uids and targets that `tests/data/openstack/cases.yml` says, whatever brings
//! them; every notification of a real cloud gives what `recorded.txt` says; and its twin gives the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use catchall::provider::{EmsEvent, NativeEvent, ParseError, Parsed, ParsedEvent, Provider, Target};
use catchall::providers::PROVIDERS;
use catchall::providers::openstack::Openstack;
use catchall::settings::EventGroups;
use catchall::switchboard::{Switchboard, builtin_domain};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

fn parse(text: impl Into<String>) -> Result<Parsed, ParseError> {
    Openstack.event_parser().parse(&NativeEvent::new(text))
}

fn enveloped(notification: &Value) -> String {
    json!({"oslo.version": "2.0", "oslo.message": notification.to_string()}).to_string()
}

fn events(parsed: Parsed) -> Vec<ParsedEvent> {
    match parsed {
        Parsed::Events(events) => events,
        Parsed::Filtered(reason) => panic!("filtered as {}", reason.0),
    }
}

fn event(text: impl Into<String>) -> ParsedEvent {
    let mut events = events(parse(text).unwrap());
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn targets_of(event: &EmsEvent) -> Vec<Target> {
    Openstack.event_target_parser().parse(event).unwrap()
}

/// `association ems_ref`, and ` gone` when nothing need be asked.
fn targets(event: &EmsEvent) -> Vec<String> {
    let told = |target: &Target| {
        assert_eq!(target.options["event_type"], event.event_type, "always told");
        assert_eq!(target.manager_ref.keys().collect::<Vec<_>>(), ["ems_ref"]);
        let gone = if target.options["deleted"] == true { " gone" } else { "" };
        format!("{} {}{gone}", target.association, target.ems_ref().unwrap_or("-"))
    };
    targets_of(event).iter().map(told).collect()
}

#[test]
fn every_case_gives_its_event_whatever_brings_it() {
    let cases: Vec<Value> = serde_yaml::from_str(include_str!("data/openstack/cases.yml")).unwrap();
    assert!(cases.len() > 20);
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        for text in [case["native"].to_string(), enveloped(&case["native"])] {
            match parse(text) {
                Err(error) => assert_eq!(json!(error.to_string()), case["error"], "{name}"),
                Ok(parsed) => {
                    let parsed = events(parsed);
                    assert_eq!(parsed.len(), 1, "{name}");
                    let got = serde_json::to_value(&parsed[0].event).unwrap();
                    for (key, wanted) in case["event"].as_object().into_iter().flatten() {
                        assert_eq!(&got[key], wanted, "{name}: {key}");
                    }
                    assert_eq!(json!(targets(&parsed[0].event)), case["targets"], "{name}");
                    if let Some(options) = case.get("options") {
                        let last = targets_of(&parsed[0].event).pop().unwrap();
                        assert_eq!(&last.options, options, "{name}");
                    }
                }
            }
        }
    }
}

fn recorded() -> Vec<(String, Value)> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let origin = [&line["exchange"], &line["routing_key"]].map(|part| part.as_str().unwrap());
        (origin.join(" "), line["message"].clone())
    };
    include_str!("data/openstack/notifications.jsonl").lines().map(line).collect()
}

/// One event in a line that people can review.
fn summary(origin: &str, message: &Value) -> String {
    let ParsedEvent { event_uid, event } = event(enveloped(message));
    assert_eq!(message["message_id"], json!(event_uid));
    assert_eq!((event.source.as_str(), event.full_data.text().contains("gAAAA")), ("OPENSTACK", false));
    let mut line = format!("{origin} {} -> {}", message["event_type"].as_str().unwrap(), event.event_type);
    for (name, value) in [
        ("vm", &event.vm_ems_ref),
        ("named", &event.vm_name),
        ("host", &event.host_ems_ref),
        ("zone", &event.availability_zone_ems_ref),
        ("chain", &event.chain_id.map(|chain| chain.to_string())),
        ("by", &event.username),
    ] {
        if let Some(value) = value {
            write!(line, " | {name} {value}").unwrap();
        }
    }
    for target in targets(&event) {
        write!(line, "\n    {target}").unwrap();
    }
    line
}

/// After a change on purpose: run with `CATCHALL_REVIEW` set, and look at what git says of the file.
#[test]
fn every_recorded_notification_gives_the_references_that_were_reviewed() {
    let got: Vec<String> = recorded().iter().map(|(origin, message)| summary(origin, message)).collect();
    let got = got.join("\n") + "\n";
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/openstack/recorded.txt");
    if std::env::var_os("CATCHALL_REVIEW").is_some() {
        std::fs::write(&file, &got).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap();
    for (got, wanted) in got.lines().zip(wanted.lines()) {
        assert_eq!(got, wanted);
    }
    assert_eq!(got.len(), wanted.len());
}

/// What rules may look at; times and the like are written otherwise.
const SAME_FIELDS: [&str; 12] = [
    "instance_id",
    "tenant_id",
    "display_name",
    "hostname",
    "host",
    "availability_zone",
    "instance_type",
    "memory_mb",
    "state",
    "old_state",
    "new_task_state",
    "key_name",
];

#[test]
fn a_versioned_notification_has_type_references_and_state_of_its_unversioned_twin() {
    let mut unversioned = BTreeMap::new();
    let mut pairs = 0;
    for (origin, message) in recorded() {
        let event = event(message.to_string()).event;
        if origin.starts_with("nova notifications") {
            unversioned.insert(event.event_type.clone(), event);
        }
    }
    for (origin, message) in recorded().iter().filter(|(origin, _)| origin.starts_with("nova versioned")) {
        let versioned = event(message.to_string()).event;
        let Some(twin) = unversioned.get(&versioned.event_type) else { continue };
        let of = |event: &EmsEvent, key: &str| {
            let full_data: Value = event.full_data.read().unwrap();
            full_data["content"]["payload"][key].clone()
        };
        // The first of a type is not always of the same server in both, nor made by the same service.
        if of(&versioned, "instance_id") != of(twin, "instance_id") {
            continue;
        }
        pairs += 1;
        for key in SAME_FIELDS.iter().filter(|key| !of(twin, key).is_null()) {
            assert_eq!(of(&versioned, key), of(twin, key), "{origin} {}: {key}", versioned.event_type);
        }
        let references = |event: &EmsEvent| {
            let mut targets: BTreeSet<String> = targets(event).into_iter().collect();
            // Only a versioned one still tells zone and project of what is deleted.
            if ["aggregate", "servergroup"]
                .iter()
                .any(|kind| event.event_type.starts_with(&format!("{kind}.delete")))
            {
                targets.retain(|target| {
                    !target.starts_with("availability_zones") && !target.starts_with("cloud_tenants")
                });
            }
            let EmsEvent { vm_ems_ref, vm_name, host_ems_ref, chain_id, username, .. } = event.clone();
            (vm_ems_ref, vm_name, host_ems_ref, chain_id, username, targets)
        };
        assert_eq!(references(&versioned), references(twin), "{}", versioned.event_type);
    }
    assert!(pairs > 60, "only {pairs} pairs");
}

#[test]
fn an_unversioned_payload_stays_as_it_was_sent() {
    for (origin, message) in recorded().iter().filter(|(origin, _)| !origin.contains("versioned_")) {
        let event = event(message.to_string()).event;
        let full_data: Value = event.full_data.read().unwrap();
        let text = message["payload"].to_string().replace("gAAAAAB-scrubbed", "REDACTED");
        assert_eq!(full_data["content"]["payload"].to_string(), text, "{origin}");
        assert_eq!(event.message.as_deref(), Some(text.as_str()));
        let together =
            full_data["content"].as_object().unwrap().len() + full_data["context"].as_object().unwrap().len();
        assert_eq!(together, message.as_object().unwrap().len(), "nothing is lost or added");
    }
}

#[test]
fn poison_is_an_error_and_never_a_panic() {
    let whole = enveloped(&recorded()[0].1);
    for end in 0..whole.len() {
        assert!(parse(&whole[..end]).is_err(), "{end}");
    }
    assert!(parse("[".repeat(100_000)).is_err());
    for odd in [
        "null",
        "[]",
        "1",
        "{}",
        r#"{"event_type": 1}"#,
        r#"{"event_type": "x"}"#,
        r#"{"oslo.message": "[]"}"#,
    ] {
        assert!(parse(odd).is_err(), "{odd}");
    }
    let defect = NativeEvent { defect: Some("no UTF-8".into()), ..NativeEvent::new("{}") };
    assert_eq!(Openstack.event_parser().parse(&defect).unwrap_err().to_string(), "no UTF-8");
}

fn event_groups() -> EventGroups {
    let settings: Value = serde_yaml::from_str(Openstack.default_settings()).unwrap();
    let mut groups = EventGroups::default();
    for (key, levels) in
        settings["ems"]["ems_openstack"]["event_handling"]["event_groups"].as_object().unwrap()
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

/// Every event type that the recordings or the switchboard have.
fn event_types() -> BTreeSet<String> {
    let mut event_types: BTreeSet<String> =
        recorded().iter().map(|(_, message)| event(message.to_string()).event.event_type).collect();
    for (path, text) in Openstack.automate() {
        let file: Value = serde_yaml::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let instances = file["object"]["instances"].as_object().unwrap();
        assert!(instances.len() > 130);
        event_types.extend(instances.keys().filter(|name| *name != ".missing").cloned());
    }
    event_types
}

#[test]
fn every_event_type_of_recordings_and_switchboard_has_a_group_and_level() {
    let groups = event_groups();
    let hidden = ["identity.authenticate"];
    let other: Vec<String> = event_types()
        .into_iter()
        .filter(|event_type| groups.group_and_level(event_type).group == "other")
        .filter(|event_type| !hidden.contains(&event_type.as_str()))
        .collect();
    assert_eq!(other, Vec::<String>::new());
    for (event_type, group) in [
        ("compute.instance.create.start", "power"),
        ("compute.instance.live_migration._post.end", "migration"),
        ("compute.instance.volume.attach", "storage"),
        ("compute.instance.update", "configuration"),
        ("binding.create.end", "network"),
        ("service.update", "status"),
        ("compute.instance.unheard.of", "other"),
    ] {
        assert_eq!(groups.group_and_level(event_type).group, group, "{event_type}");
    }
}

#[test]
fn the_patterns_of_the_groups_exclude_each_other() {
    let settings: Value = serde_yaml::from_str(Openstack.default_settings()).unwrap();
    let groups = settings["ems"]["ems_openstack"]["event_handling"]["event_groups"].as_object().unwrap();
    let lists = groups.values().flat_map(|levels| levels.as_object().unwrap().values());
    let names = lists.flat_map(|list| list.as_array().unwrap()).map(|name| name.as_str().unwrap());
    let patterns: Vec<regex::Regex> = names
        .filter_map(|name| name.strip_prefix('/')?.strip_suffix('/'))
        .map(|pattern| regex::Regex::new(pattern).unwrap())
        .collect();
    assert!(patterns.len() > 15);
    for event_type in event_types() {
        let fitting: Vec<_> = patterns.iter().filter(|pattern| pattern.is_match(&event_type)).collect();
        assert!(fitting.len() < 2, "{event_type}: {fitting:?}");
    }
}

#[test]
fn what_changes_the_inventory_is_refreshed_and_what_only_begins_is_not() {
    let (switchboard, _) = Switchboard::load(builtin_domain(PROVIDERS), &[]).unwrap();
    let refreshes = |event_type: &str| {
        let calls = switchboard.evaluate("OPENSTACK", event_type);
        calls.iter().any(|call| call.uri == "/System/event_handlers/refresh")
    };
    // What ManageIQ refreshes at its start, and what the end of which is not all.
    let begins = [
        "backup.create.start",
        "backup.restore.start",
        "compute.instance.snapshot.start",
        "snapshot.create.start",
    ];
    // Nothing that is inventoried changes, or another event tells the same.
    let quiet = [
        "aggregate.cache_images.end",
        "binding.create.end",
        "binding.delete.end",
        "compute.instance.live_migration.pre.end",
        "compute.instance.resize.prep.end",
        "compute.instance.volume_attach.end",
        "scheduler.select_destinations.end",
    ];
    for event_type in event_types() {
        if event_type.ends_with(".start") {
            assert_eq!(refreshes(&event_type), begins.contains(&event_type.as_str()), "{event_type}");
        }
        if event_type.ends_with(".end") {
            assert_ne!(refreshes(&event_type), quiet.contains(&event_type.as_str()), "{event_type}");
        }
    }
}
