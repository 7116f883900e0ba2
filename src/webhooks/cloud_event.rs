//! A webhook as a CloudEvent 1.0 in structured mode: the same body as `data`, in the envelope that others can route by.

use super::request::Body;
use crate::vmdb::webhook_event::{WebhookEvent, rfc_3339};
use crate::vmdb::webhook_work::QueuedWebhook;
use serde::Serialize;

/// The media type of the structured mode.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>
#[derive(Serialize)]
pub(super) struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: &'a str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    datacontenttype: &'static str,
    data: Body<'a>,
}

impl<'a> CloudEvent<'a> {
    pub(super) fn new(queued: &'a QueuedWebhook, event: &'a WebhookEvent) -> Self {
        Self {
            specversion: "1.0",
            id: &queued.idempotency_key,
            source: source(&event.ems.name),
            r#type: &event.event_type,
            time: rfc_3339(event.occurred),
            subject: subject(event),
            datacontenttype: "application/json",
            data: Body::new(queued, event),
        }
    }
}

/// `catchall/` and the EMS, as a URI reference.
fn source(ems_name: &str) -> String {
    let mut source = String::from("catchall/");
    for byte in ems_name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                source.push(char::from(byte))
            }
            _ => source.push_str(&format!("%{byte:02X}")),
        }
    }
    source
}

/// What the event is about: the provider's reference of the VM, else of the host.
fn subject(event: &WebhookEvent) -> Option<&str> {
    let records = [&event.vm, &event.host].into_iter().flatten();
    records
        .filter_map(|record| record.ems_ref.as_deref().or(record.name.as_deref()))
        .find(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_a_uri_reference_whatever_the_ems_is_called() {
        assert_eq!(source("cloud-1"), "catchall/cloud-1");
        assert_eq!(source("Köln / Ost"), "catchall/K%C3%B6ln%20%2F%20Ost");
    }
}
