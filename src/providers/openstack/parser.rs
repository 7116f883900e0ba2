//! Native event → [`EmsEvent`]: which event it is, when it happened, and what it is about.
//!
//! Event types, references and the form of `full_data` are ManageIQ's (reference: its OpenStack event parser); where they
//! differ, `docs/deviations.md` says why. Pure. Versioned notifications become what their unversioned twins say.

mod fields;
mod identity;
mod secrets;
mod time;
pub(super) mod versioned;

pub(super) use fields::{COMPUTE_SERVICE, project};

use super::envelope::{self, Body, text};
use crate::provider::{
    EmsEvent, EventParser, FullData, NativeEvent, ParseError, Parsed, ParsedEvent, event_uid,
};
use serde_json::Value;
use std::cell::LazyCell;

/// `event_streams.source`.
pub(super) const SOURCE: &str = "OPENSTACK";

/// Ruby: `ManageIQ::Providers::Openstack::CloudManager::EventParser`.
#[derive(Debug)]
pub(super) struct OpenstackEventParser;

impl EventParser for OpenstackEventParser {
    fn parse(&self, native: &NativeEvent) -> Result<Parsed, ParseError> {
        let notifications = envelope::open(native)?;
        let several = notifications.len() > 1;
        let around = LazyCell::new(|| event_uid::of_content(native));
        let mut events = Vec::with_capacity(notifications.len());
        for (index, notification) in notifications.into_iter().enumerate() {
            let position = several.then_some(index + 1);
            let event_uid = identity::event_uid(&notification, &around, position);
            events.push(ParsedEvent { event_uid, event: event_to_hash(notification)? });
        }
        Ok(Parsed::Events(events))
    }
}

fn event_to_hash(mut notification: Body) -> Result<EmsEvent, ParseError> {
    let Some(event_type) = text(&notification, &["event_type"]).map(str::to_owned) else {
        return Err(ParseError::new("event_type is missing, so this is no notification of OpenStack"));
    };
    let timestamp = time::of(&notification)?;
    secrets::blank(&mut notification);
    let event_type = match notification.get("payload").and_then(Value::as_object) {
        Some(payload) if versioned::is_versioned(payload) => {
            let unversioned = versioned::unversioned_type(&event_type, payload).into_owned();
            versioned::flatten(&mut notification, &unversioned);
            unversioned
        }
        _ => event_type,
    };
    let mut event = EmsEvent { event_type, source: SOURCE.to_owned(), timestamp, ..EmsEvent::default() };
    fields::fill(&mut event, &notification);
    event.full_data = FullData::from_value(&Value::Object(envelope::split(notification)));
    Ok(event)
}

#[cfg(test)]
mod tests;
