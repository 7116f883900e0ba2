//! The commit: events, dead letters, cursors and the work that follows, in one transaction.

use super::automate_work::{self, AutomateRequest, QueuedRequest};
use super::dialect::Connection;
use super::event_rows::{self, EventRow};
use super::folded_events::{Fold, FoldedRow, Taker};
use super::gaps::{self, NewGap};
use super::refresh_work::{self, NewWork, QueuedTarget};
use super::statement::Value;
use super::{VmdbError, cursors, dead_letters, event_links, folded_events, relate};
use crate::clock;
use crate::provider::{Cursor, EmsId, Gap, ParsedEvent, Target, TargetRequest};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What one EMS wants committed.
#[derive(Clone, Debug)]
pub struct ReadyBatch {
    /// Whose.
    pub ems_id: EmsId,
    /// In provider order.
    pub events: Vec<ReadyEvent>,
    /// What could not become an event.
    pub dead_letters: Vec<DeadLetter>,
    /// Where its stream goes on.
    pub cursor: Option<Cursor>,
    /// A loss to record; it asks for a full refresh too.
    pub gap: Option<Gap>,
    /// Whether its EMS is refreshed at all: else gaps and dead letters ask for nothing.
    pub is_refreshed: bool,
    /// Rows of `miq_queue` (queue `ems`) that this batch answers; removed in the same transaction.
    pub delivered: Vec<i64>,
}

/// An event with what follows from it, should it be new.
#[derive(Clone, Debug)]
pub struct ReadyEvent {
    /// The event.
    pub event: ParsedEvent,
    /// Its refresh.
    pub work: Work,
    /// What automate does for it.
    pub automate: AutomateRequest,
    /// The `event_uid` of the event whose row takes it, should flood control have found it to be a repeat. If there is
    /// no such row, it becomes its own. What automate does is not done for what is folded; its refresh is.
    pub folded_into: Option<String>,
}

impl ReadyEvent {
    /// An event for which automate has nothing to do.
    pub fn new(event: ParsedEvent, work: Work) -> Self {
        Self { event, work, automate: AutomateRequest::default(), folded_into: None }
    }
}

/// What follows from a new event.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Nothing.
    None,
    /// A refresh of these.
    Refresh(Vec<Target>),
    /// A refresh of the whole EMS.
    FullRefresh,
}

/// A native event that could not become a row of `event_streams`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Identifies it within the EMS, so that re-reading does not count it again: `sha256:` of the text, and of the
    /// transport's id where there is one.
    pub event_uid: String,
    /// The transport's id of the message (SQS `MessageId`), which may be all that identifies the event in it.
    pub transport_id: Option<String>,
    /// The provider's text.
    pub native: String,
    /// Why.
    pub reason: String,
}

/// What a commit did for one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchOutcome {
    /// Rows of `event_streams` that were new.
    pub new_events: u64,
    /// Rows of `folded_events` that were new.
    pub folded_events: u64,
    /// Events that were rows already, of either table.
    pub duplicates: u64,
    /// Rows of `dead_letters` that were new.
    pub dead_letters: u64,
    /// Rows of `event_gaps` that were new.
    pub gaps: u64,
    /// Whether refresh work was queued: ring the EMS's refresh worker.
    pub work: bool,
    /// Whether automate has work: ring its worker.
    pub automate: bool,
    /// The `timestamp` of each new event, those that were folded among them.
    pub timestamps: Vec<DateTime<Utc>>,
}

impl ReadyBatch {
    /// An empty batch of this EMS.
    pub fn of(ems_id: EmsId) -> Self {
        Self {
            ems_id,
            events: Vec::new(),
            dead_letters: Vec::new(),
            cursor: None,
            gap: None,
            is_refreshed: true,
            delivered: Vec::new(),
        }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0 && self.cursor.is_none() && self.gap.is_none() && self.delivered.is_empty()
    }

    /// Rows of events and dead letters.
    pub fn rows(&self) -> usize {
        self.events.len() + self.dead_letters.len()
    }

    /// About how many bytes they hold.
    pub fn bytes(&self) -> usize {
        let events = self.events.iter().map(|ready| ready.event.event.full_data.text().len());
        events.chain(self.dead_letters.iter().map(|letter| letter.native.len())).sum()
    }
}

impl BatchOutcome {
    /// Together with what another part of the same batch did.
    pub fn add(&mut self, other: Self) {
        self.new_events += other.new_events;
        self.folded_events += other.folded_events;
        self.duplicates += other.duplicates;
        self.dead_letters += other.dead_letters;
        self.gaps += other.gaps;
        self.work |= other.work;
        self.automate |= other.automate;
        self.timestamps.extend(other.timestamps);
    }
}

/// Commits batches of any EMSs in one transaction: all of it, or nothing. Returns what it did for each batch.
///
/// Committing the same batch again changes nothing, so a commit whose answer was lost is simply repeated.
///
/// # Errors
/// See [`VmdbError`]; [`VmdbError::Data`] means that one of the rows cannot be stored: split the batches and try again.
pub fn commit(connection: &mut Connection, batches: &[ReadyBatch]) -> Result<Vec<BatchOutcome>, VmdbError> {
    connection.transaction(|connection| {
        let cursors =
            batches.iter().filter_map(|batch| Some((batch.ems_id, batch.cursor.as_ref()?))).collect();
        fail::fail_point!("commit.begin");
        // Before the cursors: whether a gap is known shows at the cursor that was.
        let gaps = gaps::store(connection, &new_gaps(batches))?;
        cursors::store(connection, &cursors)?;
        let letters: Vec<_> = pairs(batches, |batch| batch.dead_letters.iter());
        let mut new_letters = dead_letters::store(connection, &letters)?;
        let refreshed: BTreeSet<_> =
            batches.iter().filter(|batch| batch.is_refreshed).map(|batch| batch.ems_id).collect();
        let work = WorkOfCommit::new(
            gaps.intersection(&refreshed).copied(),
            new_letters.keys().copied().filter(|ems_id| refreshed.contains(ems_id)),
        );
        let mut outcomes = store_events(connection, batches, work)?;
        let delivered: Vec<_> = batches.iter().flat_map(|batch| batch.delivered.iter().copied()).collect();
        if !delivered.is_empty() {
            connection.execute("DELETE FROM miq_queue WHERE id ?", &[Value::Integers(delivered)])?;
        }
        for (batch, outcome) in batches.iter().zip(&mut outcomes) {
            outcome.gaps = u64::from(batch.gap.is_some() && gaps.contains(&batch.ems_id));
            if !batch.dead_letters.is_empty() {
                outcome.dead_letters = new_letters.remove(&batch.ems_id).unwrap_or_default();
            }
        }
        fail::fail_point!("commit.end");
        Ok(outcomes)
    })
}

fn new_gaps(batches: &[ReadyBatch]) -> Vec<NewGap<'_>> {
    let with_gap = batches.iter().filter_map(|batch| Some((batch, batch.gap.as_ref()?)));
    with_gap.map(|(batch, gap)| NewGap { ems_id: batch.ems_id, gap, cursor: batch.cursor.as_ref() }).collect()
}

fn pairs<'a, T: 'a, I: Iterator<Item = &'a T>>(
    batches: &'a [ReadyBatch],
    of: impl Fn(&'a ReadyBatch) -> I,
) -> Vec<(EmsId, &'a T)> {
    batches.iter().flat_map(|batch| of(batch).map(|item| (batch.ems_id, item))).collect()
}

/// The events, and for those that are new the work that follows.
fn store_events(
    connection: &mut Connection,
    batches: &[ReadyBatch],
    mut work: WorkOfCommit,
) -> Result<Vec<BatchOutcome>, VmdbError> {
    let mut outcomes = vec![BatchOutcome::default(); batches.len()];
    let candidates = distinct(batches);
    if !candidates.is_empty() {
        let emss =
            candidates.iter().map(|(batch, ready)| (batches[*batch].ems_id, ready.folded_into.is_some()));
        connection.announce_event_commit(emss)?;
    }
    let events: Vec<_> = candidates.iter().map(|(batch, ready)| (batches[*batch].ems_id, *ready)).collect();
    let plan = folded_events::plan(connection, &events)?;
    let new = store_own(connection, &events, &plan.own, &mut work)?;
    fail::fail_point!("commit.events");
    for (at, event_id) in &new {
        let (batch, ready) = candidates[*at];
        outcomes[batch].new_events += 1;
        outcomes[batch].timestamps.push(ready.event.event.timestamp);
        work.refresh(batches[batch].ems_id, ready, *event_id);
        work.automate(batches[batch].ems_id, ready, *event_id);
    }
    for (at, event_id) in store_folded(connection, &events, &plan.folds, &new, &mut work)? {
        let (batch, ready) = candidates[at];
        outcomes[batch].folded_events += 1;
        outcomes[batch].timestamps.push(ready.event.event.timestamp);
        work.refresh(batches[batch].ems_id, ready, event_id);
    }
    let (works, requests) = work.into_new_work();
    refresh_work::put(connection, &works)?;
    automate_work::put(connection, &requests)?;
    fail::fail_point!("commit.work");
    for (batch, outcome) in batches.iter().zip(&mut outcomes) {
        outcome.duplicates = batch.events.len() as u64 - outcome.new_events - outcome.folded_events;
        outcome.work = works.iter().any(|work| work.ems_id == batch.ems_id);
        outcome.automate = requests.iter().any(|(ems_id, _)| *ems_id == batch.ems_id);
    }
    Ok(outcomes)
}

/// The events at the places `own` as rows of `event_streams`: (place, id) of those that are new.
fn store_own(
    connection: &mut Connection,
    events: &[(EmsId, &ReadyEvent)],
    own: &[usize],
    work: &mut WorkOfCommit,
) -> Result<Vec<(usize, i64)>, VmdbError> {
    let references: Vec<_> = own.iter().map(|at| (events[*at].0, &events[*at].1.event.event)).collect();
    let relations = relate::relate(connection, &references)?;
    let created_on = clock::now();
    let row = |(at, relations): (&usize, relate::Relations)| {
        let (ems_id, ready) = events[*at];
        EventRow {
            ems_id,
            event: &ready.event,
            relations,
            work_id: work.id_for(ems_id, &ready.work),
            created_on,
        }
    };
    let rows: Vec<_> = own.iter().zip(relations).map(row).collect();
    let new = event_rows::insert(connection, &rows)?;
    event_links::keep(connection, &rows, &new)?;
    Ok(new.into_iter().map(|(index, event_id)| (own[index], event_id)).collect())
}

/// Repeats as rows of `folded_events`: (place, id of the row that took it) of those that are new.
fn store_folded(
    connection: &mut Connection,
    events: &[(EmsId, &ReadyEvent)],
    folds: &[Fold],
    new: &[(usize, i64)],
    work: &mut WorkOfCommit,
) -> Result<Vec<(usize, i64)>, VmdbError> {
    if folds.is_empty() {
        return Ok(Vec::new());
    }
    let new: HashMap<usize, i64> = new.iter().copied().collect();
    let created_on = clock::now();
    let mut rows = Vec::with_capacity(folds.len());
    for (at, into) in folds {
        let (ems_id, ready) = events[*at];
        let event_id = match into {
            Taker::Row(id) => *id,
            // Taken apart, the batch is committed all the same: the row goes first, and is there.
            Taker::New(place) => *new.get(place).ok_or_else(|| {
                VmdbError::Bug("the row that takes a repeat was neither there nor new".to_owned())
            })?,
        };
        let work_id = work.id_for(ems_id, &ready.work);
        rows.push(FoldedRow { ems_id, event: &ready.event, event_id, work_id, created_on });
    }
    let stored = folded_events::store(connection, &rows)?;
    Ok(stored.into_iter().map(|index| (folds[index].0, rows[index].event_id)).collect())
}

/// (index of the batch, event): of several events with one identity the first, since a statement may hold it only once.
fn distinct(batches: &[ReadyBatch]) -> Vec<(usize, &ReadyEvent)> {
    let mut met = HashSet::new();
    let all =
        batches.iter().enumerate().flat_map(|(index, batch)| batch.events.iter().map(move |e| (index, e)));
    all.filter(|(index, ready)| met.insert((batches[*index].ems_id, ready.event.event_uid.as_str())))
        .collect()
}

/// One row of work for each EMS and commit; it gets its id before it is known which events are new.
struct WorkOfCommit {
    works: BTreeMap<EmsId, NewWork>,
    /// Rows of their own, since they wait their turn.
    doubts: Vec<NewWork>,
    requests: BTreeMap<EmsId, Vec<QueuedRequest>>,
}

impl WorkOfCommit {
    /// New gaps ask for full refreshes, and so, in their turn, do new dead letters.
    fn new(gaps: impl Iterator<Item = EmsId>, doubted: impl Iterator<Item = EmsId>) -> Self {
        let doubts = doubted.map(NewWork::of_doubt).collect();
        let mut this = Self { works: BTreeMap::new(), doubts, requests: BTreeMap::new() };
        for ems_id in gaps {
            this.of(ems_id).full = true;
        }
        this
    }

    fn of(&mut self, ems_id: EmsId) -> &mut NewWork {
        self.works.entry(ems_id).or_insert_with(|| NewWork::new(ems_id, false))
    }

    fn id_for(&mut self, ems_id: EmsId, work: &Work) -> Option<i64> {
        match work {
            Work::None => None,
            Work::Refresh(targets) if targets.is_empty() => None,
            Work::Refresh(_) | Work::FullRefresh => Some(self.of(ems_id).work_id),
        }
    }

    fn automate(&mut self, ems_id: EmsId, ready: &ReadyEvent, event_id: i64) {
        if !ready.automate.is_empty() {
            let request = QueuedRequest { event_id, request: ready.automate.clone(), awaited: None };
            self.requests.entry(ems_id).or_default().push(request);
        }
    }

    fn refresh(&mut self, ems_id: EmsId, ready: &ReadyEvent, event_id: i64) {
        let event = &ready.event.event;
        let queued = |target: &Target| QueuedTarget {
            request: TargetRequest {
                target: target.clone(),
                event_type: event.event_type.clone(),
                timestamp: event.timestamp,
            },
            event_id,
        };
        match &ready.work {
            Work::None => {}
            Work::FullRefresh => self.of(ems_id).full = true,
            Work::Refresh(targets) if targets.is_empty() => {}
            Work::Refresh(targets) => {
                targets.iter().map(queued).for_each(|target| self.of(ems_id).add(target))
            }
        }
    }

    /// Without those for which no new event asked.
    fn into_new_work(self) -> (Vec<NewWork>, Vec<(EmsId, Vec<QueuedRequest>)>) {
        let works = self.works.into_values().filter(|work| !work.is_empty()).chain(self.doubts).collect();
        (works, self.requests.into_iter().collect())
    }
}
