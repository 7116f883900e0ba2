//! What every provider must keep, checked over its own fixtures: `fixtures/events.jsonl`, native events one a line, and
//! where it has a collector `fixtures/inventory.json`.

use catchall::provider::{EmsEvent, NativeEvent, Parsed, ParsedEvent, Provider};
use catchall::settings::{EventGroups, LoadOptions, load_for};
use catchall::switchboard::{Switchboard, builtin_domain};
use std::collections::BTreeSet;
use std::path::Path;

/// One line for each rule that `provider`, whose files lie in `folder`, breaks.
pub fn violations(provider: &'static dyn Provider, folder: &Path) -> Vec<String> {
    let mut found = names(provider);
    let lines = std::fs::read_to_string(folder.join("fixtures/events.jsonl")).unwrap_or_default();
    if lines.trim().is_empty() {
        found.push("fixtures/events.jsonl holds no native event".to_owned());
    }
    let mut uids = BTreeSet::new();
    let mut events = Vec::new();
    for line in lines.lines() {
        match parsed(provider, line) {
            Err(reason) => found.push(format!("does not parse ({reason}): {line}")),
            Ok(parsed) => events.extend(parsed),
        }
    }
    for ParsedEvent { event_uid, event } in &events {
        if event_uid.is_empty() || event_uid.len() > 255 || !uids.insert(event_uid) {
            found.push(format!("event_uid {event_uid:?} is empty, longer than 255 bytes or not unique"));
        }
        if event.source != provider.event_source() {
            found.push(format!(
                "{event_uid}: source {:?} is not {:?}",
                event.source,
                provider.event_source()
            ));
        }
        if let Err(reason) = provider.event_target_parser().parse(event) {
            found.push(format!("{event_uid}: no targets: {reason}"));
        }
    }
    match std::fs::read_to_string(folder.join("fixtures/inventory.json")) {
        Ok(inventory) => found.extend(references(&events, &inventory)),
        Err(_) if provider.has_collector() => {
            found.push("has a collector and no fixtures/inventory.json".into())
        }
        Err(_) => {}
    }
    found.extend(switchboard(provider, &events));
    found.iter().map(|violation| format!("{}: {violation}", provider.ems_type())).collect()
}

fn names(provider: &dyn Provider) -> Vec<String> {
    let ems_type = provider.ems_type();
    let mut found = Vec::new();
    if ems_type.is_empty()
        || !ems_type.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    {
        found.push(format!("ems_type {ems_type:?} is no lower-case word"));
    }
    if !provider.class_name().starts_with("ManageIQ::Providers::") {
        found.push(format!("class_name {:?} is no manager class of ManageIQ", provider.class_name()));
    }
    found
}

/// The events of one native event; parsing again must give the same.
fn parsed(provider: &dyn Provider, line: &str) -> Result<Vec<ParsedEvent>, String> {
    let once = || match provider.event_parser().parse(&NativeEvent::new(line)) {
        Ok(Parsed::Events(events)) => Ok(events),
        Ok(Parsed::Filtered(_)) => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    };
    let events = once()?;
    let text = |events: &[ParsedEvent]| serde_json::to_string(events).map_err(|error| error.to_string());
    if text(&events)? != text(&once()?)? {
        return Err("parsing it again gives another event".to_owned());
    }
    Ok(events)
}

/// By these an event is related to inventory, so each must be a key there.
fn references(events: &[ParsedEvent], inventory: &str) -> Vec<String> {
    let keys = |event: &EmsEvent| {
        [&event.vm_ems_ref, &event.vm_uid_ems, &event.host_ems_ref, &event.host_uid_ems].map(Clone::clone)
    };
    let mut wanted: Vec<String> = events.iter().flat_map(|event| keys(&event.event)).flatten().collect();
    wanted.sort();
    wanted.dedup();
    wanted.retain(|key| !inventory.contains(&format!("\"{key}\"")));
    wanted.iter().map(|key| format!("reference {key:?} is no key of fixtures/inventory.json")).collect()
}

/// Its defaults load alone, and every event type that does something stands in a group.
fn switchboard(provider: &'static dyn Provider, events: &[ParsedEvent]) -> Vec<String> {
    let elsewhere = LoadOptions {
        working_directory: std::env::temp_dir().join("no settings here"),
        ..LoadOptions::default()
    };
    let groups = match load_for(&elsewhere, &[provider]) {
        Ok(loaded) => loaded.settings.event_groups,
        Err(errors) => return vec![format!("its default settings do not load: {errors}")],
    };
    let switchboard = match Switchboard::load(builtin_domain(&[provider]), &[]) {
        Ok((switchboard, warnings)) if warnings.is_empty() => switchboard,
        Ok((_, warnings)) => return warnings.iter().map(ToString::to_string).collect(),
        Err(error) => return vec![error.to_string()],
    };
    let mut types: BTreeSet<String> = events.iter().map(|event| event.event.event_type.clone()).collect();
    types.extend(instances(provider));
    let does_something =
        |event_type: &&String| !switchboard.evaluate(provider.event_source(), event_type).is_empty();
    let mut found: Vec<String> = types
        .iter()
        .filter(does_something)
        .filter(|event_type| is_other(&groups, event_type))
        .map(|event_type| format!("event type {event_type:?} does something and stands in no event group"))
        .collect();
    if !types.iter().any(|event_type| does_something(&event_type)) {
        found.push("no event type does anything".to_owned());
    }
    found
}

fn is_other(groups: &EventGroups, event_type: &str) -> bool {
    groups.group_and_level(event_type).group == "other"
}

/// The names of the provider's own automate instances, in files of their own and in those of whole classes.
fn instances(provider: &dyn Provider) -> Vec<String> {
    let files = provider.automate();
    let objects =
        files.iter().filter(|(path, _)| !path.ends_with("__class__.yaml")).filter_map(|(_, text)| {
            let document: serde_json::Value = serde_yaml::from_slice(text).ok()?;
            document.get("object").cloned()
        });
    let names = objects.flat_map(|object| match object["instances"].as_object() {
        Some(instances) => instances.keys().cloned().collect(),
        None => Vec::from_iter(object["attributes"]["name"].as_str().map(str::to_owned)),
    });
    names.filter(|name| !name.starts_with('.')).collect()
}
