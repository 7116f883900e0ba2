//! The registry: one line per provider, sorted.

pub mod awesome_cloud;

use crate::provider::Provider;

/// Every provider in this build.
pub static PROVIDERS: &[&dyn Provider] = &[
    &awesome_cloud::AwesomeCloud, //
];

/// The provider that is called `name`: its `ems_type`, or ManageIQ's class name.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.ems_type() == name || provider.class_name() == name)
}
