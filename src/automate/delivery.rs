//! One row of automate's work in one transaction: its events are loaded, their calls run, what was done is kept, and the row
//! goes. A request that the VMDB cannot hold, or that panics, fails alone and never blocks the row.

use super::rule_firing::Fired;
use super::scene::{Asked, Scene};
use super::{Automation, awaiting, chain, policy, rules};
use crate::clock;
use crate::provider::EmsId;
use crate::switchboard::Call;
use crate::vmdb::automate_claim;
use crate::vmdb::automate_work::AutomateWork;
use crate::vmdb::event_actions::{self, ActionState, NewAction};
use crate::vmdb::event_records::{self, EventRecord};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Policy events may raise policy events, but not for ever.
const DEEPEST: usize = 3;

/// What the requests of one row are worked on with.
#[derive(Clone)]
pub struct Delivery {
    /// The automation in force.
    pub automation: Automation,
    /// Whose events ask.
    pub ems_id: EmsId,
    /// Its name.
    pub ems_name: String,
    /// When the row was queued.
    pub requested_on: DateTime<Utc>,
    /// When it is worked on.
    pub now: DateTime<Utc>,
}

/// One event of a delivery.
#[derive(Clone, Copy)]
pub struct EventContext<'a> {
    /// The row's.
    pub delivery: &'a Delivery,
    /// The event.
    pub event: &'a EventRecord,
    /// How many policy events lie between it and the provider's event.
    pub depth: usize,
}

/// What was written, for figures and bells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of `event_actions` by kind and state.
    pub actions: BTreeMap<(&'static str, ActionState), u64>,
    /// Whether refresh work was queued.
    pub refresh: bool,
    /// What rules did, to be told once it is committed.
    pub fired: Fired,
}

impl Written {
    pub(super) fn count(&mut self, kind: &'static str, state: ActionState) {
        *self.actions.entry((kind, state)).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: Self) {
        self.fired.add(other.fired);
        self.refresh |= other.refresh;
        for (what, count) in other.actions {
            *self.actions.entry(what).or_default() += count;
        }
    }
}

impl Delivery {
    /// A row of action for this event, to be filled in.
    pub fn action(
        &self,
        event: &EventRecord,
        kind: &'static str,
        name: String,
        state: ActionState,
    ) -> NewAction {
        NewAction {
            ems_id: self.ems_id,
            event_id: event.id,
            kind,
            name,
            rule: None,
            params: None,
            state,
            reason: None,
            queue_id: None,
            work_id: None,
            requested_on: self.requested_on,
            started_on: self.now,
        }
    }
}

impl EventContext<'_> {
    /// Makes calls of handlers for the event on behalf of a rule, as the switchboard's are made.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn run_calls(
        &self,
        connection: &mut Connection,
        rule: &str,
        calls: Vec<Call>,
    ) -> Result<Written, VmdbError> {
        let mut asked = Asked::new(self.event.clone(), calls);
        asked.rule = Some(rule.to_owned());
        process(connection, self.delivery, &[asked], self.depth)
    }
}

/// Does all that a row asks for and removes it, in one transaction. A row that somebody else has by now is his: nothing is
/// done then.
///
/// # Errors
/// See [`VmdbError`]: nothing has happened then.
pub fn deliver(
    connection: &mut Connection,
    delivery: &Delivery,
    work: &AutomateWork,
) -> Result<Written, VmdbError> {
    connection.transaction(|connection| {
        if !automate_claim::take(connection, work)? {
            return Ok(Written::default());
        }
        let asked = load(connection, work)?;
        let mut written = match guarded(connection, |c| process(c, delivery, &asked, 0))? {
            Ok(written) => written,
            Err(reason) => one_by_one(connection, delivery, &asked, &reason)?,
        };
        match guarded(connection, |connection| chain::complete(connection, delivery, &asked))? {
            Ok(done) => written.add(done),
            Err(reason) => written.add(chain::fail(connection, delivery, &asked, &reason)?),
        }
        fail::fail_point!("automate.end");
        Ok(written)
    })
}

/// Events that were purged meanwhile have nothing done for them.
fn load(connection: &mut Connection, work: &AutomateWork) -> Result<Vec<Asked>, VmdbError> {
    let ids = work.requests.iter().map(|request| request.event_id).collect();
    let mut events = event_records::load(connection, ids)?;
    let asked = work.requests.iter().filter_map(|queued| {
        let mut asked = Asked::new(events.remove(&queued.event_id)?, queued.request.calls.clone());
        asked.rules.clone_from(&queued.request.rules);
        asked.chain = queued.request.chain;
        asked.awaited.clone_from(&queued.awaited);
        Some(asked)
    });
    Ok(asked.collect())
}

/// Does `work` as a part of the transaction; `Ok(Err(…))` when it failed for what it was given, and nothing of it happened.
///
/// # Errors
/// What has nothing to do with what it was given: the VMDB is away, busy, full.
pub(super) fn guarded<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, VmdbError>,
) -> Result<Result<T, String>, VmdbError> {
    let done = connection.savepoint(|connection| {
        // A panic leaves nothing half done: the savepoint is rolled back.
        catch_unwind(AssertUnwindSafe(|| work(connection)))
            .unwrap_or_else(|_| Err(VmdbError::Bug("a panic; see the log for where".to_owned())))
    });
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(error @ (VmdbError::Data(_) | VmdbError::Bug(_))) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Together they failed: each on its own, so that only what is to blame fails.
fn one_by_one(
    connection: &mut Connection,
    delivery: &Delivery,
    asked: &[Asked],
    reason: &str,
) -> Result<Written, VmdbError> {
    let mut written = Written::default();
    for one in asked {
        let alone = match asked {
            [_] => Err(reason.to_owned()),
            _ => guarded(connection, |c| process(c, delivery, std::slice::from_ref(one), 0))?,
        };
        match alone {
            Ok(done) => written.add(done),
            Err(reason) => written.add(fail(connection, delivery, one, &reason)?),
        }
    }
    Ok(written)
}

/// Keeps why nothing of what was asked for an event was done.
pub(super) fn fail(
    connection: &mut Connection,
    delivery: &Delivery,
    asked: &Asked,
    reason: &str,
) -> Result<Written, VmdbError> {
    log::error!("{}: automate for event {}: {reason}", delivery.ems_name, asked.event.id);
    let mut written = Written::default();
    let failed = |kind: &'static str, name: &str| {
        let name = name.replace('\0', "\u{FFFD}");
        let mut action = delivery.action(&asked.event, kind, name, ActionState::Failed);
        action.reason = Some(reason.replace('\0', "\u{FFFD}"));
        action
    };
    if let Some(awaited) = &asked.awaited {
        let why = (reason, awaited.attempts);
        event_actions::update(connection, awaited.action_id, ActionState::Failed, why, delivery.now)?;
        written.count("handler", ActionState::Failed);
    }
    let calls = asked.calls.iter().map(|call| failed("handler", &super::calls::name_of(call)));
    let actions: Vec<_> = calls.chain(asked.rules.iter().map(|rule| failed("rule", rule))).collect();
    event_actions::insert(connection, &actions)?;
    actions.iter().for_each(|action| written.count(action.kind, action.state));
    Ok(written)
}

/// Runs the calls of all these events, then those of the policy events that they raised, and so on.
fn process(
    connection: &mut Connection,
    delivery: &Delivery,
    asked: &[Asked],
    depth: usize,
) -> Result<Written, VmdbError> {
    let mut written = Written::default();
    let mut scene = Scene::open(connection, delivery, asked, depth >= DEEPEST)?;
    for one in asked {
        match &one.awaited {
            Some(awaited) => awaiting::look_again(&mut scene, &one.event, awaited)?,
            None => scene.run(one)?,
        }
    }
    let (prevented, raised) = (std::mem::take(&mut scene.prevented), scene.close(&mut written)?);
    for one in asked.iter().filter(|one| !one.rules.is_empty() && !prevented.contains(&one.event.id)) {
        let context = EventContext { delivery, event: &one.event, depth };
        written.add(rules::fire(connection, &context, &one.rules)?);
    }
    if !raised.is_empty() {
        let next: Vec<_> = raised.into_iter().map(|raised| policy::asked(delivery, raised)).collect();
        written.add(process(connection, delivery, &next, depth + 1)?);
    }
    Ok(written)
}

/// A delivery of this row, now.
pub fn of(work: &AutomateWork, automation: Automation, ems_name: String) -> Delivery {
    let now = clock::now();
    Delivery { automation, ems_id: work.ems_id, ems_name, requested_on: work.requested_on, now }
}
