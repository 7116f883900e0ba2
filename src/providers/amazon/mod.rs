//! Amazon EC2 (ManageIQ: `ManageIQ::Providers::Amazon::CloudManager`): its wiring.
//!
//! Events arrive in an SQS queue, from AWS Config, CloudTrail, EventBridge and CloudWatch. It has no collector yet: the
//! refresh calls of its events make no work. `docs/providers/amazon.md` tells an operator how to set it up.

mod client;
mod clock;
mod envelope;
mod errors;
mod identity;
mod kind;
mod last_read;
mod parser;
mod queue;
mod receipts;
mod stream;
mod targets;

use crate::provider::{
    Collector, Ems, EventParser, EventTargetParser, Provider, ProviderError, Stream, embedded_files,
};
use std::borrow::Cow;

/// One line of the registry.
#[derive(Debug)]
pub struct Amazon;

#[derive(rust_embed::Embed)]
#[folder = "src/providers/amazon/automate"]
struct Automate;

impl Provider for Amazon {
    fn ems_type(&self) -> &'static str {
        "amazon"
    }

    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::Amazon::CloudManager"
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
        &["queue_name", "takeover"]
    }

    fn event_parser(&self) -> &dyn EventParser {
        &parser::AmazonEventParser
    }

    fn event_target_parser(&self) -> &dyn EventTargetParser {
        &targets::AmazonEventTargetParser
    }

    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        Ok(Box::new(stream::SqsStream::new(queue::QueueSettings::new(ems)?, ems.budget.clone())))
    }

    fn collector(&self, _ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(None)
    }

    fn has_collector(&self) -> bool {
        false
    }
}
