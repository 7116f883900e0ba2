//! The built-in automate domain: the house's own files and those that lie beside each provider.

use crate::provider::{Provider, embedded_files};
use std::borrow::Cow;
use std::collections::BTreeMap;

#[derive(rust_embed::Embed)]
#[folder = "src/switchboard/automate/"]
struct HouseFiles;

/// The built-in domain for these providers: (path below the domain, content) of each file. Where a provider brings a
/// file that the house has (such as a `__namespace__.yaml`), the house's stands.
pub fn builtin_domain(providers: &[&dyn Provider]) -> Vec<(String, Cow<'static, [u8]>)> {
    let mut files: BTreeMap<String, Cow<'static, [u8]>> =
        embedded_files::<HouseFiles>().into_iter().collect();
    for (path, bytes) in providers.iter().flat_map(|provider| provider.automate()) {
        files.entry(path).or_insert(bytes);
    }
    files.into_iter().collect()
}
