//! OpenStack (ManageIQ: `ManageIQ::Providers::Openstack::CloudManager`): its wiring.
//!
//! Events arrive as oslo.messaging notifications of Nova, Keystone, Glance, Cinder, Neutron and Heat through RabbitMQ;
//! inventory comes from their APIs. `docs/providers/openstack.md` tells an operator how to set it up.

mod envelope;
mod keystone;
mod parser;
mod refresh;
mod stream;
mod targets;

use crate::provider::{
    Collector, Ems, EventParser, EventTargetParser, Provider, ProviderError, Stream, embedded_files,
};
use std::borrow::Cow;

/// One line of the registry.
#[derive(Debug)]
pub struct Openstack;

#[derive(rust_embed::Embed)]
#[folder = "src/providers/openstack/automate"]
struct Automate;

impl Provider for Openstack {
    fn ems_type(&self) -> &'static str {
        "openstack"
    }

    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::Openstack::CloudManager"
    }

    fn event_source(&self) -> &'static str {
        parser::SOURCE
    }

    fn default_settings(&self) -> &'static str {
        include_str!("settings.yml")
    }

    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)> {
        embedded_files::<Automate>()
    }

    fn endpoint_options(&self) -> &'static [&'static str] {
        // Of `default` (Keystone), then of `amqp` and its fallbacks.
        &[
            "project",
            "project_domain",
            "user_domain",
            "application_credential",
            "interface",
            "all_projects",
            "vhost",
            "topics",
            "queue",
            "queue_length",
            "queue_expiry",
        ]
    }

    fn event_parser(&self) -> &dyn EventParser {
        &parser::OpenstackEventParser
    }

    fn event_target_parser(&self) -> &dyn EventTargetParser {
        &targets::OpenstackEventTargetParser
    }

    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        stream::stream(ems)
    }

    fn collector(&self, ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        refresh::collector(ems)
    }

    fn has_collector(&self) -> bool {
        true
    }

    fn inventory_endpoint(&self) -> Option<&'static str> {
        Some("default")
    }
}
