//! Bounds the series of `/metrics`: EMSs beyond the first so many are shown as one, `other`, whose counts are theirs together.
//! An age or a lag of many together would say nothing, so they have none.

use super::actor::ActorFigures;
use super::counts::OTHER;
use super::ems::EmsFigures;
use super::figures::ActorEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// So many EMSs have series of their own.
pub(super) const MOST_EMS: usize = 2000;

/// Every EMS that has series of its own, and the others as one.
pub(super) fn ems(all: Vec<(String, Arc<EmsFigures>)>, most: usize) -> Vec<(String, Arc<EmsFigures>)> {
    if all.len() <= most {
        return all;
    }
    let (mut kept, other) = (Vec::with_capacity(most + 1), EmsFigures::default());
    for (name, figures) in all {
        if kept.len() < most && name != OTHER { kept.push((name, figures)) } else { other.absorb(&figures) }
    }
    kept.push((OTHER.to_owned(), Arc::new(other)));
    kept
}

/// The actors of the EMSs that have series of their own, and those of the others as one of each kind, in the worst state of
/// them.
pub(super) fn actors(
    all: Vec<ActorEntry>,
    kept: &[(String, Arc<EmsFigures>)],
    most: usize,
) -> Vec<ActorEntry> {
    if kept.len() <= most {
        return all;
    }
    let names: BTreeSet<&str> = kept.iter().map(|(name, _)| &**name).filter(|name| *name != OTHER).collect();
    let (own, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, ems, _)| ems.as_deref().is_none_or(|ems| names.contains(ems)));
    let mut folded: BTreeMap<_, ActorFigures> = BTreeMap::new();
    for (kind, _, figures) in others {
        folded.entry(kind).or_default().absorb(&figures);
    }
    let folded = folded.into_iter().map(|(kind, figures)| (kind, Some(OTHER.to_owned()), Arc::new(figures)));
    own.into_iter().chain(folded).collect()
}

impl EmsFigures {
    /// Adds the counts of another.
    fn absorb(&self, other: &Self) {
        let pairs = [
            (&self.events, &other.events),
            (&self.folded_events, &other.folded_events),
            (&self.duplicates, &other.duplicates),
            (&self.dead_letters, &other.dead_letters),
            (&self.gaps, &other.gaps),
            (&self.refresh_calls_without_work, &other.refresh_calls_without_work),
            (&self.escalations, &other.escalations),
            (&self.refresh_targets, &other.refresh_targets),
            (&self.refresh_targets_in_time, &other.refresh_targets_in_time),
        ];
        for (sum, count) in pairs {
            sum.fetch_add(count.load(Relaxed), Relaxed);
        }
        self.refreshes.absorb(&other.refreshes);
        self.actions.absorb(&other.actions);
        self.drift.absorb(&other.drift);
        self.filtered.absorb(&other.filtered);
        self.committed.absorb(&other.committed);
        self.refreshed.absorb(&other.refreshed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{ActorKind, ActorState, Observe};

    #[test]
    fn emss_beyond_the_limit_are_one_and_nothing_that_is_counted_is_lost() {
        let observe = Observe::default();
        for (name, events) in [("a", 1), ("b", 2), ("c", 4), (OTHER, 8)] {
            let ems = observe.ems(name);
            ems.events.fetch_add(events, Relaxed);
            ems.filtered("ping", events);
            observe.actor(ActorKind::Stream, Some(name)).set_state(ActorState::Running);
        }
        observe.actor(ActorKind::Stream, Some("c")).set_failed_state(ActorState::Refused, "no");
        let folded = ems(observe.all_ems(), 2);
        let events = folded.iter().map(|(name, ems)| (&**name, ems.events.load(Relaxed)));
        assert_eq!(events.collect::<Vec<_>>(), [("a", 1), ("b", 2), (OTHER, 12)]);
        assert_eq!(folded[2].1.filtered_by_reason(), [("ping".to_owned(), 12)]);
        let states =
            actors(observe.actors(), &folded, 2).into_iter().map(|(_, ems, figures)| (ems, figures.state()));
        let expected = [("a", ActorState::Running), ("b", ActorState::Running), (OTHER, ActorState::Refused)];
        assert_eq!(states.collect::<Vec<_>>(), expected.map(|(ems, state)| (Some(ems.to_owned()), state)));
        assert_eq!(ems(observe.all_ems(), 4).len(), 4, "within the limit each has its own");
    }
}
