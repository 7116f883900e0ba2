//! Brings together what the process knows of each EMS and how it stands in the VMDB.

use super::status::{ActorStatus, EmsStatus, GapStatus};
use crate::observe::{ActorFigures, ActorKind, EmsFigures, Observe};
use crate::vmdb::gaps::StoredGap;
use crate::vmdb::standing::EmsStanding;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The process's figures, looked up by EMS.
struct Figures {
    ems: HashMap<String, Arc<EmsFigures>>,
    actors: HashMap<(ActorKind, String), Arc<ActorFigures>>,
}

impl Figures {
    fn of(observe: &Observe) -> Self {
        let actors =
            observe.actors().into_iter().filter_map(|(kind, ems, figures)| Some(((kind, ems?), figures)));
        Self { ems: observe.all_ems().into_iter().collect(), actors: actors.collect() }
    }

    fn actor(&self, kind: ActorKind, ems: &str) -> Option<&ActorFigures> {
        self.actors.get(&(kind, ems.to_owned())).map(|figures| &**figures)
    }
}

/// Every EMS that either knows, by name.
pub(super) fn all_ems(standing: &[EmsStanding], observe: &Observe, now: DateTime<Utc>) -> Vec<EmsStatus> {
    let figures = Figures::of(observe);
    let stored: HashMap<&str, &EmsStanding> = standing.iter().map(|ems| (&*ems.ems.name, ems)).collect();
    let caught = figures.actors.keys().filter(|(kind, _)| *kind == ActorKind::EventCatcher);
    let names: BTreeSet<&str> = stored.keys().copied().chain(caught.map(|(_, name)| &**name)).collect();
    names.into_iter().map(|name| ems(name, stored.get(name).copied(), &figures, now)).collect()
}

fn ems(name: &str, stored: Option<&EmsStanding>, figures: &Figures, now: DateTime<Utc>) -> EmsStatus {
    let own = figures.ems.get(name);
    let catcher = figures.actor(ActorKind::EventCatcher, name);
    let row = stored.map(|stored| &stored.ems);
    let minutes = own.map(|own| own.rate.last_hour(now).to_vec()).unwrap_or_default();
    let street = [ActorKind::EventCatcher, ActorKind::Stream, ActorKind::Parser];
    let lag = own.map(|own| own.lag.get()).filter(|(count, ..)| *count > 0);
    EmsStatus {
        id: row.map(|row| row.id.0),
        name: name.to_owned(),
        class_name: row.map(|row| row.class_name.clone()).unwrap_or_default(),
        state: state(stored, catcher),
        error: catcher.and_then(ActorFigures::error),
        last_event_on: own.and_then(|own| own.last_event()),
        last_poll_on: own.and_then(|own| own.last_poll()),
        lag_seconds: lag.map(|(_, _, last)| last),
        events_total: own.map(|own| own.events.load(Relaxed)).unwrap_or_default(),
        events_per_second: own.map(|own| own.rate.per_second(now)).unwrap_or_default(),
        events_of_minutes: if minutes.iter().any(|count| *count > 0) { minutes } else { Vec::new() },
        usual_events_per_second: own.and_then(|own| own.usual()).map(|usual| usual.per_second()),
        silence_ratio: own.and_then(|own| own.silence_ratio(now)),
        restarts: street
            .iter()
            .filter_map(|kind| figures.actor(*kind, name))
            .map(ActorFigures::restarts)
            .sum(),
        in_flight: figures
            .actor(ActorKind::Stream, name)
            .map(|stream| stream.in_flight.load(Relaxed))
            .unwrap_or(0),
        waiting_work: stored.map(|stored| stored.waiting_work).unwrap_or_default(),
        refresh_state: figures
            .actor(ActorKind::RefreshWorker, name)
            .map(|worker| worker.state().label().into()),
        last_refresh_on: row.and_then(|row| row.last_refresh_date),
        last_refresh_error: row.and_then(|row| row.last_refresh_error.clone()),
        dead_letters: stored.map(|stored| stored.dead_letters).unwrap_or_default(),
        gaps: stored.map(|stored| stored.gaps).unwrap_or_default(),
        last_gap: stored.and_then(|stored| stored.last_gap.as_ref()).map(gap),
    }
}

/// Whoever is paused or not enabled is so on purpose, whatever its last event catcher came to.
fn state(stored: Option<&EmsStanding>, catcher: Option<&ActorFigures>) -> Cow<'static, str> {
    let word = match (stored, catcher) {
        (Some(stored), _) if stored.ems.paused => "paused",
        (Some(stored), _) if !stored.ems.enabled => "not_enabled",
        (_, Some(catcher)) => catcher.state().label(),
        (_, None) => "elsewhere",
    };
    word.into()
}

fn gap(stored: &StoredGap) -> GapStatus {
    GapStatus {
        from: stored.gap.from,
        to: stored.gap.to,
        reason: stored.gap.reason.clone(),
        noticed_on: stored.created_on,
    }
}

/// Every actor, by kind and EMS.
pub(super) fn actors(observe: &Observe) -> Vec<ActorStatus> {
    let status = |(kind, ems, figures): (ActorKind, Option<String>, Arc<ActorFigures>)| ActorStatus {
        actor: kind.label().into(),
        ems,
        state: figures.state().label().into(),
        generation: figures.generation(),
        in_flight: figures.in_flight.load(Relaxed),
        handled: figures.handled.load(Relaxed),
        failed: figures.failed.load(Relaxed),
        error: figures.error(),
        mailbox_wait_seconds: figures.mailbox_wait.get().2,
    };
    observe.actors().into_iter().map(status).collect()
}
