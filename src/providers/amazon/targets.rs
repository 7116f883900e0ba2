//! Stored event → targets: which things of the inventory an event names (reference: ManageIQ's Amazon
//! `EventTargetParser`). Pure; only the keys of `full_data` count, never where they came from.

use super::kind::{Body, Kind, at, text};
use crate::provider::{EmsEvent, EventTargetParser, ParseError, Target};
use serde_json::Value;
use std::collections::HashSet;

/// Ruby: `ManageIQ::Providers::Amazon::CloudManager::EventTargetParser`.
#[derive(Debug)]
pub(super) struct AmazonEventTargetParser;

/// Parameter of an API call → association. `key_pairs` are known by name, everything else by `ems_ref`.
const PARAMETERS: &[(&[&str], &str)] = &[
    (&["instanceId"], "vms"),
    (&["imageId"], "miq_templates"),
    (&["keyName"], "key_pairs"),
    (&["stackId"], "orchestration_stacks"),
    (&["stackName"], "orchestration_stacks"),
    (&["vpcId"], "cloud_networks"),
    (&["vpc", "vpcId"], "cloud_networks"),
    (&["EnableVpcClassicLinkDnsSupportRequest", "VpcId"], "cloud_networks"),
    (&["subnetId"], "cloud_subnets"),
    (&["networkInterfaceId"], "network_ports"),
    (&["groupId"], "security_groups"),
    (&["allocationId"], "floating_ips"),
    (&["publicIp"], "floating_ips"),
    (&["loadBalancerName"], "load_balancers"),
    (&["volumeId"], "cloud_volumes"),
    (&["ModifyVolumeResponse", "volumeModification", "volumeId"], "cloud_volumes"),
    (&["snapshotId"], "cloud_volume_snapshots"),
    (&["productId"], "service_offerings"),
    (&["provisionedProductId"], "service_instances"),
];

/// Where an API call's parameters hold more of the same shape: one, or a list.
const NESTED: &[&[&str]] = &[
    &["networkInterface"],
    &["recordDetail"],
    &["groupSet", "items"],
    &["instancesSet", "items"],
    &["instances"],
    &["networkInterfaceSet", "items"],
];

impl EventTargetParser for AmazonEventTargetParser {
    fn parse(&self, ems_event: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        let Value::Object(full_data) = ems_event.full_data.read::<Value>()? else { return Ok(Vec::new()) };
        let mut targets = Targets::default();
        match Kind::of_full_data(&full_data) {
            Some(Kind::Config) => targets.add_config(&full_data),
            Some(Kind::ApiCall) => {
                for part in ["requestParameters", "responseElements"] {
                    if let Some(Value::Object(parameters)) = at(&full_data, &["detail", part]) {
                        targets.add_api_call(parameters);
                    }
                }
            }
            Some(Kind::InstanceState) => targets.add("vms", text(&full_data, &["detail", "instance-id"])),
            Some(Kind::EbsSnapshot) => {
                let arn = text(&full_data, &["detail", "snapshot_id"]);
                targets.add("cloud_volume_snapshots", arn.and_then(|arn| arn.rsplit('/').next()));
            }
            Some(Kind::Alarm) | None => {}
        }
        Ok(targets.all)
    }
}

/// Each thing once, in the order in which the event names them.
#[derive(Default)]
struct Targets<'a> {
    all: Vec<Target>,
    /// Association and reference of each: a call may name tens of thousands.
    known: HashSet<(&'static str, &'a str)>,
}

impl<'a> Targets<'a> {
    fn add(&mut self, association: &'static str, reference: Option<&'a str>) {
        let Some(reference) = reference.filter(|reference| !reference.trim().is_empty()) else { return };
        let key = if association == "key_pairs" { "name" } else { "ems_ref" };
        if self.known.insert((association, reference)) {
            self.all.push(Target::by(association, key, reference));
        }
    }

    fn add_config(&mut self, full_data: &'a Body) {
        let association = match text(full_data, &["configurationItem", "resourceType"]) {
            Some("AWS::EC2::Instance") => "vms",
            Some("AWS::EC2::SecurityGroup") => "security_groups",
            Some("AWS::EC2::Volume") => "cloud_volumes",
            Some("AWS::EC2::NetworkInterface") => "network_ports",
            Some("AWS::EC2::VPC") => "cloud_networks",
            Some("AWS::EC2::Subnet") => "cloud_subnets",
            Some("AWS::EC2::EIP") => "floating_ips",
            Some("AWS::CloudFormation::Stack") => "orchestration_stacks",
            _ => return,
        };
        self.add(association, text(full_data, &["configurationItem", "resourceId"]));
    }

    /// Follows nesting as deep as it goes: what was read as JSON is nested at most 128 levels.
    fn add_api_call(&mut self, parameters: &'a Body) {
        for (path, association) in PARAMETERS {
            self.add(association, text(parameters, path));
        }
        for path in NESTED {
            match at(parameters, path) {
                Some(Value::Object(inner)) => self.add_api_call(inner),
                Some(Value::Array(items)) => {
                    items.iter().filter_map(Value::as_object).for_each(|inner| self.add_api_call(inner));
                }
                _ => {}
            }
        }
    }
}
