//! What the provider ships: its settings, its switchboard files and its recorded events fit together.

use catchall::provider::{NativeEvent, Parsed, Provider};
use catchall::providers::awesome_cloud::AwesomeCloud;
use serde_yaml::Value;
use std::collections::{BTreeMap, BTreeSet};

const RECORDED: &str = include_str!("../../src/providers/awesome_cloud/fixtures/events.jsonl");

/// Name of each instance → the value of `rel4`.
fn instances() -> BTreeMap<String, Option<String>> {
    let class = "System/Event/EmsEvent/AWESOME_CLOUD.class/";
    let files = AwesomeCloud.automate();
    assert!(files.iter().all(|(path, _)| path.starts_with(class)), "no file of another provider's tree");
    let instance = |text: &[u8]| {
        let file: Value = serde_yaml::from_slice(text).unwrap();
        let name = file["object"]["attributes"]["name"].as_str().unwrap().to_owned();
        let fields = file["object"]["fields"].as_sequence().unwrap();
        let rel4 = fields.iter().find_map(|field| field["rel4"]["value"].as_str());
        (name, rel4.map(str::to_owned))
    };
    files
        .iter()
        .filter(|(path, _)| !path.ends_with("__class__.yaml"))
        .map(|(_, text)| instance(text))
        .collect()
}

fn recorded_types() -> BTreeSet<String> {
    let parse = |line: &str| match AwesomeCloud.event_parser().parse(&NativeEvent::new(line)).unwrap() {
        Parsed::Events(events) => events[0].event.event_type.clone(),
        Parsed::Filtered(reason) => panic!("{reason:?}"),
    };
    RECORDED.lines().map(parse).collect()
}

#[test]
fn every_recorded_event_type_has_an_instance_and_every_vm_and_host_event_refreshes() {
    let mut instances = instances();
    assert_eq!(instances.remove(".missing"), Some(None));
    assert_eq!(instances.keys().cloned().collect::<BTreeSet<_>>(), recorded_types());
    for (name, rel4) in instances {
        let refresh = (!name.ends_with(".login")).then(|| "/System/event_handlers/refresh".to_owned());
        assert_eq!(rel4, refresh, "{name}");
    }
}

#[test]
fn the_class_has_the_fields_of_every_event_class_in_their_order() {
    let files = AwesomeCloud.automate();
    let (_, text) = files.iter().find(|(path, _)| path.ends_with("__class__.yaml")).unwrap();
    let class: Value = serde_yaml::from_slice(text).unwrap();
    assert_eq!(class["object"]["attributes"]["name"].as_str(), Some(AwesomeCloud.event_source()));
    let schema = class["object"]["schema"].as_sequence().unwrap();
    let field = |field: &Value| {
        (field["field"]["priority"].as_u64().unwrap(), field["field"]["name"].as_str().unwrap().to_owned())
    };
    let fields: Vec<_> = schema.iter().map(field).collect();
    assert_eq!(fields.len(), 21);
    assert!(
        fields.is_sorted() && fields[0].1 == "guard" && fields[9].1 == "rel4" && fields[20].1 == "on_exit"
    );
}

#[test]
fn every_recorded_event_type_stands_in_one_event_group() {
    let settings: Value = serde_yaml::from_str(AwesomeCloud.default_settings()).unwrap();
    let groups = &settings["ems"]["ems_awesome_cloud"]["event_handling"]["event_groups"];
    let mut listed = Vec::new();
    for group in groups.as_mapping().unwrap().values() {
        assert!(group["name"].is_string());
        for level in ["critical", "warning", "detail"] {
            listed.extend(
                group[level]
                    .as_sequence()
                    .into_iter()
                    .flatten()
                    .map(|name| name.as_str().unwrap().to_owned()),
            );
        }
    }
    listed.sort();
    assert_eq!(listed, recorded_types().into_iter().collect::<Vec<_>>());
    let catcher = &settings["workers"]["worker_base"]["event_catcher"]["event_catcher_awesome_cloud"];
    assert_eq!(catcher["poll"].as_str(), Some("15.seconds"));
}
