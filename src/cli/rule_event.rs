//! An event that somebody wrote, or a native one, as the facts that rules are asked about. No VMDB.

use super::{CliError, failed};
use crate::clock;
use crate::event_catcher::prepare::parse_native;
use crate::provider::{EmsEvent, NativeEvent, Parsed, Provider};
use crate::rules::{EVENT_COLUMNS, Facts};
use crate::settings::Settings;
use chrono::TimeDelta;
use serde_json::{Map, Value as Json};
use std::io::Read;
use std::path::Path;

/// The text of a file; `-` is stdin.
///
/// # Errors
/// When it cannot be read.
pub fn read(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text).map(drop),
        _ => std::fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|error| failed(format!("{}: {error}", file.display())))?;
    Ok(text)
}

/// What rules know of the EMS called `name`, or of the first one (of this provider).
///
/// # Errors
/// When there is none of that name.
pub fn ems(
    settings: &Settings,
    name: Option<&str>,
    provider: Option<&dyn Provider>,
) -> Result<Map<String, Json>, CliError> {
    let is_wanted = |ems: &&crate::settings::EmsSettings| match (name, provider) {
        (Some(name), _) => ems.name == name,
        (None, Some(provider)) => ems.provider.ems_type() == provider.ems_type(),
        (None, None) => true,
    };
    let Some(ems) = settings.ext_management_systems.iter().find(is_wanted) else {
        return match name {
            Some(name) => Err(failed(format!("the settings have no EMS {name:?}"))),
            None => Ok(Map::new()),
        };
    };
    let mut section = Map::new();
    section.insert("name".to_owned(), ems.name.as_str().into());
    section.insert("type".to_owned(), ems.provider.class_name().into());
    section.insert("zone".to_owned(), ems.zone.as_str().into());
    section.insert("enabled".to_owned(), ems.enabled.into());
    if let Some(id) = ems.id {
        section.insert("id".to_owned(), id.into());
    }
    if let Some(region) = &ems.provider_region {
        section.insert("provider_region".to_owned(), region.as_str().into());
    }
    Ok(section)
}

/// The events of a text, each with its age.
///
/// # Errors
/// When the text is no event.
pub fn facts(
    text: &str,
    provider: Option<&dyn Provider>,
    ems: Map<String, Json>,
) -> Result<Vec<(Facts, TimeDelta)>, CliError> {
    let Some(provider) = provider else { return Ok(vec![written(text, ems)?]) };
    let native = NativeEvent::new(text.trim());
    match parse_native(provider, &native).map_err(|error| failed(format!("the native event: {error}")))? {
        Parsed::Filtered(reason) => {
            Err(failed(format!("the native event is none of the provider's events: {}", reason.0)))
        }
        Parsed::Events(events) => {
            let facts = events.into_iter().map(|parsed| of_event(&parsed.event, ems.clone()));
            facts.collect()
        }
    }
}

fn of_event(event: &EmsEvent, ems: Map<String, Json>) -> Result<(Facts, TimeDelta), CliError> {
    let Json::Object(all) = serde_json::to_value(event).map_err(failed)? else {
        return Err(failed("the event is no object"));
    };
    let facts =
        Facts { event: columns(all), full_data: event.full_data.text().to_owned(), ems, ..Facts::default() };
    Ok((facts, clock::now() - event.timestamp))
}

fn columns(all: Map<String, Json>) -> Map<String, Json> {
    all.into_iter()
        .filter(|(name, value)| EVENT_COLUMNS.contains(&name.as_str()) && !value.is_null())
        .collect()
}

/// `{"event_type": …}`, or `{"event": {…}, "vm": {…}, "host": {…}}`, as `catchall parse` prints it too.
fn written(text: &str, ems: Map<String, Json>) -> Result<(Facts, TimeDelta), CliError> {
    let json: Json =
        serde_json::from_str(text).map_err(|error| failed(format!("the event is no JSON: {error}")))?;
    let section = |name: &str| json.get(name).and_then(Json::as_object).cloned().unwrap_or_default();
    let event = match json.get("event") {
        Some(event) => event.clone(),
        None => json.clone(),
    };
    let Json::Object(all) = event else {
        return Err(failed("the event is no object; wanted such as {\"event_type\": \"vm.stop\"}"));
    };
    // Read as an event too, so that a column of another shape is told.
    let dated = all.contains_key("timestamp");
    let mut readable = all.clone();
    readable.entry("timestamp").or_insert_with(|| clock::now().to_rfc3339().into());
    let event: EmsEvent = serde_json::from_value(Json::Object(readable.clone()))
        .map_err(|error| failed(format!("the event: {error}")))?;
    if event.event_type.is_empty() {
        return Err(failed("the event has no event_type; wanted such as {\"event_type\": \"vm.stop\"}"));
    }
    let age = if dated { clock::now() - event.timestamp } else { TimeDelta::zero() };
    let facts = Facts {
        event: columns(readable),
        full_data: event.full_data.text().to_owned(),
        ems,
        vm: section("vm"),
        host: section("host"),
        dest_vm: section("dest_vm"),
        dest_host: section("dest_host"),
    };
    Ok((facts, age))
}
