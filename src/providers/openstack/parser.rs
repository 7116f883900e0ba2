//! Native event → [`EmsEvent`].

use crate::provider::{EventParser, Filtered, NativeEvent, ParseError, Parsed};

/// `event_streams.source`.
pub(super) const SOURCE: &str = "OPENSTACK";

/// Ruby: `ManageIQ::Providers::Openstack::CloudManager::EventParser`.
#[derive(Debug)]
pub(super) struct OpenstackEventParser;

impl EventParser for OpenstackEventParser {
    fn parse(&self, _native: &NativeEvent) -> Result<Parsed, ParseError> {
        Ok(Parsed::Filtered(Filtered("nothing is known yet")))
    }
}
