//! The registry: one line per provider, sorted.

use crate::provider::Provider;

pub mod amazon;

/// Every provider in this build.
pub static PROVIDERS: &[&dyn Provider] = &[&amazon::Amazon];

/// The provider that is called `name`: its `ems_type`, or ManageIQ's class name.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.ems_type() == name || provider.class_name() == name)
}
