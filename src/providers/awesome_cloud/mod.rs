//! Awesome Cloud, the example provider of the provider guide. Wiring only: what it is called and where its parts are.

mod parser;
mod targets;

use crate::provider::{
    Collector, Ems, EventParser, EventTargetParser, Provider, ProviderError, Stream, embedded_files,
};
use std::borrow::Cow;

/// The provider.
pub struct AwesomeCloud;

/// Its switchboard class and instances.
#[derive(rust_embed::Embed)]
#[folder = "src/providers/awesome_cloud/automate/"]
struct Automate;

impl Provider for AwesomeCloud {
    fn ems_type(&self) -> &'static str {
        "awesome_cloud"
    }

    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::AwesomeCloud::CloudManager"
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

    fn event_parser(&self) -> &dyn EventParser {
        &parser::Parser
    }

    fn event_target_parser(&self) -> &dyn EventTargetParser {
        &targets::TargetParser
    }

    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        Err(ProviderError::new(&ems.name, "this build has no stream for Awesome Cloud yet"))
    }

    fn collector(&self, ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Err(ProviderError::new(&ems.name, "this build has no collector for Awesome Cloud yet"))
    }

    fn has_collector(&self) -> bool {
        true
    }
}
