//! What a refresh looks at, given what waits, and when the next full one is due. Pure.

use crate::provider::{RefreshScope, TargetCollection};
use crate::settings::RefreshSettings;
use crate::vmdb::refresh_work::RefreshWork;
use chrono::{DateTime, Utc};
use std::time::Duration;

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

/// How long until the next full refresh, `interval` after the `last` one began. One that never was, or is overdue, is due
/// at once; with an interval of zero only the first is ever due.
pub fn full_refresh_due(
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    interval: Duration,
) -> Option<Duration> {
    match last {
        None => Some(Duration::ZERO),
        Some(_) if interval.is_zero() => None,
        Some(last) => Some(interval.saturating_sub((now - last).to_std().unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{EmsId, Target, TargetRequest};

    const SETTINGS: RefreshSettings = RefreshSettings {
        enabled: true,
        allow_targeted_refresh: true,
        refresh_interval: Duration::ZERO,
        full_refresh_threshold: 3,
    };

    fn work(full: bool, ems_refs: &[&str]) -> RefreshWork {
        let request = |ems_ref: &&str| TargetRequest {
            target: Target::by_ems_ref("vms", *ems_ref),
            event_type: "X".to_owned(),
            timestamp: DateTime::UNIX_EPOCH,
        };
        RefreshWork {
            id: 1,
            work_id: None,
            ems_id: EmsId(1),
            full,
            requests: ems_refs.iter().map(request).collect(),
            requested_on: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_refresh_looks_at_the_targets_unless_something_speaks_for_the_whole() {
        let only_full = RefreshSettings { allow_targeted_refresh: false, ..SETTINGS };
        let two = [work(false, &["a", "b"]), work(false, &["b"])];
        let three = [work(false, &["a", "b"]), work(false, &["c"])];
        let asked = [work(false, &["a"]), work(true, &[])];
        for (work, ever, settings, targets, why) in [
            (&two, true, &SETTINGS, Some(2), "two distinct targets are fewer than three"),
            (&two, false, &SETTINGS, None, "the EMS was never refreshed"),
            (&two, true, &only_full, None, "targeted refresh is not allowed"),
            (&three, true, &SETTINGS, None, "as many targets as the threshold"),
            (&asked, true, &SETTINGS, None, "somebody asked for all"),
        ] {
            let found = match scope(work, ever, settings) {
                RefreshScope::Full => None,
                RefreshScope::Targeted(targets) => Some(targets.distinct()),
            };
            assert_eq!(found, targets, "{why}");
        }
    }

    #[test]
    fn a_full_refresh_is_due_at_once_for_a_new_ems_and_one_that_is_overdue() {
        let now = DateTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let ago = |seconds| Some(now - Duration::from_secs(seconds));
        let seconds = Duration::from_secs;
        for (last, interval, due) in [
            (None, seconds(100), Some(Duration::ZERO)),
            (None, Duration::ZERO, Some(Duration::ZERO)),
            (ago(30), seconds(100), Some(seconds(70))),
            (ago(300), seconds(100), Some(Duration::ZERO)),
            (ago(300), Duration::ZERO, None),
        ] {
            assert_eq!(full_refresh_due(last, now, interval), due, "{last:?}, {interval:?}");
        }
        let ahead = Some(now + Duration::from_secs(5));
        assert_eq!(full_refresh_due(ahead, now, seconds(100)), Some(seconds(100)));
    }
}
