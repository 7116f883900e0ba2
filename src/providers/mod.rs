//! The registry: one line per provider, sorted.
//!
//! A line names a provider's folder and its type; the folder becomes a module by it. `tests/architecture.rs` keeps the
//! order, `make new-provider` adds a line.

use crate::provider::Provider;

/// `folder::Type,` → the folder's module, and a row of [`PROVIDERS`].
macro_rules! providers {
    ($($folder:ident::$provider:ident,)*) => {
        $(pub mod $folder;)*

        /// Every provider in this build.
        pub static PROVIDERS: &[&dyn Provider] = &[$(&$folder::$provider),*];
    };
}

providers! {
    // folder::Type, one line each, sorted by folder
    amazon::Amazon,
    awesome_cloud::AwesomeCloud,
    openstack::Openstack,
}

/// The provider that is called `name`: its `ems_type`, or ManageIQ's class name.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.ems_type() == name || provider.class_name() == name)
}
