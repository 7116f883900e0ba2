//! Neutron: networks, subnets, routers, ports, floating IPs, security groups.

use super::{boolean, named, number, read, reference, row, text, written};
use crate::provider::{Attribute, ParseError, Row};
use serde::Deserialize;
use serde_json::Value;

fn class(name: &str) -> Attribute {
    Attribute::Text(format!("ManageIQ::Providers::Openstack::NetworkManager::{name}"))
}

fn tenant(id: Option<String>) -> (&'static str, Attribute) {
    ("cloud_tenant_id", reference("cloud_tenants", id))
}

/// The server that a port belongs to. Ports of routers, of DHCP and the like belong to none.
fn server(owner: Option<&str>, device_id: Option<String>) -> Option<String> {
    device_id.filter(|_| owner.is_some_and(|owner| owner.starts_with("compute:")))
}

#[derive(Deserialize)]
struct Network {
    id: String,
    name: Option<String>,
    status: Option<String>,
    tenant_id: Option<String>,
    admin_state_up: Option<bool>,
    shared: Option<bool>,
    #[serde(rename = "router:external")]
    external: Option<bool>,
    #[serde(rename = "provider:physical_network")]
    physical_network: Option<String>,
    #[serde(rename = "provider:network_type")]
    network_type: Option<String>,
    #[serde(rename = "provider:segmentation_id")]
    segmentation_id: Option<Value>,
}

pub(in super::super) fn network(json: &str) -> Result<Row, ParseError> {
    let network: Network = read(json)?;
    let kind = if network.external == Some(true) { "CloudNetwork::Public" } else { "CloudNetwork::Private" };
    let active = network.status.is_some_and(|status| status.eq_ignore_ascii_case("active"));
    let attributes = vec![
        ("type", class(kind)),
        ("name", Attribute::text(network.name)),
        ("status", text(if active { "active" } else { "inactive" })),
        ("enabled", boolean(network.admin_state_up)),
        ("shared", boolean(network.shared)),
        ("external_facing", boolean(network.external)),
        ("provider_physical_network", Attribute::text(network.physical_network)),
        ("provider_network_type", Attribute::text(network.network_type)),
        ("provider_segmentation_id", Attribute::text(written(network.segmentation_id.as_ref()))),
        tenant(network.tenant_id),
    ];
    row(network.id, attributes)
}

#[derive(Deserialize)]
struct Subnet {
    id: String,
    name: Option<String>,
    tenant_id: Option<String>,
    network_id: Option<String>,
    cidr: Option<String>,
    ip_version: Option<Value>,
    gateway_ip: Option<String>,
    enable_dhcp: Option<bool>,
}

pub(in super::super) fn subnet(json: &str) -> Result<Row, ParseError> {
    let subnet: Subnet = read(json)?;
    let protocol = number(subnet.ip_version.as_ref())?.map(|version| format!("ipv{version}"));
    let attributes = vec![
        ("type", class("CloudSubnet")),
        ("name", Attribute::text(subnet.name)),
        ("cidr", Attribute::text(subnet.cidr)),
        ("network_protocol", Attribute::text(protocol)),
        ("gateway", Attribute::text(subnet.gateway_ip)),
        ("dhcp_enabled", boolean(subnet.enable_dhcp)),
        ("cloud_network_id", reference("cloud_networks", subnet.network_id)),
        tenant(subnet.tenant_id),
    ];
    row(subnet.id, attributes)
}

#[derive(Deserialize)]
struct Router {
    id: String,
    name: Option<String>,
    status: Option<String>,
    tenant_id: Option<String>,
    admin_state_up: Option<bool>,
    external_gateway_info: Option<Gateway>,
}

#[derive(Deserialize)]
struct Gateway {
    network_id: Option<String>,
}

pub(in super::super) fn router(json: &str) -> Result<Row, ParseError> {
    let router: Router = read(json)?;
    let outside = router.external_gateway_info.and_then(|gateway| gateway.network_id);
    let attributes = vec![
        ("type", class("NetworkRouter")),
        ("name", Attribute::text(router.name)),
        ("status", Attribute::text(router.status)),
        ("admin_state_up", boolean(router.admin_state_up)),
        ("cloud_network_id", reference("cloud_networks", outside)),
        tenant(router.tenant_id),
    ];
    row(router.id, attributes)
}

#[derive(Deserialize)]
struct Port {
    id: String,
    name: Option<String>,
    status: Option<String>,
    tenant_id: Option<String>,
    network_id: Option<String>,
    mac_address: Option<String>,
    admin_state_up: Option<bool>,
    device_id: Option<String>,
    device_owner: Option<String>,
    #[serde(rename = "binding:host_id")]
    host: Option<String>,
    #[serde(default)]
    fixed_ips: Vec<FixedIp>,
}

#[derive(Deserialize)]
struct FixedIp {
    subnet_id: Option<String>,
    ip_address: Option<String>,
}

pub(in super::super) fn port(json: &str) -> Result<Row, ParseError> {
    let port: Port = read(json)?;
    let mac_address = port.mac_address.unwrap_or_default();
    let vm = server(port.device_owner.as_deref(), port.device_id.clone());
    let (subnet, address) =
        port.fixed_ips.into_iter().next().map_or((None, None), |first| (first.subnet_id, first.ip_address));
    let attributes = vec![
        ("type", class("NetworkPort")),
        ("name", named(port.name, &mac_address)),
        ("status", Attribute::text(port.status)),
        ("admin_state_up", boolean(port.admin_state_up)),
        ("mac_address", Attribute::Text(mac_address)),
        ("device_owner", Attribute::text(port.device_owner)),
        ("device_ref", Attribute::text(port.device_id)),
        ("device_type", Attribute::text(vm.as_ref().map(|_| "VmOrTemplate"))),
        ("device_id", reference("vms", vm)),
        ("binding_host_id", Attribute::text(port.host)),
        ("cloud_network_id", reference("cloud_networks", port.network_id)),
        ("cloud_subnet_id", reference("cloud_subnets", subnet)),
        ("fixed_ip_address", Attribute::text(address)),
        tenant(port.tenant_id),
    ];
    row(port.id, attributes)
}

#[derive(Deserialize)]
struct FloatingIp {
    id: String,
    status: Option<String>,
    tenant_id: Option<String>,
    floating_ip_address: Option<String>,
    fixed_ip_address: Option<String>,
    floating_network_id: Option<String>,
    port_id: Option<String>,
    port_details: Option<PortDetails>,
}

#[derive(Deserialize)]
struct PortDetails {
    device_id: Option<String>,
    device_owner: Option<String>,
}

pub(in super::super) fn floating_ip(json: &str) -> Result<Row, ParseError> {
    let ip: FloatingIp = read(json)?;
    let vm = ip.port_details.and_then(|port| server(port.device_owner.as_deref(), port.device_id));
    let attributes = vec![
        ("type", class("FloatingIp")),
        ("address", Attribute::text(ip.floating_ip_address)),
        ("fixed_ip_address", Attribute::text(ip.fixed_ip_address)),
        ("status", Attribute::text(ip.status)),
        ("cloud_network_id", reference("cloud_networks", ip.floating_network_id)),
        ("network_port_id", reference("network_ports", ip.port_id)),
        ("vm_id", reference("vms", vm)),
        tenant(ip.tenant_id),
    ];
    row(ip.id, attributes)
}

#[derive(Deserialize)]
struct SecurityGroup {
    id: String,
    name: Option<String>,
    description: Option<String>,
    tenant_id: Option<String>,
}

pub(in super::super) fn security_group(json: &str) -> Result<Row, ParseError> {
    let group: SecurityGroup = read(json)?;
    let attributes = vec![
        ("type", class("SecurityGroup")),
        ("name", Attribute::text(group.name)),
        ("description", Attribute::text(group.description)),
        tenant(group.tenant_id),
    ];
    row(group.id, attributes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{recorded, says};
    use super::*;
    use serde_json::json;

    macro_rules! first {
        ($name:literal, $list:literal) => {
            recorded(include_str!(concat!("../../../../../tests/data/openstack/rest/", $name, ".json")))
                [$list][0]
                .to_string()
        };
    }

    const NETWORK: &str = "a221018f-d6b1-4a99-ac42-81ca8ff71974";
    const SUBNET: &str = "9b847690-853f-48a9-af01-4570fb94fd05";

    #[test]
    fn a_recorded_network_with_its_subnet() {
        let net = network(&first!("networks", "networks")).unwrap();
        assert_eq!(net.ems_ref, NETWORK);
        says(
            &net,
            &[
                ("type", text("ManageIQ::Providers::Openstack::NetworkManager::CloudNetwork::Private")),
                ("status", text("active")),
                ("enabled", Attribute::Boolean(true)),
                ("external_facing", Attribute::Boolean(false)),
                ("provider_network_type", text("local")),
                ("provider_segmentation_id", Attribute::Null),
            ],
        );
        let sub = subnet(&first!("subnets", "subnets")).unwrap();
        assert_eq!(sub.ems_ref, SUBNET);
        says(
            &sub,
            &[
                ("cidr", text("10.1.0.0/16")),
                ("network_protocol", text("ipv4")),
                ("gateway", text("10.1.0.1")),
                ("cloud_network_id", Attribute::reference("cloud_networks", Some(NETWORK))),
            ],
        );
        let outside =
            network(&json!({"id": "n", "router:external": true, "provider:segmentation_id": 7}).to_string());
        says(
            &outside.unwrap(),
            &[
                ("type", text("ManageIQ::Providers::Openstack::NetworkManager::CloudNetwork::Public")),
                ("provider_segmentation_id", text("7")),
                ("status", text("inactive")),
            ],
        );
    }

    #[test]
    fn a_recorded_port_refers_to_its_server_network_and_subnet() {
        let server_port = port(&first!("ports_of_server", "ports")).unwrap();
        says(
            &server_port,
            &[
                ("name", text("fa:16:3e:9e:4e:59")),
                ("device_id", Attribute::reference("vms", Some("b88ad341-d9e6-46a5-8b6a-3c1f3d0e9bde"))),
                ("device_type", text("VmOrTemplate")),
                ("device_owner", text("compute:nova")),
                ("binding_host_id", text("fake2")),
                ("cloud_network_id", Attribute::reference("cloud_networks", Some(NETWORK))),
                ("cloud_subnet_id", Attribute::reference("cloud_subnets", Some(SUBNET))),
                ("fixed_ip_address", text("10.1.2.65")),
                ("status", text("DOWN")),
            ],
        );
        let of_router = json!({"id": "p", "device_id": "r", "device_owner": "network:router_interface"});
        says(
            &port(&of_router.to_string()).unwrap(),
            &[
                ("device_id", Attribute::Null),
                ("device_type", Attribute::Null),
                ("device_ref", text("r")),
                ("cloud_subnet_id", Attribute::Null),
            ],
        );
    }

    #[test]
    fn routers_floating_ips_and_groups() {
        let outside = json!({"id": "r", "name": "r1", "status": "ACTIVE", "external_gateway_info": {"network_id": "n"}});
        says(
            &router(&outside.to_string()).unwrap(),
            &[("cloud_network_id", Attribute::reference("cloud_networks", Some("n")))],
        );
        let inside = router(r#"{"id": "r", "external_gateway_info": null}"#).unwrap();
        says(&inside, &[("cloud_network_id", Attribute::Null)]);
        let bound = json!({"id": "f", "floating_ip_address": "1.2.3.4", "port_id": "p", "floating_network_id": "n",
            "port_details": {"device_id": "v", "device_owner": "compute:nova"}});
        says(
            &floating_ip(&bound.to_string()).unwrap(),
            &[
                ("address", text("1.2.3.4")),
                ("vm_id", Attribute::reference("vms", Some("v"))),
                ("network_port_id", Attribute::reference("network_ports", Some("p"))),
            ],
        );
        let free = floating_ip(r#"{"id": "f", "port_id": null, "port_details": null}"#).unwrap();
        says(&free, &[("vm_id", Attribute::Null), ("network_port_id", Attribute::Null)]);
        let group = security_group(&first!("secgroups", "security_groups")).unwrap();
        says(&group, &[("name", text("default")), ("description", text("Default security group"))]);
    }
}
