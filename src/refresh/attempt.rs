//! One refresh: look at what waits, decide what to look at, take a place, claim, collect, save, and say how it ended.
//!
//! The claim is released last, so that a process that dies in between leaves its work to the next.

use super::failure::Failure;
use super::isolate::{self, Thing};
use super::limits::Place;
use super::plan::{self, Scope, WhyFull};
use super::save::Saved;
use super::turns::Turn;
use super::{Refreshing, drift, save, superseded};
use crate::clock;
use crate::observe::RefreshResult;
use crate::provider::{Collector, RefreshScope, TargetCollection};
use crate::vmdb::inventory_history::Because;
use crate::vmdb::refresh_claim;
use crate::vmdb::refresh_outcome::{self, GivenUp, RefreshOutcome};
use crate::vmdb::refresh_work::{self, RefreshWork};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use rand::seq::SliceRandom;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// Rows of `miq_queue` that one full refresh answers.
const MOST_WORK_OF_FULL: i64 = 10_000;
/// A collector that takes longer is started anew.
const COLLECT_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// What the worker brings to a refresh.
pub(super) struct Means {
    /// A place for a full refresh that was waited for.
    pub(super) place: Option<Place>,
    /// Whether a full refresh may be tried, or waits after a failure.
    pub(super) may_refresh_in_full: bool,
    /// Whether one may be made that nobody asked for.
    pub(super) may_escalate: bool,
    /// Whether targets failed so often that they are tried apart.
    pub(super) apart: bool,
}

/// How it went.
pub(super) enum Attempt {
    /// Nothing waits.
    Nothing,
    /// Only a full refresh waits, and it cannot begin now.
    FullWaits,
    /// Only a full refresh waits that nobody asked for, and its turn has not come.
    FullWaitsItsTurn,
    /// What was claimed is done.
    Done(Kind),
    /// It waits again.
    Failed(Kind, Failure),
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Full(WhyFull),
    Targeted,
}

impl Kind {
    const fn label(self) -> &'static str {
        match self {
            Self::Full(_) => "full",
            Self::Targeted => "targeted",
        }
    }
}

/// One refresh of what waits.
///
/// # Errors
/// When it is not even known what waits.
pub(super) async fn attempt(refreshing: &Refreshing, means: Means) -> Result<Attempt, Failure> {
    let (ems_id, owner) = (refreshing.ems.id, refreshing.owner);
    let turn = refreshing.turns.next(ems_id).await;
    let settings = refreshing.settings.clone();
    let (work, ever) = refreshing
        .vmdb
        .read(move |connection| {
            let ever = refresh_outcome::last_full_refresh(connection, ems_id)?.is_some();
            let (most, enough) = (plan::most_rows(ever, &settings), plan::enough(&settings));
            let work = refresh_claim::waiting_until(connection, ems_id, owner, most, enough)?;
            Ok((work, ever))
        })
        .await?;
    if work.is_empty() {
        return Ok(Attempt::Nothing);
    }
    let mut waits_its_turn = false;
    let rows = match plan::scope(&work, ever, &refreshing.settings) {
        Scope::Targeted(_) => work,
        Scope::Full(why) => {
            let may = means.may_refresh_in_full && (means.may_escalate || !why.is_escalation());
            let place = if may { means.place.or_else(|| refreshing.limits.try_full()) } else { None };
            match place {
                Some(place) => return full((refreshing, turn), why, place, ever).await,
                None => {
                    waits_its_turn = why.is_escalation() && !means.may_escalate;
                    plan::ahead_of_full(&work, ever, &refreshing.settings)
                }
            }
        }
    };
    if rows.is_empty() {
        return Ok(if waits_its_turn { Attempt::FullWaitsItsTurn } else { Attempt::FullWaits });
    }
    let _place = refreshing.limits.targeted().await;
    let ids: Vec<i64> = rows.iter().map(|work| work.id).collect();
    // As urgent as saving: behind the saves of other EMSs' full refreshes it would never get its turn.
    let claim = move |connection: &mut _| refresh_work::claim_rows(connection, ems_id, owner, ids);
    let work = refreshing.vmdb.save(claim).await?;
    fail::fail_point!("refresh.claimed");
    let run = Run::new((refreshing, turn), Kind::Targeted, Some(Because::of(&work)));
    run.targeted(work, means.apart).await
}

async fn full(
    (refreshing, turn): (&Refreshing, Turn),
    why: WhyFull,
    _place: Place,
    ever: bool,
) -> Result<Attempt, Failure> {
    let work = claim_all(refreshing).await?;
    fail::fail_point!("refresh.claimed");
    let run = Run::new((refreshing, turn), Kind::Full(why), ever.then(|| Because::of(&work)));
    if why == WhyFull::Threshold {
        refreshing.observe.ems(&refreshing.ems.name).escalated();
        log::debug!("{}: so many targets wait that all is refreshed", refreshing.ems.name);
    }
    let done = run.refresh(&RefreshScope::Full).await;
    if let (true, Ok(saved)) = (ever, &done) {
        drift::count(refreshing, work.clone(), saved.by_association.clone()).await;
    }
    run.ended(work, done.map(drop)).await
}

/// Claims whatever waits, so much at once that nobody waits for long.
async fn claim_all(refreshing: &Refreshing) -> Result<Vec<RefreshWork>, Failure> {
    let (ems_id, owner, vmdb) = (refreshing.ems.id, refreshing.owner, &refreshing.vmdb);
    let slices = vmdb
        .read(move |connection| refresh_claim::slices_of_all(connection, ems_id, owner, MOST_WORK_OF_FULL))
        .await?;
    let mut work = Vec::new();
    for ids in slices {
        let claimed =
            vmdb.save(move |connection| refresh_claim::claim_slice(connection, ems_id, owner, ids)).await?;
        work.extend(vmdb.read(move |connection| refresh_claim::counted(connection, claimed)).await?);
    }
    Ok(work)
}

/// A refresh that has claimed its work.
struct Run<'a> {
    refreshing: &'a Refreshing,
    turn: Turn,
    kind: Kind,
    started_on: DateTime<Utc>,
    started: Instant,
    /// What its changes are told by; the first full refresh tells none.
    because: Option<Because>,
}

impl<'a> Run<'a> {
    fn new((refreshing, turn): (&'a Refreshing, Turn), kind: Kind, because: Option<Because>) -> Self {
        Self { refreshing, turn, kind, started_on: clock::now(), started: Instant::now(), because }
    }

    async fn targeted(&self, work: Vec<RefreshWork>, apart: bool) -> Result<Attempt, Failure> {
        let targets = superseded::distinct(work.iter().flat_map(|work| work.requests.iter().cloned()));
        let mut things = superseded::by_thing(&targets);
        if !apart || things.len() < 2 {
            let done = self.refresh(&RefreshScope::Targeted(targets)).await.map(drop);
            return self.ended(work, done).await;
        }
        // In another order each time, so that some bad ones side by side are not taken for a provider that is unwell.
        things.shuffle(&mut rand::rng());
        let refresh = async |part: Vec<Thing>| {
            let targets = TargetCollection::new(part.into_iter().flatten().collect());
            self.refresh(&RefreshScope::Targeted(targets)).await.map(drop)
        };
        match isolate::refresh_apart(things, refresh).await {
            Ok(bad) if bad.is_empty() => self.ended(work, Ok(())).await,
            Ok(bad) => self.give_up(work, &bad).await,
            Err(failure) => self.ended(work, Err(failure)).await,
        }
    }

    /// Collects and saves. A collector that panics has failed.
    async fn refresh(&self, scope: &RefreshScope) -> Result<Saved, Failure> {
        let refresh = AssertUnwindSafe(self.collect_and_save(scope)).catch_unwind().await;
        refresh.unwrap_or_else(|_| Err(Failure::new("the refresh panicked; see the log for where", None)))
    }

    async fn collect_and_save(&self, scope: &RefreshScope) -> Result<Saved, Failure> {
        let Refreshing { ems, provider, vmdb, .. } = self.refreshing;
        let mut collector: Box<dyn Collector> =
            provider.collector(ems).map_err(|error| Failure::new(error, None))?.ok_or_else(|| {
                Failure::new(format!("provider {} has no collector", provider.ems_type()), None)
            })?;
        let collected = tokio::time::timeout(COLLECT_DEADLINE, collector.collect(scope)).await;
        let late = |_| Failure::new("the provider took too long to tell its inventory", None);
        let inventory = collected.map_err(late)??;
        fail::fail_point!("refresh.collected");
        let saved = save::save(vmdb, (&self.turn, self.because.clone()), &mut *collector, inventory).await?;
        fail::fail_point!("refresh.saved");
        let written = saved.total().written();
        // A full refresh is news; targeted ones come with every event.
        let (level, targets) = match scope {
            RefreshScope::Full => (log::Level::Info, 0),
            RefreshScope::Targeted(targets) => (log::Level::Debug, targets.distinct()),
        };
        log::log!(
            level,
            "{}: {} refresh, {targets} targets, {written} rows written, {:.0?}",
            ems.name,
            self.kind.label(),
            self.started.elapsed()
        );
        Ok(saved)
    }

    fn outcome(&self, error: Option<String>) -> RefreshOutcome {
        RefreshOutcome { full: self.kind != Kind::Targeted, started_on: self.started_on, error }
    }

    /// Keeps how it ended, with the work that it was for.
    async fn ended(&self, work: Vec<RefreshWork>, done: Result<(), Failure>) -> Result<Attempt, Failure> {
        let (ems_id, vmdb) = (self.refreshing.ems.id, &self.refreshing.vmdb);
        match done {
            Ok(()) => {
                let (outcome, requested) = (self.outcome(None), requested(&work));
                for part in refresh_claim::parts(work) {
                    let outcome = outcome.clone();
                    vmdb.save(move |connection| {
                        refresh_outcome::refresh_succeeded(connection, ems_id, &part, &outcome)
                    })
                    .await?;
                }
                fail::fail_point!("refresh.done");
                self.count_done(&requested);
                Ok(Attempt::Done(self.kind))
            }
            Err(failure) => {
                self.count(RefreshResult::Failed);
                let outcome = self.outcome(Some(failure.message.clone()));
                for part in refresh_claim::parts(work) {
                    let outcome = outcome.clone();
                    vmdb.save(move |connection| {
                        refresh_outcome::refresh_failed(connection, ems_id, &part, &outcome)
                    })
                    .await?;
                }
                Ok(Attempt::Failed(self.kind, failure))
            }
        }
    }

    /// All but these things is done. The rows that ask for one of them stay, in state `error`; the next full refresh answers
    /// them too.
    async fn give_up(&self, work: Vec<RefreshWork>, bad: &[(Thing, Failure)]) -> Result<Attempt, Failure> {
        let name = &self.refreshing.ems.name;
        for (thing, failure) in bad {
            let target = thing.first().map(|request| &request.target);
            log::error!(
                "{name}: {} is given up until the next full refresh, or `catchall queue retry`: {}",
                target.map(describe).unwrap_or_default(),
                failure.message
            );
        }
        let failure_of = |work: &RefreshWork| {
            let asks = |thing: &Thing| {
                let same = |target: &crate::provider::Target| {
                    thing.iter().any(|bad| {
                        bad.target.association == target.association
                            && bad.target.manager_ref == target.manager_ref
                    })
                };
                work.requests.iter().filter(|request| same(&request.target)).cloned().collect::<Vec<_>>()
            };
            let asked: Vec<_> = bad.iter().map(|(thing, failure)| (asks(thing), failure)).collect();
            let error =
                asked.iter().find(|(requests, _)| !requests.is_empty()).map(|(_, f)| f.message.clone());
            (asked.into_iter().flat_map(|(requests, _)| requests).collect::<Vec<_>>(), error)
        };
        let (mut done, mut given_up) = (Vec::new(), Vec::new());
        for work in work {
            match failure_of(&work) {
                (requests, Some(error)) => given_up.push(GivenUp { work, requests, error }),
                (_, None) => done.push(work),
            }
        }
        let (ems_id, started_on) = (self.refreshing.ems.id, self.started_on);
        let (outcome, requested) = (self.outcome(None), requested(&done));
        let end = move |connection: &mut _| {
            refresh_outcome::refresh_succeeded(connection, ems_id, &done, &outcome)?;
            refresh_outcome::give_up(connection, ems_id, &given_up, started_on)
        };
        self.refreshing.vmdb.save(end).await?;
        self.count(RefreshResult::Failed);
        self.count_done(&requested);
        Ok(Attempt::Done(self.kind))
    }

    fn count(&self, result: RefreshResult) {
        self.refreshing.observe.ems(&self.refreshing.ems.name).refresh_ended(self.kind.label(), result);
    }

    fn count_done(&self, requested: &[(DateTime<Utc>, usize)]) {
        self.count(RefreshResult::Done);
        let figures = self.refreshing.observe.ems(&self.refreshing.ems.name);
        requested.iter().for_each(|(on, targets)| figures.refreshed(*on, *targets, clock::now()));
    }
}

/// When each work was asked for, and for how many targets.
fn requested(work: &[RefreshWork]) -> Vec<(DateTime<Utc>, usize)> {
    work.iter().map(|work| (work.requested_on, work.targets)).collect()
}

fn describe(target: &crate::provider::Target) -> String {
    let reference = target.manager_ref.iter().map(|(name, value)| format!("{name} {value}"));
    format!("{} {}", target.association, reference.collect::<Vec<_>>().join(", "))
}
