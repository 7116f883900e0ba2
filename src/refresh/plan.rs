//! What a refresh looks at, given what waits, and when the next full one is due. Pure.

use super::superseded;
use crate::provider::TargetCollection;
use crate::settings::RefreshSettings;
use crate::vmdb::refresh_work::RefreshWork;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::time::Duration;

/// Rows of `miq_queue` looked at for a targeted refresh.
const MOST_ROWS: i64 = 1_000;

/// What speaks for looking at the whole EMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyFull {
    /// It was never refreshed in full.
    First,
    /// Somebody asks for all of it.
    Asked,
    /// The settings allow no targets.
    TargetsNotAllowed,
    /// Something happened of which it cannot be read what it was.
    Doubt,
    /// So many targets wait that asking for them one by one is no less work.
    Threshold,
}

/// What a refresh of what waits looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// All of it.
    Full(WhyFull),
    /// Just these.
    Targeted(TargetCollection),
}

/// How many rows of what waits are looked at, at most: none are worth a look but the first where targets do not count.
pub const fn most_rows(ever_refreshed: bool, settings: &RefreshSettings) -> i64 {
    if ever_refreshed && settings.allow_targeted_refresh { MOST_ROWS } else { 1 }
}

/// Tells when so much waits that nothing behind it, but somebody's wish for everything, changes what is looked at: there are
/// as many targets as the threshold.
pub fn enough(settings: &RefreshSettings) -> impl FnMut(&RefreshWork) -> bool + use<> {
    let (threshold, mut things) = (settings.full_refresh_threshold, HashSet::new());
    move |work| {
        if !work.full && !work.doubt {
            things.extend(work.requests.iter().map(superseded::thing));
        }
        things.len() >= threshold
    }
}

/// The whole EMS when it was never refreshed, when somebody asks for it, when targets are not allowed, or when they are
/// too many; else just the targets.
pub fn scope(work: &[RefreshWork], ever_refreshed: bool, settings: &RefreshSettings) -> Scope {
    if !ever_refreshed {
        return Scope::Full(WhyFull::First);
    }
    if work.iter().any(|work| work.full) {
        return Scope::Full(WhyFull::Asked);
    }
    if !settings.allow_targeted_refresh {
        return Scope::Full(WhyFull::TargetsNotAllowed);
    }
    let targets = superseded::distinct(work.iter().flat_map(|work| work.requests.iter().cloned()));
    if targets.distinct() >= settings.full_refresh_threshold {
        return Scope::Full(WhyFull::Threshold);
    }
    if work.iter().any(|work| work.doubt) {
        return Scope::Full(WhyFull::Doubt);
    }
    Scope::Targeted(targets)
}

impl WhyFull {
    /// Whether nobody asked for all of it: such refreshes wait their turn, see [`until_escalation`].
    pub const fn is_escalation(self) -> bool {
        matches!(self, Self::Doubt | Self::Threshold)
    }
}

/// The work that need not wait when a full refresh, which would answer it too, cannot begin now: of the rows that ask for
/// targets the oldest, as many as are together fewer targets than the threshold, and at least one.
pub fn ahead_of_full(
    work: &[RefreshWork],
    ever_refreshed: bool,
    settings: &RefreshSettings,
) -> Vec<RefreshWork> {
    if !ever_refreshed || !settings.allow_targeted_refresh {
        return Vec::new();
    }
    let mut things = HashSet::new();
    let targeted = work.iter().filter(|work| !work.full && !work.doubt);
    let few = targeted.enumerate().take_while(|(index, work)| {
        things.extend(work.requests.iter().map(superseded::thing));
        *index == 0 || things.len() < settings.full_refresh_threshold
    });
    few.map(|(_, work)| work.clone()).collect()
}

/// How long until a full refresh that nobody asked for may begin again, when one ended `since` ago and took so long. They take
/// a tenth of the time at most: what gathers during a long one would else be reason for the next, for ever.
pub fn until_escalation(last: Option<(Duration, Duration)>) -> Duration {
    last.map_or(Duration::ZERO, |(since, took)| (took * 10).saturating_sub(since))
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
            doubt: false,
            requests: ems_refs.iter().map(request).collect(),
            targets: ems_refs.len(),
            requested_on: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_refresh_looks_at_the_targets_unless_something_speaks_for_the_whole() {
        let only_full = RefreshSettings { allow_targeted_refresh: false, ..SETTINGS };
        let two = [work(false, &["a", "b"]), work(false, &["b"])];
        let three = [work(false, &["a", "b"]), work(false, &["c"])];
        let asked = [work(false, &["a"]), work(true, &[])];
        let doubtful = [work(false, &["a"]), RefreshWork { doubt: true, ..work(false, &[]) }];
        let nothing = [];
        for (work, ever, settings, expected, why) in [
            (&two[..], true, &SETTINGS, Ok(2), "two distinct targets are fewer than three"),
            (&two, false, &SETTINGS, Err(WhyFull::First), "the EMS was never refreshed"),
            (&two, true, &only_full, Err(WhyFull::TargetsNotAllowed), "targeted refresh is not allowed"),
            (&three, true, &SETTINGS, Err(WhyFull::Threshold), "as many targets as the threshold"),
            (&asked, true, &SETTINGS, Err(WhyFull::Asked), "somebody asked for all"),
            (&doubtful, true, &SETTINGS, Err(WhyFull::Doubt), "something could not be read"),
            (&nothing, true, &SETTINGS, Ok(0), "nothing waits"),
        ] {
            let found = match scope(work, ever, settings) {
                Scope::Full(reason) => Err(reason),
                Scope::Targeted(targets) => Ok(targets.distinct()),
            };
            assert_eq!(found, expected, "{why}");
        }
    }

    #[test]
    fn some_targets_go_ahead_of_a_full_refresh_that_must_wait() {
        let only_full = RefreshSettings { allow_targeted_refresh: false, ..SETTINGS };
        let both = [work(false, &["a"]), work(true, &[]), work(false, &["b"])];
        let large = [work(false, &["a", "b", "c"]), work(true, &[])];
        let many = [work(false, &["a", "b"]), work(false, &["b"]), work(false, &["c"]), work(false, &["a"])];
        let count = |work: &[_], ever, settings| ahead_of_full(work, ever, settings).len();
        assert_eq!(count(&both, true, &SETTINGS), 2);
        assert_eq!(count(&both, false, &SETTINGS), 0);
        assert_eq!(count(&both, true, &only_full), 0);
        assert_eq!(count(&large, true, &SETTINGS), 1, "a row is not taken apart");
        assert_eq!(count(&many, true, &SETTINGS), 2, "three targets would be as many as the threshold");
        assert_eq!(count(&both[1..2], true, &SETTINGS), 0);
        let doubtful = [RefreshWork { doubt: true, ..work(false, &[]) }, work(false, &["a"])];
        assert_eq!(ahead_of_full(&doubtful, true, &SETTINGS), [doubtful[1].clone()]);
    }

    #[test]
    fn what_waits_is_enough_at_the_threshold_and_the_plan_is_that_of_all_of_it() {
        let many = [work(false, &["a", "b"]), work(false, &["b"]), work(false, &["c"]), work(false, &["d"])];
        let mut enough = enough(&SETTINGS);
        let seen = many.iter().position(&mut enough).unwrap() + 1;
        assert_eq!(seen, 3);
        assert_eq!(scope(&many[..seen], true, &SETTINGS), scope(&many, true, &SETTINGS));
        let ahead = |work: &[RefreshWork]| ahead_of_full(work, true, &SETTINGS);
        assert_eq!(ahead(&many[..seen]), ahead(&many));
        let all = work(true, &["a", "b", "c"]);
        assert!(!super::enough(&SETTINGS)(&all), "what goes ahead of it is behind it");
        let only_full = RefreshSettings { allow_targeted_refresh: false, ..SETTINGS };
        assert_eq!(most_rows(false, &SETTINGS), 1, "the first is in full, whatever waits");
        assert_eq!(most_rows(true, &only_full), 1);
    }

    #[test]
    fn full_refreshes_that_nobody_asked_for_take_a_tenth_of_the_time_at_most() {
        let seconds = |since, took| Some((Duration::from_secs(since), Duration::from_secs(took)));
        assert_eq!(until_escalation(None), Duration::ZERO);
        assert_eq!(until_escalation(seconds(99, 10)), Duration::from_secs(1));
        assert_eq!(until_escalation(seconds(100, 10)), Duration::ZERO);
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
