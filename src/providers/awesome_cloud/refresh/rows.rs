//! A thing as the API tells it → its row. Pure.

use crate::provider::{Attribute, ParseError, Row, json_text};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// One kind of thing: how it is listed, and what is made of it.
pub(super) struct Kind {
    /// The association of its rows.
    pub association: &'static str,
    /// Its path in the API, which is also the name of its list.
    pub path: &'static str,
    /// Whether it can be asked for by id.
    pub by_ids: bool,
    /// Its JSON → its row.
    pub row: fn(&str) -> Result<Row, ParseError>,
}

/// Flavors.
pub(super) static FLAVORS: Kind =
    Kind { association: "flavors", path: "flavors", by_ids: false, row: flavor };
/// Hosts.
pub(super) static HOSTS: Kind = Kind { association: "hosts", path: "hosts", by_ids: true, row: host };
/// Images.
pub(super) static IMAGES: Kind =
    Kind { association: "miq_templates", path: "images", by_ids: false, row: image };
/// VMs.
pub(super) static VMS: Kind = Kind { association: "vms", path: "vms", by_ids: true, row: vm };

/// The kind whose rows are in `association`.
pub(super) fn kind(association: &str) -> Option<&'static Kind> {
    [&FLAVORS, &HOSTS, &IMAGES, &VMS].into_iter().find(|kind| kind.association == association)
}

/// All fields that any thing has and that are stored.
#[derive(Deserialize)]
struct Thing {
    id: String,
    name: Option<String>,
    state: Option<String>,
    host_id: Option<String>,
    flavor_id: Option<String>,
    cpus: Option<i64>,
    memory_mb: Option<i64>,
    disk_gb: Option<i64>,
    created_at: Option<DateTime<Utc>>,
}

fn read(text: &str) -> Result<Thing, ParseError> {
    json_text::check(text)?;
    Ok(serde_json::from_str(text)?)
}

fn vm(text: &str) -> Result<Row, ParseError> {
    let vm = read(text)?;
    let power_state = match vm.state.as_deref() {
        Some("running") => "on",
        Some("stopped") => "off",
        Some("suspended") => "suspended",
        _ => "unknown",
    };
    let attributes = vec![
        ("type", class("Vm")),
        ("vendor", Attribute::Text("awesome_cloud".to_owned())),
        ("uid_ems", Attribute::Text(vm.id.clone())),
        ("name", Attribute::text(vm.name)),
        ("raw_power_state", Attribute::text(vm.state)),
        ("power_state", Attribute::Text(power_state.to_owned())),
        ("host_id", Attribute::reference("hosts", vm.host_id)),
        ("flavor_id", Attribute::reference("flavors", vm.flavor_id)),
        ("ems_created_on", vm.created_at.map_or(Attribute::Null, Attribute::Time)),
        ("template", Attribute::Boolean(false)),
    ];
    Ok(Row { ems_ref: vm.id, attributes })
}

fn image(text: &str) -> Result<Row, ParseError> {
    let image = read(text)?;
    let attributes = vec![
        ("type", class("Template")),
        ("vendor", Attribute::Text("awesome_cloud".to_owned())),
        ("uid_ems", Attribute::Text(image.id.clone())),
        ("name", Attribute::text(image.name)),
        ("template", Attribute::Boolean(true)),
    ];
    Ok(Row { ems_ref: image.id, attributes })
}

fn host(text: &str) -> Result<Row, ParseError> {
    let host = read(text)?;
    let power_state = match host.state.as_deref() {
        Some("up" | "maintenance") => "on",
        Some("down") => "off",
        _ => "unknown",
    };
    let attributes = vec![
        ("type", class("Host")),
        ("uid_ems", Attribute::Text(host.id.clone())),
        ("name", Attribute::text(host.name)),
        ("power_state", Attribute::Text(power_state.to_owned())),
        ("maintenance", Attribute::Boolean(host.state.as_deref() == Some("maintenance"))),
        ("raw_power_state", Attribute::text(host.state)),
    ];
    Ok(Row { ems_ref: host.id, attributes })
}

/// A host of which an event told no more than the name.
pub(super) fn named_host(ems_ref: &str, name: String) -> Row {
    let attributes = vec![
        ("type", class("Host")),
        ("uid_ems", Attribute::Text(ems_ref.to_owned())),
        ("name", Attribute::Text(name)),
    ];
    Row { ems_ref: ems_ref.to_owned(), attributes }
}

fn flavor(text: &str) -> Result<Row, ParseError> {
    let flavor = read(text)?;
    let bytes = |amount: Option<i64>, unit: i64| match amount.map(|amount| amount.checked_mul(unit)) {
        None => Ok(Attribute::Null),
        Some(Some(bytes)) => Ok(Attribute::Integer(bytes)),
        Some(None) => Err(ParseError::new("a size that no number of bytes can tell")),
    };
    let attributes = vec![
        ("type", class("Flavor")),
        ("name", Attribute::text(flavor.name)),
        ("cpu_total_cores", flavor.cpus.map_or(Attribute::Null, Attribute::Integer)),
        ("memory", bytes(flavor.memory_mb, 1 << 20)?),
        ("root_disk_size", bytes(flavor.disk_gb, 1 << 30)?),
    ];
    Ok(Row { ems_ref: flavor.id, attributes })
}

/// The host that a VM's row refers to.
pub(super) fn host_of(vm: &Row) -> Option<&str> {
    vm.attributes.iter().find_map(|attribute| match attribute {
        ("host_id", Attribute::Reference { ems_ref, .. }) => Some(ems_ref.as_str()),
        _ => None,
    })
}

fn class(name: &str) -> Attribute {
    Attribute::Text(format!("ManageIQ::Providers::AwesomeCloud::CloudManager::{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn attribute(row: &Row, name: &str) -> Attribute {
        row.attributes.iter().find(|(column, _)| *column == name).map(|(_, value)| value.clone()).unwrap()
    }

    fn text(text: &str) -> Attribute {
        Attribute::Text(text.to_owned())
    }

    #[test]
    fn the_recorded_inventory_becomes_the_rows_of_the_table() {
        let recorded: Value = serde_json::from_str(include_str!("../fixtures/inventory.json")).unwrap();
        let row = |kind: &Kind| (kind.row)(&recorded[kind.path][0].to_string()).unwrap();
        let vm = row(&VMS);
        assert_eq!((vm.ems_ref.as_str(), host_of(&vm)), ("vm-1", Some("host-1")));
        for (column, value) in [
            ("uid_ems", text("vm-1")),
            ("type", text("ManageIQ::Providers::AwesomeCloud::CloudManager::Vm")),
            ("raw_power_state", text("running")),
            ("power_state", text("on")),
            ("flavor_id", Attribute::reference("flavors", Some("flavor-1"))),
            ("template", Attribute::Boolean(false)),
            ("ems_created_on", Attribute::Time("2026-11-22T10:26:01.123456789Z".parse().unwrap())),
        ] {
            assert_eq!(attribute(&vm, column), value, "{column}");
        }
        assert_eq!(attribute(&row(&IMAGES), "template"), Attribute::Boolean(true));
        assert_eq!(attribute(&row(&HOSTS), "power_state"), text("on"));
        assert_eq!(attribute(&row(&FLAVORS), "memory"), Attribute::Integer(4096 * 1024 * 1024));
        assert_eq!(attribute(&row(&FLAVORS), "root_disk_size"), Attribute::Integer(20 * 1024 * 1024 * 1024));
    }

    #[test]
    fn states_are_told_as_manageiq_tells_them() {
        for (state, power_state, maintenance) in
            [("down", "off", false), ("maintenance", "on", true), ("burning", "unknown", false)]
        {
            let row = host(&json!({"id": "h", "state": state}).to_string()).unwrap();
            assert_eq!(attribute(&row, "raw_power_state"), text(state));
            assert_eq!(attribute(&row, "power_state"), text(power_state));
            assert_eq!(attribute(&row, "maintenance"), Attribute::Boolean(maintenance));
        }
        for (state, power_state) in [("stopped", "off"), ("suspended", "suspended"), ("odd", "unknown")] {
            let row = vm(&json!({"id": "v", "state": state}).to_string()).unwrap();
            assert_eq!(attribute(&row, "power_state"), text(power_state));
        }
    }

    #[test]
    fn what_the_vmdb_cannot_hold_makes_no_row() {
        assert!(vm(r#"{"id":"v","name":"a\u0000"}"#).is_err());
        assert!(flavor(r#"{"id":"f","disk_gb":9223372036854775807}"#).is_err());
        assert!(vm(r#"{"id":"v","created_at":"yesterday"}"#).is_err());
    }
}
