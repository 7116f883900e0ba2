//! The things of the cloud and what happens to them, in the API's own form.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// A VM as `GET /v1/vms` shows it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Vm {
    pub id: String,
    pub name: String,
    pub state: &'static str,
    pub host_id: String,
    pub flavor_id: String,
    pub image_id: String,
    pub addresses: Vec<String>,
    pub cpus: u32,
    pub memory_mb: u32,
    pub created_at: String,
    pub updated_at: String,
}

/// A host as `GET /v1/hosts` shows it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Host {
    pub id: String,
    pub name: String,
    pub state: &'static str,
    pub cpus: u32,
    pub memory_mb: u32,
}

/// A flavor as `GET /v1/flavors` shows it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Flavor {
    pub id: String,
    pub name: String,
    pub cpus: u32,
    pub memory_mb: u32,
    pub disk_gb: u32,
}

/// An image as `GET /v1/images` shows it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Image {
    pub id: String,
    pub name: String,
    pub os: &'static str,
}

/// Id and name of a thing at the time of an event.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Named {
    pub id: String,
    pub name: String,
}

/// What happened: an event without its id and time.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's")]
pub struct Change {
    pub event_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Named>,
    pub chain_id: u64,
    pub username: &'static str,
    pub message: &'static str,
}

/// A time as the API writes it.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}
