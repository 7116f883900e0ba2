//! Two providers that consist of their settings alone.

use async_trait::async_trait;
use catchall::provider::{
    Collector, Ems, EmsEvent, EventBatch, EventParser, EventTargetParser, Filtered, NativeEvent, ParseError,
    Parsed, Provider, ProviderError, Stream, StreamError, Target,
};
use std::borrow::Cow;

pub struct Tiny {
    ems_type: &'static str,
    class_name: &'static str,
    default_settings: &'static str,
    endpoint_options: &'static [&'static str],
}

pub static AWESOME: Tiny = Tiny {
    ems_type: "awesome_cloud",
    class_name: "ManageIQ::Providers::AwesomeCloud::CloudManager",
    default_settings: "
:ems:
  :ems_awesome_cloud:
    :blacklisted_event_names: [vm.ignored]
    :event_handling:
      :event_groups:
        :power:
          :name: Power
          :critical: [com.awesome-cloud.vm.start]
          :detail: ['/^com\\.awesome-cloud\\.vm\\./']
:ems_refresh:
  :awesome_cloud: {enabled: true, allow_targeted_refresh: true, refresh_interval: 24.hours}
:workers:
  :worker_base:
    :event_catcher:
      :event_catcher_awesome_cloud:
        :poll: 15.seconds
        :shape: {colour: blue}
",
    endpoint_options: &[],
};

pub static AMAZON: Tiny = Tiny {
    ems_type: "amazon",
    class_name: "ManageIQ::Providers::Amazon::CloudManager",
    default_settings: "
ems:
  ems_amazon:
    blacklisted_event_names: [ConfigurationSnapshotDeliveryCompleted]
    event_handling: {event_groups: {power: {critical: [AWS_EC2_Instance_running]}}}
workers: {worker_base: {event_catcher: {event_catcher_amazon: {poll: 15.seconds}}}}
",
    endpoint_options: &["queue_name", "queues"],
};

pub static PROVIDERS: &[&dyn Provider] = &[&AMAZON, &AWESOME];

impl Provider for Tiny {
    fn ems_type(&self) -> &'static str {
        self.ems_type
    }

    fn class_name(&self) -> &'static str {
        self.class_name
    }

    fn event_source(&self) -> &'static str {
        "TINY"
    }

    fn default_settings(&self) -> &'static str {
        self.default_settings
    }

    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)> {
        Vec::new()
    }

    fn endpoint_options(&self) -> &'static [&'static str] {
        self.endpoint_options
    }

    fn event_parser(&self) -> &dyn EventParser {
        &Nothing
    }

    fn event_target_parser(&self) -> &dyn EventTargetParser {
        &Nothing
    }

    fn stream(&self, _ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        Ok(Box::new(Nothing))
    }

    fn collector(&self, _ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(None)
    }

    fn has_collector(&self) -> bool {
        false
    }
}

struct Nothing;

impl EventParser for Nothing {
    fn parse(&self, _native: &NativeEvent) -> Result<Parsed, ParseError> {
        Ok(Parsed::Filtered(Filtered("nothing")))
    }
}

impl EventTargetParser for Nothing {
    fn parse(&self, _ems_event: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Stream for Nothing {
    async fn start(&mut self, _resume_from: Option<catchall::provider::Cursor>) -> Result<(), StreamError> {
        Ok(())
    }

    async fn poll(&mut self) -> Result<EventBatch, StreamError> {
        Ok(EventBatch::default())
    }
}
