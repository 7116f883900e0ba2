//! The calls of some events side by side: each is run in its turn, and what they write is written together.

use super::calls::{self, Ended};
use super::delivery::{Delivery, Written};
use super::policy::Raised;
use crate::switchboard::Call;
use crate::vmdb::automate_work::AwaitedRefresh;
use crate::vmdb::event_actions::{self, ActionState, NewAction};
use crate::vmdb::event_records::EventRecord;
use crate::vmdb::policy_events::{self, VmLinks};
use crate::vmdb::refresh_request::RefreshRequest;
use crate::vmdb::{Connection, VmdbError, miq_tasks};
use std::collections::{HashMap, HashSet};

/// An event and what it asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) event: EventRecord,
    pub(super) calls: Vec<Call>,
    pub(super) rules: Vec<String>,
    /// The rule that makes the calls.
    pub(super) rule: Option<String>,
    pub(super) chain: bool,
    pub(super) awaited: Option<AwaitedRefresh>,
}

impl Asked {
    pub(super) fn new(event: EventRecord, calls: Vec<Call>) -> Self {
        Self { event, calls, rules: Vec::new(), rule: None, chain: false, awaited: None }
    }
}

/// What the calls work on, and what they have written so far.
pub(super) struct Scene<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) delivery: &'a Delivery,
    /// What the VMs lead to, as far as calls ask.
    pub(super) links: HashMap<i64, VmLinks>,
    /// First events of chains, by `chain_id`.
    pub(super) first_of_chain: HashMap<i64, Option<EventRecord>>,
    /// Whether policy events end here.
    pub(super) deepest: bool,
    pub(super) refresh: RefreshRequest,
    /// Events of which a policy prevented the rest.
    pub(super) prevented: HashSet<i64>,
    /// Whether somebody follows the refresh.
    pub(super) followed: bool,
    actions: Vec<NewAction>,
    /// Policy events, with the place of their action and the event that they came from.
    raised: Vec<(Raised, usize)>,
}

impl<'a> Scene<'a> {
    pub(super) fn open(
        connection: &'a mut Connection,
        delivery: &'a Delivery,
        asked: &[Asked],
        deepest: bool,
    ) -> Result<Self, VmdbError> {
        let has_source = |call: &Call| call.params.get("param").is_some_and(|param| !param.trim().is_empty());
        let with_source = asked.iter().filter(|one| one.calls.iter().any(has_source));
        let vms = with_source.flat_map(|one| {
            let vm = |name| one.event.related.get(name).copied();
            [vm("vm_or_template"), vm("dest_vm_or_template")].into_iter().flatten()
        });
        let links = policy_events::vm_links(connection, vms.collect())?;
        Ok(Self {
            connection,
            delivery,
            links,
            first_of_chain: HashMap::new(),
            deepest,
            refresh: RefreshRequest::new(delivery.ems_id),
            prevented: HashSet::new(),
            followed: false,
            actions: Vec::new(),
            raised: Vec::new(),
        })
    }

    /// Runs the calls of one event in order.
    pub(super) fn run(&mut self, asked: &Asked) -> Result<(), VmdbError> {
        let mut ended: Option<&str> = None;
        for (number, call) in asked.calls.iter().enumerate() {
            let done = match ended {
                Some(reason) => Ended::skipped(reason),
                None => self.guarded_call(&asked.event, call, (asked.rule.as_deref(), number))?,
            };
            if done.prevents {
                self.prevented.insert(asked.event.id);
                ended = ended.or(Some("a policy prevented what comes after check_policy_prevent"));
            }
            if done.state == ActionState::Failed && self.delivery.automation.abort_on_error {
                ended = ended.or(Some("a handler before it failed, and automate.abort_on_error is set"));
            }
            self.keep(&asked.event, call, asked.rule.as_deref(), done);
        }
        Ok(())
    }

    /// What a call does is undone when it fails, in the VMDB too; most only add to what is written at the end.
    fn guarded_call(
        &mut self,
        event: &EventRecord,
        call: &Call,
        place: (Option<&str>, usize),
    ) -> Result<Ended, VmdbError> {
        if let Some(reason) = calls::unfit(call) {
            return Ok(Ended::failed(reason));
        }
        if calls::is_harmless(call) {
            return self.caught(|scene| calls::run(scene, event, call, place));
        }
        self.connection.batch("SAVEPOINT call")?;
        match self.caught(|scene| calls::run(scene, event, call, place)) {
            Ok(done) if !done.panicked => self.connection.batch("RELEASE SAVEPOINT call").map(|()| done),
            Ok(panicked) => self.undo_call().map(|()| panicked),
            Err(error @ (VmdbError::Data(_) | VmdbError::Bug(_))) => {
                self.undo_call().map(|()| Ended::failed(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    fn undo_call(&mut self) -> Result<(), VmdbError> {
        self.connection.batch("ROLLBACK TO SAVEPOINT call; RELEASE SAVEPOINT call")
    }

    /// What `work` has added to the scene is forgotten when it fails; a panic is a call that failed.
    fn caught(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Ended, VmdbError>,
    ) -> Result<Ended, VmdbError> {
        let before = (self.refresh.len(), self.actions.len(), self.raised.len(), self.followed);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(self)));
        let done = done.unwrap_or_else(|_| Ok(Ended::panicked()));
        if !matches!(&done, Ok(done) if !done.panicked) {
            self.refresh.truncate(before.0);
            self.actions.truncate(before.1);
            self.raised.truncate(before.2);
            self.followed = before.3;
        }
        done
    }

    /// Keeps what a call came to.
    pub(super) fn keep(&mut self, event: &EventRecord, call: &Call, rule: Option<&str>, done: Ended) {
        if done.is_kept {
            return;
        }
        let mut action = self.delivery.action(
            event,
            "handler",
            calls::name_of(call).replace('\0', "\u{FFFD}"),
            done.state,
        );
        action.rule = rule.map(str::to_owned);
        action.params = params(call, None);
        action.reason = done.reason.map(|reason| reason.replace('\0', "\u{FFFD}"));
        action.queue_id = done.queue_id;
        action.work_id = done.work_id;
        if let Some(raised) = done.raised {
            self.raised.push((*raised, self.actions.len()));
        }
        self.actions.push(action);
    }

    /// Writes what was kept; the policy events that there are now.
    pub(super) fn close(mut self, written: &mut Written) -> Result<Vec<EventRecord>, VmdbError> {
        let work_id = self.refresh.work_id();
        if !self.refresh.is_empty() {
            written.refresh = true;
            self.refresh.put(self.connection)?;
            if self.followed {
                miq_tasks::put(self.connection, self.delivery.ems_id, &self.delivery.ems_name, work_id)?;
            }
        }
        let events: Vec<_> = self.raised.iter().map(|(raised, _)| raised.new.clone()).collect();
        let ids = policy_events::insert(self.connection, &events)?;
        let mut records = Vec::with_capacity(events.len());
        for (raised, place) in self.raised {
            let id = ids.get(&raised.new.event_uid).copied();
            let id = id.ok_or_else(|| VmdbError::Bug("a policy event came back altered".to_owned()))?;
            self.actions[place].params = params(&raised.call, Some(id));
            records.push(raised.record(id));
        }
        event_actions::insert(self.connection, &self.actions)?;
        self.actions.iter().for_each(|action| written.count(action.kind, action.state));
        Ok(records)
    }
}

/// A call's parameters as JSON, with the policy event that came of it.
fn params(call: &Call, policy_event_id: Option<i64>) -> Option<String> {
    let pairs = call.params.iter().map(|(key, value)| (key.clone(), value.clone().into()));
    let mut all: serde_json::Map<String, serde_json::Value> = pairs.collect();
    if let Some(id) = policy_event_id {
        all.insert("miq_event_id".to_owned(), id.into());
    }
    (!all.is_empty()).then(|| serde_json::Value::Object(all).to_string())
}

#[cfg(test)]
mod tests;
