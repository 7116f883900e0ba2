//! Nova: servers, flavors, availability zones, hypervisors, host aggregates, key pairs.

use super::{
    GIBIBYTE, MEBIBYTE, boolean, bytes, cloud, integer, named, number, read, reference, row, text, time,
    written,
};
use crate::provider::{Attribute, ParseError, Row};
use serde::Deserialize;
use serde_json::Value;

/// ManageIQ's key of the zone of servers that are in none.
const NO_ZONE: &str = "null_az";

#[derive(Deserialize)]
struct Server {
    id: String,
    name: Option<String>,
    status: Option<String>,
    tenant_id: Option<String>,
    flavor: Option<Flavored>,
    created: Option<String>,
    #[serde(rename = "OS-EXT-AZ:availability_zone")]
    availability_zone: Option<String>,
    /// Shown to administrators only.
    #[serde(rename = "OS-EXT-SRV-ATTR:host")]
    host: Option<String>,
}

#[derive(Deserialize)]
struct Flavored {
    id: Option<Value>,
}

/// ManageIQ's table of Nova's states.
pub(super) fn power_state(status: &str) -> &'static str {
    match status {
        "ACTIVE" => "on",
        "SHUTOFF" => "off",
        "SUSPENDED" => "suspended",
        "PAUSED" => "paused",
        "SHELVED" => "shelved",
        "SHELVED_OFFLOADED" => "shelved_offloaded",
        "REBOOT" | "HARD_REBOOT" => "reboot_in_progress",
        "ERROR" => "non_operational",
        "BUILD" | "REBUILD" => "wait_for_launch",
        "DELETED" => "terminated",
        "MIGRATING" => "migrating",
        _ => "unknown",
    }
}

pub(in super::super) fn server(json: &str) -> Result<Row, ParseError> {
    let server: Server = read(json)?;
    let status = server.status.unwrap_or_else(|| "UNKNOWN".to_owned());
    let zone = server.availability_zone.filter(|zone| !zone.is_empty()).unwrap_or_else(|| NO_ZONE.to_owned());
    let flavor = server.flavor.and_then(|flavor| written(flavor.id.as_ref()));
    let mut attributes = vec![
        ("type", cloud("Vm")),
        ("vendor", text("openstack")),
        ("uid_ems", Attribute::Text(server.id.clone())),
        ("name", Attribute::text(server.name)),
        ("raw_power_state", text(&status)),
        ("power_state", text(power_state(&status))),
        ("connection_state", text("connected")),
        ("location", text("unknown")),
        ("cloud", Attribute::Boolean(true)),
        ("host_id", reference("hosts", server.host)),
        ("availability_zone_id", reference("availability_zones", Some(zone))),
        ("cloud_tenant_id", reference("cloud_tenants", server.tenant_id)),
        ("ems_created_on", time(server.created.as_deref())?),
        ("template", Attribute::Boolean(false)),
    ];
    // A Nova that no longer tells the id tells nothing of it: what is stored stays.
    if flavor.is_some() {
        attributes.push(("flavor_id", reference("flavors", flavor)));
    }
    row(server.id, attributes)
}

#[derive(Deserialize)]
struct Flavor {
    id: Value,
    name: Option<String>,
    description: Option<String>,
    vcpus: Option<Value>,
    ram: Option<Value>,
    disk: Option<Value>,
    swap: Option<Value>,
    #[serde(rename = "OS-FLV-EXT-DATA:ephemeral")]
    ephemeral: Option<Value>,
    #[serde(rename = "OS-FLV-DISABLED:disabled")]
    disabled: Option<bool>,
    #[serde(rename = "os-flavor-access:is_public")]
    is_public: Option<bool>,
}

pub(in super::super) fn flavor(json: &str) -> Result<Row, ParseError> {
    let flavor: Flavor = read(json)?;
    let ephemeral_disks = number(flavor.ephemeral.as_ref())?.map(|gibibytes| i64::from(gibibytes > 0));
    let attributes = vec![
        ("type", cloud("Flavor")),
        ("name", Attribute::text(flavor.name)),
        ("description", Attribute::text(flavor.description)),
        ("enabled", boolean(flavor.disabled.map(|disabled| !disabled))),
        ("publicly_available", boolean(flavor.is_public)),
        ("cpu_total_cores", integer(flavor.vcpus.as_ref())?),
        ("memory", bytes(flavor.ram.as_ref(), MEBIBYTE)?),
        ("root_disk_size", bytes(flavor.disk.as_ref(), GIBIBYTE)?),
        ("swap_disk_size", bytes(flavor.swap.as_ref(), MEBIBYTE)?),
        ("ephemeral_disk_size", bytes(flavor.ephemeral.as_ref(), GIBIBYTE)?),
        ("ephemeral_disk_count", ephemeral_disks.map_or(Attribute::Null, Attribute::Integer)),
    ];
    row(written(Some(&flavor.id)).unwrap_or_default(), attributes)
}

#[derive(Deserialize)]
struct Zone {
    #[serde(rename = "zoneName")]
    name: String,
}

pub(in super::super) fn availability_zone(json: &str) -> Result<Row, ParseError> {
    let zone: Zone = read(json)?;
    let attributes = vec![("type", cloud("AvailabilityZone")), ("name", Attribute::Text(zone.name.clone()))];
    row(zone.name, attributes)
}

/// The zone of servers that are in none.
pub(in super::super) fn no_availability_zone() -> Row {
    let attributes = vec![("type", cloud("AvailabilityZoneNull")), ("name", Attribute::Null)];
    Row { ems_ref: NO_ZONE.to_owned(), attributes }
}

#[derive(Deserialize)]
struct Hypervisor {
    id: Value,
    hypervisor_hostname: Option<String>,
    state: Option<String>,
    status: Option<String>,
    hypervisor_type: Option<String>,
    hypervisor_version: Option<Value>,
    host_ip: Option<String>,
    service: ComputeService,
}

#[derive(Deserialize)]
struct ComputeService {
    host: String,
    disabled_reason: Option<String>,
}

/// Known by the name of its compute service, as events and servers name it. A service with many hypervisors (Ironic) is
/// one host.
pub(in super::super) fn hypervisor(json: &str) -> Result<Row, ParseError> {
    let hypervisor: Hypervisor = read(json)?;
    let (power_state, connection_state) = match hypervisor.state.as_deref() {
        Some("up") => ("on", "connected"),
        Some("down") => ("off", "disconnected"),
        _ => ("unknown", "disconnected"),
    };
    let host = hypervisor.service.host;
    let attributes = vec![
        ("type", text("ManageIQ::Providers::Openstack::InfraManager::Host")),
        ("uid_ems", Attribute::text(written(Some(&hypervisor.id)))),
        ("name", Attribute::Text(host.clone())),
        ("hostname", named(hypervisor.hypervisor_hostname.clone(), &host)),
        ("hypervisor_hostname", Attribute::text(hypervisor.hypervisor_hostname)),
        ("ipaddress", Attribute::text(hypervisor.host_ip)),
        ("vmm_product", Attribute::text(hypervisor.hypervisor_type)),
        ("vmm_version", Attribute::text(written(hypervisor.hypervisor_version.as_ref()))),
        ("raw_power_state", Attribute::text(hypervisor.state)),
        ("power_state", text(power_state)),
        ("connection_state", text(connection_state)),
        ("maintenance", boolean(hypervisor.status.map(|status| status == "disabled"))),
        ("maintenance_reason", Attribute::text(hypervisor.service.disabled_reason)),
    ];
    row(host, attributes)
}

#[derive(Deserialize)]
struct Aggregate {
    id: Value,
    name: Option<String>,
    metadata: Option<Value>,
}

pub(in super::super) fn aggregate(json: &str) -> Result<Row, ParseError> {
    let aggregate: Aggregate = read(json)?;
    let attributes = vec![
        ("type", cloud("HostAggregate")),
        ("name", Attribute::text(aggregate.name)),
        ("metadata", Attribute::text(aggregate.metadata.map(|metadata| metadata.to_string()))),
    ];
    row(written(Some(&aggregate.id)).unwrap_or_default(), attributes)
}

#[derive(Deserialize)]
struct Listed {
    keypair: KeyPair,
}

#[derive(Deserialize)]
struct KeyPair {
    name: String,
    fingerprint: Option<String>,
}

/// Name and fingerprint, and nothing that opens anything.
pub(in super::super) fn key_pair(json: &str) -> Result<Row, ParseError> {
    let Listed { keypair } = read(json)?;
    let attributes = vec![
        ("type", cloud("AuthKeyPair")),
        ("name", Attribute::Text(keypair.name.clone())),
        ("fingerprint", Attribute::text(keypair.fingerprint)),
    ];
    row(keypair.name, attributes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{attribute, recorded, says};
    use super::*;
    use serde_json::json;

    macro_rules! answer {
        ($name:literal) => {
            recorded(include_str!(concat!("../../../../../tests/data/openstack/rest/", $name, ".json")))
        };
    }

    #[test]
    fn a_recorded_server_becomes_a_vm_that_refers_to_what_it_is_made_of() {
        let vm = server(&answer!("server_2_46")["server"].to_string()).unwrap();
        assert_eq!(vm.ems_ref, "b88ad341-d9e6-46a5-8b6a-3c1f3d0e9bde");
        says(
            &vm,
            &[
                ("type", text("ManageIQ::Providers::Openstack::CloudManager::Vm")),
                ("vendor", text("openstack")),
                ("uid_ems", text("b88ad341-d9e6-46a5-8b6a-3c1f3d0e9bde")),
                ("name", text("rest1")),
                ("raw_power_state", text("ACTIVE")),
                ("power_state", text("on")),
                ("host_id", Attribute::reference("hosts", Some("fake2"))),
                ("flavor_id", Attribute::reference("flavors", Some("fd54f565-8b02-424c-b0f6-e5561722a582"))),
                ("availability_zone_id", Attribute::reference("availability_zones", Some("nova"))),
                (
                    "cloud_tenant_id",
                    Attribute::reference("cloud_tenants", Some("852af63149df464ca83f6eb7621dd39d")),
                ),
                ("ems_created_on", Attribute::Time("2026-11-22T11:27:55Z".parse().unwrap())),
                ("template", Attribute::Boolean(false)),
            ],
        );
    }

    #[test]
    fn a_server_that_does_not_tell_its_flavors_id_leaves_it_as_it_is() {
        let vm = server(&answer!("server")["server"].to_string()).unwrap();
        assert!(vm.attributes.iter().all(|(column, _)| *column != "flavor_id"));
    }

    #[test]
    fn a_server_of_an_ordinary_project_has_no_host_and_one_that_is_built_no_zone() {
        let vm = server(r#"{"id": "v", "status": "BUILD", "OS-EXT-AZ:availability_zone": ""}"#).unwrap();
        says(
            &vm,
            &[
                ("host_id", Attribute::Null),
                ("availability_zone_id", Attribute::reference("availability_zones", Some("null_az"))),
                ("power_state", text("wait_for_launch")),
                ("name", Attribute::Null),
            ],
        );
    }

    #[test]
    fn states_are_told_as_manageiq_tells_them() {
        for (status, expected) in [
            ("SHUTOFF", "off"),
            ("SUSPENDED", "suspended"),
            ("PAUSED", "paused"),
            ("SHELVED", "shelved"),
            ("SHELVED_OFFLOADED", "shelved_offloaded"),
            ("HARD_REBOOT", "reboot_in_progress"),
            ("ERROR", "non_operational"),
            ("REBUILD", "wait_for_launch"),
            ("MIGRATING", "migrating"),
            ("DELETED", "terminated"),
            ("VERIFY_RESIZE", "unknown"),
            ("RESCUE", "unknown"),
        ] {
            let vm = server(&json!({"id": "v", "status": status}).to_string()).unwrap();
            assert_eq!(attribute(&vm, "raw_power_state"), text(status));
            assert_eq!(attribute(&vm, "power_state"), text(expected), "{status}");
        }
        assert_eq!(attribute(&server(r#"{"id": "v"}"#).unwrap(), "raw_power_state"), text("UNKNOWN"));
    }

    #[test]
    fn a_recorded_flavor_is_told_in_bytes() {
        let answer = answer!("flavors_detail");
        let flavor_of = |value: &Value| flavor(&value.to_string()).unwrap();
        let micro = flavor_of(&answer["flavors"][0]);
        says(
            &micro,
            &[
                ("name", text("m1.micro")),
                ("cpu_total_cores", Attribute::Integer(1)),
                ("memory", Attribute::Integer(128 << 20)),
                ("root_disk_size", Attribute::Integer(1 << 30)),
                ("swap_disk_size", Attribute::Integer(0)),
                ("ephemeral_disk_count", Attribute::Integer(0)),
                ("enabled", Attribute::Boolean(true)),
                ("publicly_available", Attribute::Boolean(true)),
            ],
        );
        // Before 2.75 no swap is an empty text.
        let old = flavor_of(&json!({"id": 3, "swap": "", "OS-FLV-EXT-DATA:ephemeral": 2}));
        assert_eq!(old.ems_ref, "3");
        assert_eq!(attribute(&old, "swap_disk_size"), Attribute::Integer(0));
        assert_eq!(attribute(&old, "ephemeral_disk_count"), Attribute::Integer(1));
    }

    #[test]
    fn a_recorded_hypervisor_is_the_host_that_events_name() {
        let answer = answer!("hypervisors_detail_2_87");
        let host = hypervisor(&answer["hypervisors"][1].to_string()).unwrap();
        assert_eq!(host.ems_ref, "fake2");
        says(
            &host,
            &[
                ("uid_ems", text("0d1a6ebd-4d77-488b-8b5b-1f36e287db9c")),
                ("hypervisor_hostname", text("fake2")),
                ("ipaddress", text("127.0.0.1")),
                ("power_state", text("on")),
                ("maintenance", Attribute::Boolean(false)),
                ("vmm_product", text("fake")),
                ("vmm_version", text("1000")),
            ],
        );
        let off = json!({"id": 1, "state": "down", "status": "disabled",
            "service": {"host": "h", "disabled_reason": "broken fan"}});
        says(
            &hypervisor(&off.to_string()).unwrap(),
            &[
                ("power_state", text("off")),
                ("maintenance", Attribute::Boolean(true)),
                ("maintenance_reason", text("broken fan")),
            ],
        );
    }

    #[test]
    fn zones_aggregates_and_key_pairs_are_known_by_name_or_number() {
        let answer = answer!("az_detail");
        let zone = availability_zone(&answer["availabilityZoneInfo"][1].to_string()).unwrap();
        assert_eq!((zone.ems_ref.as_str(), attribute(&zone, "name")), ("nova", text("nova")));
        assert_eq!(no_availability_zone().ems_ref, "null_az");
        let group = aggregate(r#"{"id": 4, "name": "fast", "metadata": {"ssd": "true"}}"#).unwrap();
        assert_eq!(group.ems_ref, "4");
        assert_eq!(attribute(&group, "metadata"), text(r#"{"ssd":"true"}"#));
        let pair = json!({"keypair": {"name": "k", "fingerprint": "aa:bb", "public_key": "ssh-rsa AAAA", "private_key": "S"}});
        let pair = key_pair(&pair.to_string()).unwrap();
        assert_eq!((pair.ems_ref.as_str(), attribute(&pair, "fingerprint")), ("k", text("aa:bb")));
        assert!(!format!("{pair:?}").contains("ssh-rsa") && pair.attributes.len() == 3);
    }
}
