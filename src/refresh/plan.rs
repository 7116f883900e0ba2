//! What a refresh looks at, given what waits. Pure.

use crate::provider::{RefreshScope, TargetCollection};
use crate::settings::RefreshSettings;
use crate::vmdb::refresh_work::RefreshWork;

/// The whole EMS when it was never refreshed, when somebody asks for it, when targets are not allowed, or when they are
/// too many; else just the targets.
pub fn scope(work: &[RefreshWork], ever_refreshed: bool, settings: &RefreshSettings) -> RefreshScope {
    if !ever_refreshed || !settings.allow_targeted_refresh || work.iter().any(|work| work.full) {
        return RefreshScope::Full;
    }
    let targets = TargetCollection::new(work.iter().flat_map(|work| work.requests.iter().cloned()).collect());
    if targets.distinct() >= settings.full_refresh_threshold {
        return RefreshScope::Full;
    }
    RefreshScope::Targeted(targets)
}
