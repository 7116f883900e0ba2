//! Native event → [`EmsEvent`], the guide's mapping. Pure.
//!
//! `full_data` is the native text as it stands, so fields that this file does not know survive. What the VMDB cannot
//! hold is refused for this event alone. Which event types matter to anybody is not decided here.

use crate::provider::{EmsEvent, EventParser, FullData, NativeEvent, ParseError, Parsed, json_text};
use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// `event_streams.source` of these events.
pub const SOURCE: &str = "AWESOME_CLOUD";

/// The event parser.
pub struct Parser;

/// The fields that become columns. `null` counts as absent, as the API says.
#[derive(Deserialize)]
struct Native {
    id: String,
    event_name: String,
    time: String,
    vm: Option<Reference>,
    host: Option<Reference>,
    chain_id: Option<i64>,
    username: Option<String>,
    message: Option<String>,
}

/// A VM or host as an event names it.
#[derive(Default, Deserialize)]
#[serde(try_from = "HashMap<String, Box<RawValue>>")]
pub(super) struct Reference {
    pub id: Option<String>,
    pub name: Option<String>,
}

/// By way of a map, because a derived struct would also take an array for one.
impl TryFrom<HashMap<String, Box<RawValue>>> for Reference {
    type Error = serde_json::Error;

    fn try_from(fields: HashMap<String, Box<RawValue>>) -> Result<Self, Self::Error> {
        let text = |name| fields.get(name).map_or(Ok(None), |value| serde_json::from_str(value.get()));
        Ok(Self { id: text("id")?, name: text("name")? })
    }
}

impl EventParser for Parser {
    fn parse(&self, native: &NativeEvent) -> Result<Parsed, ParseError> {
        if let Some(defect) = &native.defect {
            return Err(ParseError::new(defect));
        }
        json_text::scan(&native.text)?;
        if !native.text.trim_start().starts_with('{') {
            return Err(ParseError::new("an event is an object, this is none"));
        }
        let fields: Native = serde_json::from_str(&native.text)?;
        for (name, value) in [("id", &fields.id), ("event_name", &fields.event_name)] {
            if value.is_empty() {
                return Err(ParseError::new(format!("`{name}` is empty")));
            }
        }
        let event_uid = fields.id.clone();
        Ok(Parsed::one(event_uid, ems_event(fields, FullData::from_text(native.text.clone())?)?))
    }
}

fn ems_event(native: Native, full_data: FullData) -> Result<EmsEvent, ParseError> {
    let mut event = EmsEvent {
        timestamp: time(&native.time)?,
        event_type: native.event_name,
        source: SOURCE.to_owned(),
        ems_ref: Some(native.id),
        chain_id: native.chain_id,
        username: native.username,
        message: native.message,
        full_data,
        ..EmsEvent::default()
    };
    if event.event_type.starts_with("com.awesome-cloud.vm") {
        let vm = native.vm.unwrap_or_default();
        event.vm_uid_ems = vm.id.clone();
        event.vm_ems_ref = vm.id;
        event.vm_name = vm.name;
    } else if event.event_type.starts_with("com.awesome-cloud.host") {
        let host = native.host.unwrap_or_default();
        event.host_ems_ref = host.id;
        event.host_name = host.name;
    }
    Ok(event)
}

/// A time as the API writes it.
///
/// # Errors
/// When it is no RFC 3339, or lies outside the years 1 to 9999 that every database and reader holds.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, ParseError> {
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|error| ParseError::new(format!("`time` {text:?} is no RFC 3339 time: {error}")))?
        .to_utc();
    if !(1..=9999).contains(&time.year()) {
        return Err(ParseError::new(format!("`time` {text:?} lies outside the years 1 to 9999")));
    }
    // A leap second is the last instant of its minute: no database has a 61st second.
    Ok(if time.nanosecond() > 999_999_999 { time.with_nanosecond(999_999_999).unwrap_or(time) } else { time })
}

#[cfg(test)]
mod tests;
