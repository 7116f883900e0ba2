//! Stored event → targets.

use crate::provider::{EmsEvent, EventTargetParser, ParseError, Target};

/// Ruby: `ManageIQ::Providers::Openstack::CloudManager::EventTargetParser`.
#[derive(Debug)]
pub(super) struct OpenstackEventTargetParser;

impl EventTargetParser for OpenstackEventTargetParser {
    fn parse(&self, _ems_event: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        Ok(Vec::new())
    }
}
