//! Every provider of the registry keeps the contract, over its own fixtures. A new provider needs no test code for this.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod contract;

use catchall::provider::{Collector, Ems, EventParser, EventTargetParser, Provider, ProviderError, Stream};
use catchall::providers::PROVIDERS;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_provider_of_the_registry_keeps_the_contract() {
    let providers = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers");
    let check = |provider: &&'static dyn Provider| {
        contract::violations(*provider, &providers.join(provider.ems_type()))
    };
    let found: Vec<_> = PROVIDERS.iter().flat_map(check).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn no_two_providers_share_a_name() {
    let names = PROVIDERS
        .iter()
        .map(|provider| [provider.ems_type(), provider.class_name(), provider.event_source()]);
    let distinct: BTreeSet<_> = names.clone().flatten().collect();
    assert_eq!(distinct.len(), 3 * PROVIDERS.len(), "{:?}", names.collect::<Vec<_>>());
}

/// Awesome Cloud under another source, without event groups, and with its fixtures taken away.
struct Careless;

impl Careless {
    fn real(&self) -> &'static dyn Provider {
        catchall::providers::find("awesome_cloud").unwrap()
    }
}

impl Provider for Careless {
    fn ems_type(&self) -> &'static str {
        "awesome_cloud"
    }
    fn class_name(&self) -> &'static str {
        "AwesomeCloud"
    }
    fn event_source(&self) -> &'static str {
        "CARELESS"
    }
    fn default_settings(&self) -> &'static str {
        "workers: {worker_base: {event_catcher: {event_catcher_awesome_cloud: {poll: 15.seconds}}}}"
    }
    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)> {
        self.real().automate()
    }
    fn event_parser(&self) -> &dyn EventParser {
        self.real().event_parser()
    }
    fn event_target_parser(&self) -> &dyn EventTargetParser {
        self.real().event_target_parser()
    }
    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        self.real().stream(ems)
    }
    fn collector(&self, ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        self.real().collector(ems)
    }
    fn has_collector(&self) -> bool {
        true
    }
}

#[test]
fn a_provider_that_breaks_the_contract_is_told_so() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers/awesome_cloud");
    let found = contract::violations(&Careless, &folder).join("\n");
    for complaint in ["no manager class", "is not \"CARELESS\"", "no event type does anything"] {
        assert!(found.contains(complaint), "{complaint}: {found}");
    }
    let without_fixtures = contract::violations(&Careless, Path::new("nowhere")).join("\n");
    assert!(without_fixtures.contains("holds no native event"), "{without_fixtures}");
    assert!(without_fixtures.contains("no fixtures/inventory.json"), "{without_fixtures}");
}
