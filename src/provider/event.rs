//! The two forms of an event: as the provider sent it, and as the VMDB holds it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One event exactly as the provider sent it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NativeEvent {
    /// The provider's text, usually JSON. What was no UTF-8 has U+FFFD in its place, and a `defect`.
    pub text: String,
    /// The transport's own id of the message around it (SQS `MessageId`).
    pub transport_id: Option<String>,
    /// Why this can be no event, found before parsing (such as invalid UTF-8). It becomes a dead letter.
    pub defect: Option<String>,
}

impl NativeEvent {
    /// A native event that is nothing but its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// What one native event holds.
#[derive(Clone, Debug)]
pub enum Parsed {
    /// Its events, in the provider's order; usually one.
    Events(Vec<ParsedEvent>),
    /// Well-formed, but none of the provider's events: acknowledged after the commit and counted by reason.
    Filtered(Filtered),
}

impl Parsed {
    /// Exactly one event.
    pub fn one(event_uid: impl Into<String>, event: EmsEvent) -> Self {
        Self::Events(vec![ParsedEvent { event_uid: event_uid.into(), event }])
    }
}

/// Why a well-formed message is no event; a short constant, since it is a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filtered(pub &'static str);

/// An event with its identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParsedEvent {
    /// The provider's own identity of the event, unique within the EMS for ever (`event_streams.event_uid`).
    pub event_uid: String,
    /// The event.
    pub event: EmsEvent,
}

/// Why a native event could not be parsed; the text goes into the dead letter's `reason`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub String);

impl ParseError {
    /// From anything that can be said.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl From<serde_json::Error> for ParseError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error)
    }
}

/// JSON text that is known to be JSON: the provider's payload as it was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FullData(Box<RawValue>);

impl FullData {
    /// Takes the text as it stands.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn from_text(text: String) -> Result<Self, ParseError> {
        Ok(Self(RawValue::from_string(text)?))
    }

    /// Writes `value` as JSON.
    pub fn from_value(value: &serde_json::Value) -> Self {
        // invariant: a `Value` always serializes, and what serde_json wrote is JSON.
        Self(serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Reads it into `T`, usually a borrowing struct with the few fields that are needed.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ParseError> {
        Ok(serde_json::from_str(self.text())?)
    }
}

impl Default for FullData {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

/// A row of `event_streams` to be (ManageIQ: the `event_hash`), with the references by which it is related to inventory.
///
/// Names and meanings are ManageIQ's columns; the `*_ems_ref`, `*_uid_ems` references are looked up at the commit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are ManageIQ's columns, see migrations/README.md")]
pub struct EmsEvent {
    pub event_type: String,
    pub source: String,
    pub timestamp: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_task: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_uid_ems: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_vm_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_vm_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_vm_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_uid_ems: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_host_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_host_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ems_cluster_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ems_cluster_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ems_cluster_uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_node_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_node_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_group_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_replicator_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_replicator_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_storage_ems_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_storage_name: Option<String>,
    pub full_data: FullData,
}

impl EmsEvent {
    /// Every optional text column with its name; taken apart in full, so that a new one cannot be forgotten.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        macro_rules! texts {
        ($($column:ident),*) => {{
            let EmsEvent { event_type: _, source: _, timestamp: _, chain_id: _, is_task: _, full_data: _, $($column),* } = self;
            [$((stringify!($column), $column.as_deref())),*]
        }};
    }
        texts!(
            message,
            ems_ref,
            username,
            vm_ems_ref,
            vm_uid_ems,
            vm_name,
            vm_location,
            dest_vm_ems_ref,
            dest_vm_name,
            dest_vm_location,
            host_ems_ref,
            host_uid_ems,
            host_name,
            dest_host_ems_ref,
            dest_host_name,
            availability_zone_ems_ref,
            ems_cluster_ems_ref,
            ems_cluster_name,
            ems_cluster_uid,
            container_node_ems_ref,
            container_node_name,
            container_group_ems_ref,
            container_group_name,
            container_replicator_ems_ref,
            container_replicator_name,
            container_name,
            container_namespace,
            physical_storage_ems_ref,
            physical_storage_name
        )
        .into_iter()
    }
}
