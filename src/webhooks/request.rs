//! What is posted for a webhook: body and headers. Pure; the same row gives the same id, whatever the attempt.

use super::cloud_event::{self, CloudEvent};
use super::signature::{SecretError, sign};
use crate::provider::{FullData, Secret};
use crate::vmdb::webhook_event::{RelatedRecord, WebhookEms, WebhookEvent, rfc_3339};
use crate::vmdb::webhook_work::{QueuedWebhook, WebhookFormat};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A post, but for where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    /// Name and value.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// What a receiver reads.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    rule: &'a str,
    event: EventBody<'a>,
    ems: &'a WebhookEms,
    #[serde(skip_serializing_if = "Option::is_none")]
    vm: Option<&'a RelatedRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a RelatedRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_vm: Option<&'a RelatedRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_host: Option<&'a RelatedRecord>,
    occurred_on: String,
    committed_on: String,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    params: &'a serde_json::Value,
}

#[derive(Serialize)]
struct EventBody<'a> {
    #[serde(flatten)]
    columns: &'a serde_json::Map<String, serde_json::Value>,
    full_data: &'a FullData,
}

impl<'a> Body<'a> {
    pub(super) fn new(queued: &'a QueuedWebhook, event: &'a WebhookEvent) -> Self {
        Self {
            rule: &queued.rule,
            event: EventBody { columns: &event.columns, full_data: &event.full_data },
            ems: &event.ems,
            vm: event.vm.as_ref(),
            host: event.host.as_ref(),
            dest_vm: event.dest_vm.as_ref(),
            dest_host: event.dest_host.as_ref(),
            occurred_on: rfc_3339(event.occurred),
            committed_on: rfc_3339(event.committed),
            params: &queued.params,
        }
    }
}

/// Writes the post of an attempt that is made `now`, signed when there is a secret.
///
/// # Errors
/// When the secret is no key.
pub fn write(
    queued: &QueuedWebhook,
    event: &WebhookEvent,
    secret: Option<&Secret>,
    now: DateTime<Utc>,
) -> Result<WebhookRequest, SecretError> {
    let (content_type, body) = match queued.format {
        WebhookFormat::Json => ("application/json", serde_json::to_vec(&Body::new(queued, event))),
        WebhookFormat::CloudEvents => {
            (cloud_event::CONTENT_TYPE, serde_json::to_vec(&CloudEvent::new(queued, event)))
        }
    };
    // invariant: maps with keys of text, texts and JSON always serialize.
    let body = body.unwrap_or_default();
    let (id, timestamp) = (queued.idempotency_key.clone(), now.timestamp());
    let signature = secret.map(|secret| sign(secret.expose(), &id, timestamp, &body)).transpose()?;
    let mut headers = vec![
        ("content-type", content_type.to_owned()),
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
    ];
    headers.extend(signature.map(|signature| ("webhook-signature", signature)));
    Ok(WebhookRequest { headers, body })
}
