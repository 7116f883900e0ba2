//! Cinder: volumes and their snapshots. API 3.0, which every Cinder speaks that we meet, tells all that is kept.

use super::{GIBIBYTE, boolean, bytes, cloud, named, read, reference, row, time};
use crate::provider::{Attribute, ParseError, Row};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Volume {
    id: String,
    name: Option<String>,
    description: Option<String>,
    status: Option<String>,
    size: Option<Value>,
    /// A text.
    bootable: Option<Value>,
    encrypted: Option<bool>,
    volume_type: Option<String>,
    created_at: Option<String>,
    snapshot_id: Option<String>,
    availability_zone: Option<String>,
    #[serde(rename = "os-vol-tenant-attr:tenant_id")]
    tenant_id: Option<String>,
}

pub(in super::super) fn volume(json: &str) -> Result<Row, ParseError> {
    let volume: Volume = read(json)?;
    let bootable = match volume.bootable {
        Some(Value::Bool(bootable)) => Some(bootable),
        Some(Value::String(text)) => Some(text.eq_ignore_ascii_case("true")),
        _ => None,
    };
    let attributes = vec![
        ("type", cloud("CloudVolume")),
        ("name", named(volume.name, &volume.id)),
        ("description", Attribute::text(volume.description)),
        ("status", Attribute::text(volume.status)),
        ("size", bytes(volume.size.as_ref(), GIBIBYTE)?),
        ("bootable", boolean(bootable)),
        ("encrypted", boolean(volume.encrypted)),
        ("volume_type", Attribute::text(volume.volume_type)),
        ("creation_time", time(volume.created_at.as_deref())?),
        ("cloud_volume_snapshot_id", reference("cloud_volume_snapshots", volume.snapshot_id)),
        ("availability_zone_id", reference("availability_zones", volume.availability_zone)),
        ("cloud_tenant_id", reference("cloud_tenants", volume.tenant_id)),
    ];
    row(volume.id, attributes)
}

#[derive(Deserialize)]
struct Snapshot {
    id: String,
    name: Option<String>,
    description: Option<String>,
    status: Option<String>,
    size: Option<Value>,
    created_at: Option<String>,
    volume_id: Option<String>,
    #[serde(rename = "os-extended-snapshot-attributes:project_id")]
    tenant_id: Option<String>,
}

pub(in super::super) fn snapshot(json: &str) -> Result<Row, ParseError> {
    let snapshot: Snapshot = read(json)?;
    let attributes = vec![
        ("type", cloud("CloudVolumeSnapshot")),
        ("name", Attribute::text(snapshot.name)),
        ("description", Attribute::text(snapshot.description)),
        ("status", Attribute::text(snapshot.status)),
        ("size", bytes(snapshot.size.as_ref(), GIBIBYTE)?),
        ("creation_time", time(snapshot.created_at.as_deref())?),
        ("cloud_volume_id", reference("cloud_volumes", snapshot.volume_id)),
        ("cloud_tenant_id", reference("cloud_tenants", snapshot.tenant_id)),
    ];
    row(snapshot.id, attributes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::says;
    use super::super::text;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_volume_in_bytes_with_what_it_was_made_from() {
        let json = json!({"id": "v", "name": null, "status": "in-use", "size": 2, "bootable": "true", "encrypted": false,
            "created_at": "2026-11-22T11:27:55.000000", "snapshot_id": "s", "availability_zone": "nova",
            "os-vol-tenant-attr:tenant_id": "t"});
        says(
            &volume(&json.to_string()).unwrap(),
            &[
                ("name", text("v")),
                ("size", Attribute::Integer(2 << 30)),
                ("bootable", Attribute::Boolean(true)),
                ("creation_time", Attribute::Time("2026-11-22T11:27:55Z".parse().unwrap())),
                ("cloud_volume_snapshot_id", Attribute::reference("cloud_volume_snapshots", Some("s"))),
                ("cloud_tenant_id", Attribute::reference("cloud_tenants", Some("t"))),
            ],
        );
    }

    #[test]
    fn a_snapshot_with_its_volume() {
        let json = json!({"id": "s", "name": "s1", "size": 1, "volume_id": "v",
            "os-extended-snapshot-attributes:project_id": "t"});
        says(
            &snapshot(&json.to_string()).unwrap(),
            &[
                ("name", text("s1")),
                ("cloud_volume_id", Attribute::reference("cloud_volumes", Some("v"))),
                ("cloud_tenant_id", Attribute::reference("cloud_tenants", Some("t"))),
            ],
        );
    }
}
