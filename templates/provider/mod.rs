//! Bright Cloud: wiring only. The five files in the order in which an event meets them: `stream` (talks to the events
//! API), `parser` (native → event), `targets` (event → what to refresh), `refresh` (targets → inventory).

mod api;
mod parser;
mod refresh;
mod stream;
mod targets;

use crate::provider::{
    Collector, Ems, EventParser, EventTargetParser, Provider, ProviderError, Stream, embedded_files,
};
use std::borrow::Cow;

/// The provider.
pub struct BrightCloud;

#[derive(rust_embed::Embed)]
#[folder = "templates/provider/automate"]
struct Automate;

impl Provider for BrightCloud {
    fn ems_type(&self) -> &'static str {
        "bright_cloud"
    }

    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::BrightCloud::CloudManager"
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
        Ok(Box::new(stream::EventStream::new(ems)?))
    }

    fn collector(&self, ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(Some(Box::new(refresh::VmCollector::new(ems)?)))
    }

    fn has_collector(&self) -> bool {
        true
    }
}
