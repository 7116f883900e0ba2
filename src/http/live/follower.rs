//! Follows the committed events for one client: woken by each commit, and every two seconds for what another process
//! commits; reads at most twice a second, and between two readings holds nothing of the VMDB.

use super::message::{self, Writer};
use super::outbox::{Gone, Sender};
use crate::clock;
use crate::http::context::HttpContext;
use crate::http::reading::read;
use crate::http::timeline::filter::Filter;
use crate::observe::Observe;
use crate::settings::EventGroups;
use crate::vmdb::timeline::tail::Tail;
use crate::vmdb::timeline::{self, TimelineEvent, TimelineQuery};
use crate::vmdb::{Connection, VmdbError, ems};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const AT_MOST_EVERY: Duration = Duration::from_millis(500);
/// Commits of other processes ring no bell here.
const AT_LEAST_EVERY: Duration = Duration::from_secs(2);
/// So that proxies keep a silent connection, and a client that is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Of what came while a client was away, the latest so many are told.
const CAUGHT_UP: usize = 200;

/// A place among those that follow; dropping it frees it.
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    places: Arc<Semaphore>,
    most: usize,
    observe: Observe,
}

impl Place {
    pub(super) fn new(
        permit: OwnedSemaphorePermit,
        places: Arc<Semaphore>,
        most: usize,
        observe: Observe,
    ) -> Self {
        let place = Self { permit: Some(permit), places, most, observe };
        place.count();
        place
    }

    fn count(&self) {
        self.observe.web().set_subscribers(self.most - self.places.available_permits());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.count();
    }
}

/// What a client wants to follow.
pub(super) struct Asked {
    pub(super) filter: Filter,
    pub(super) json: bool,
    /// The last row that it had.
    pub(super) after: Option<i64>,
}

/// Follows for one client.
pub(super) struct Follower {
    context: HttpContext,
    writer: Writer,
    tail: Tail,
    /// Rows that it had before the tail began, told first.
    missed: Vec<TimelineEvent>,
    told: BTreeSet<i64>,
}

struct Begun {
    tail: Tail,
    missed: Vec<TimelineEvent>,
    names: BTreeMap<i64, String>,
}

impl Follower {
    /// `None`: the filter names what there is not.
    pub(super) async fn begin(context: &HttpContext, asked: Asked) -> Result<Option<Self>, String> {
        let settings = context.settings();
        let Asked { filter, json, after } = asked;
        let (by, choice) = (settings.clone(), filter.clone());
        let begun =
            read(context, move |connection| begin(connection, &choice, &by.event_groups, after)).await?;
        Ok(begun.map(|Begun { tail, missed, names }| Self {
            context: context.clone(),
            writer: Writer { filter, json, names },
            told: missed.iter().map(|event| event.position.id).collect(),
            tail,
            missed,
        }))
    }

    /// Until the client is gone or the server stops.
    pub(super) async fn follow(mut self, sender: Sender, closing: CancellationToken) {
        let missed = std::mem::take(&mut self.missed);
        let mut sent = self.send(&sender, &missed, 0).and_then(|()| sender.send(message::begun()));
        let mut commits = self.context.observe().commit().follow();
        let mut heartbeat = Instant::now() + HEARTBEAT;
        while sent.is_ok() {
            let read_on = Instant::now() + AT_MOST_EVERY;
            sent = match self.news().await {
                Ok((events, passed)) => self.send(&sender, &events, passed),
                // It comes back, and then the rest is told.
                Err(error) => sender.send(message::remark(&format!("the VMDB does not answer ({error})"))),
            };
            if Instant::now() >= heartbeat && sent.is_ok() {
                sent = sender.send(message::remark("still here"));
                heartbeat = Instant::now() + HEARTBEAT;
            }
            let woken = async {
                tokio::time::sleep_until(read_on).await;
                let _ = tokio::time::timeout(AT_LEAST_EVERY, commits.changed()).await;
            };
            tokio::select! {
                () = woken => {}
                () = sender.gone() => break,
                () = closing.cancelled() => break,
            }
        }
    }

    async fn news(&mut self) -> Result<(Vec<TimelineEvent>, u64), String> {
        let mut tail = self.tail.clone();
        let known: BTreeSet<i64> = self.writer.names.keys().copied().collect();
        let (tail, mut events, passed, names) = read(&self.context, move |connection| {
            let (events, passed) = tail.next(connection)?;
            let is_new = events.iter().filter_map(|event| event.ems_id).any(|id| !known.contains(&id));
            let names = if is_new { Some(names(connection)?) } else { None };
            Ok((tail, events, passed, names))
        })
        .await?;
        self.tail = tail;
        self.writer.names.extend(names.into_iter().flatten());
        events.retain(|event| !self.told.remove(&event.position.id));
        Ok((events, passed))
    }

    fn send(&self, sender: &Sender, events: &[TimelineEvent], passed: u64) -> Result<(), Gone> {
        if passed > 0 {
            sender.send(message::passed(passed))?;
        }
        let settings = self.context.settings();
        events.iter().try_for_each(|event| sender.send(self.writer.row(event, &settings.event_groups)))
    }
}

fn names(connection: &mut Connection) -> Result<BTreeMap<i64, String>, VmdbError> {
    Ok(ems::list(connection)?.into_iter().map(|row| (row.id.0, row.name)).collect())
}

/// The tail first and then what was missed: what is committed in between comes twice and is told once.
fn begin(
    connection: &mut Connection,
    filter: &Filter,
    groups: &EventGroups,
    after: Option<i64>,
) -> Result<Option<Begun>, VmdbError> {
    let names = names(connection)?;
    let Some(query) = filter.query(connection, groups, clock::now())? else { return Ok(None) };
    // What comes is of now, whatever stretch of time is looked at.
    let query = TimelineQuery { since: None, until: None, before: None, ..query };
    let tail = Tail::from_now(connection, query.clone())?;
    let mut missed = match after {
        Some(_) => timeline::events(connection, &TimelineQuery { limit: CAUGHT_UP, ..query })?,
        None => Vec::new(),
    };
    missed.retain(|event| after.is_some_and(|after| event.position.id > after));
    missed.sort_by_key(|event| event.position.id);
    Ok(Some(Begun { tail, missed, names }))
}
