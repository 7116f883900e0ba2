//! Events as webhooks tell them: the row of `event_streams`, its EMS, and what it is related to now.

use super::dialect::Connection;
use super::statement::{Field, Value};
use super::{Fields, VmdbError};
use crate::provider::FullData;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::collections::HashMap;

/// An event with what is known about it.
#[derive(Clone, Debug)]
pub struct WebhookEvent {
    /// Columns of `event_streams` that are not NULL, `full_data` apart. Times are RFC 3339.
    pub columns: serde_json::Map<String, serde_json::Value>,
    /// What the provider sent.
    pub full_data: FullData,
    /// `event_streams.event_type`.
    pub event_type: String,
    /// When it happened.
    pub occurred: DateTime<Utc>,
    /// When it was committed.
    pub committed: DateTime<Utc>,
    /// Whose it is.
    pub ems: WebhookEms,
    /// Its VM or template.
    pub vm: Option<RelatedRecord>,
    /// Its host.
    pub host: Option<RelatedRecord>,
    /// The VM that came of it.
    pub dest_vm: Option<RelatedRecord>,
    /// The host to which something went.
    pub dest_host: Option<RelatedRecord>,
}

/// A row of `ext_management_systems`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebhookEms {
    /// Its id.
    pub id: i64,
    /// Its name in the settings.
    pub name: String,
    /// ManageIQ's class, such as `ManageIQ::Providers::Amazon::CloudManager`.
    pub r#type: String,
}

/// Something of the inventory; without `id` when only the event speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelatedRecord {
    /// Its row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the provider calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ems_ref: Option<String>,
}

/// Columns of `event_streams` that a webhook tells.
const COLUMNS: &[&str] = &[
    "id",
    "event_uid",
    "event_type",
    "source",
    "message",
    "timestamp",
    "created_on",
    "ems_id",
    "ems_ref",
    "chain_id",
    "is_task",
    "username",
    "vm_or_template_id",
    "vm_ems_ref",
    "vm_name",
    "vm_location",
    "dest_vm_or_template_id",
    "dest_vm_ems_ref",
    "dest_vm_name",
    "dest_vm_location",
    "host_id",
    "host_name",
    "dest_host_id",
    "dest_host_name",
    "availability_zone_id",
    "ems_cluster_id",
    "ems_cluster_name",
    "ems_cluster_uid",
    "container_node_name",
    "container_group_name",
    "container_replicator_name",
    "container_name",
    "container_namespace",
    "physical_storage_name",
    "target_type",
    "target_id",
];

/// What follows them in the SELECT. A policy event belongs to the EMS that it came from, and is about its target.
const RELATED: &str = "e.full_data, m.id, m.name, m.type, v.id, v.name, v.ems_ref, h.id, h.name, h.ems_ref, \
                       dv.id, dv.name, dv.ems_ref, dh.id, dh.name, dh.ems_ref";

/// The events with these ids, by id.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn read(
    connection: &mut Connection,
    ids: Vec<i64>,
) -> Result<HashMap<i64, WebhookEvent>, VmdbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let columns = COLUMNS.iter().map(|name| format!("e.{name}, ")).collect::<String>();
    let sql = format!(
        "SELECT {columns}{RELATED} FROM event_streams e \
         LEFT JOIN ext_management_systems m ON m.id = COALESCE(e.ems_id, e.generating_ems_id) \
         LEFT JOIN vms v ON v.id = COALESCE(e.vm_or_template_id, \
         CASE WHEN e.target_type = 'VmOrTemplate' THEN e.target_id END) \
         LEFT JOIN hosts h ON h.id = COALESCE(e.host_id, CASE WHEN e.target_type = 'Host' THEN e.target_id END) \
         LEFT JOIN vms dv ON dv.id = e.dest_vm_or_template_id LEFT JOIN hosts dh ON dh.id = e.dest_host_id \
         WHERE e.id ?"
    );
    let rows = connection.rows(&sql, &[Value::Integers(ids)])?;
    rows.iter().map(|row| Ok((row.id(0)?, event(row)))).collect()
}

fn event(row: &Fields) -> WebhookEvent {
    let after = COLUMNS.len();
    let place = |name: &str| COLUMNS.iter().position(|known| *known == name).unwrap_or(usize::MAX);
    let text = |name: &str| row.string(place(name));
    let time = |name: &str| row.time(place(name)).unwrap_or_default();
    let related = |id: &str, own: [Option<String>; 2], found: usize| {
        let [name, ems_ref] = own;
        let record = RelatedRecord {
            id: row.integer(found).or(row.integer(place(id))),
            name: row.string(found + 1).or(name),
            ems_ref: row.string(found + 2).or(ems_ref),
        };
        (record.id.is_some() || record.name.is_some() || record.ems_ref.is_some()).then_some(record)
    };
    let full_data = row.string(after).and_then(|text| FullData::from_text(text).ok());
    let columns = COLUMNS.iter().enumerate();
    WebhookEvent {
        columns: columns
            .filter_map(|(index, name)| Some(((*name).to_owned(), json(row, index, name)?)))
            .collect(),
        full_data: full_data.unwrap_or_default(),
        event_type: text("event_type").unwrap_or_default(),
        occurred: time("timestamp"),
        committed: time("created_on"),
        ems: WebhookEms {
            id: row.integer(after + 1).or(row.integer(place("ems_id"))).unwrap_or_default(),
            name: row.string(after + 2).unwrap_or_default(),
            r#type: row.string(after + 3).unwrap_or_default(),
        },
        vm: related("vm_or_template_id", [text("vm_name"), text("vm_ems_ref")], after + 4),
        host: related("host_id", [text("host_name"), None], after + 7),
        dest_vm: related(
            "dest_vm_or_template_id",
            [text("dest_vm_name"), text("dest_vm_ems_ref")],
            after + 10,
        ),
        dest_host: related("dest_host_id", [text("dest_host_name"), None], after + 13),
    }
}

/// The two databases keep times and booleans each in their own way.
fn json(row: &Fields, index: usize, name: &str) -> Option<serde_json::Value> {
    match name {
        "timestamp" | "created_on" => Some(rfc_3339(row.time(index)?).into()),
        "is_task" => Some(row.boolean(index)?.into()),
        _ => match row.get(index) {
            Field::Text(text) => Some(text.as_str().into()),
            Field::Integer(number) => Some((*number).into()),
            _ => None,
        },
    }
}

/// As webhooks write times: UTC, with the microseconds that there are.
pub fn rfc_3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
