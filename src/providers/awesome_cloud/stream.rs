//! Talks to the events API: queries that overlap, page by page, each page a batch.
//!
//! **The cursor** is min(newest time read so far, `Date` of the query's first page), and moves with every page. That is
//! safe: an event that was not there when its place was passed became visible later than that `Date`, so its time is
//! later than `Date` − 120 s, and every later query begins at the cursor − 130 s ≤ `Date` − 130 s. While a query is read the
//! cursor also holds how far it came, and with which `Date`: a successor goes on there, so that a stream gets on however
//! often it fails, and however many pages the overlap has.
//!
//! **Re-reading** the overlap costs no parse and no write: what is committed (the next `poll` says so) is remembered.
//! Where a sweep of the overlap takes many pages, it is made rarely, and the tip is looked at in between.

mod again;
mod asking;
mod page;
mod position;
mod query;
mod starting;
mod sweep;

use super::Api;
use crate::provider::http::Answer;
use crate::provider::seen::SeenEvents;
use crate::provider::{CatcherSettings, Cursor, EventBatch, Gap, InitialHistory, Stream, StreamError};
use async_trait::async_trait;
use position::Position;
use query::{Query, Turn};
use std::time::Duration;
use sweep::LastSweep;
use tokio::time::Instant;

/// Events remembered, so that re-reading them costs nothing.
const MOST_SEEN: usize = 100_000;
/// The largest page that the API gives.
const LARGEST_PAGE: u32 = 1000;

/// The event stream of one EMS.
pub(super) struct AwesomeStream {
    api: Api,
    limit: u32,
    history: InitialHistory,
    position: Position,
    /// The position that was last given to be committed.
    given: Option<Position>,
    /// To be committed with the next batch.
    gap: Option<Gap>,
    /// No event has come since a gap was told.
    after_gap: bool,
    /// The oldest event that the server told, verbatim.
    oldest: Option<String>,
    /// The query that is being read.
    query: Option<Query>,
    refused_tokens: u32,
    /// The first page, read by `start`.
    first: Option<Answer>,
    last_sweep: LastSweep,
    seen: SeenEvents,
}

impl AwesomeStream {
    pub(super) fn new(api: Api, settings: &CatcherSettings) -> Self {
        Self {
            api,
            limit: settings.ems_event_page_size.clamp(1, LARGEST_PAGE),
            history: settings.initial_history,
            position: Position::default(),
            given: None,
            gap: None,
            after_gap: false,
            oldest: None,
            query: None,
            refused_tokens: 0,
            first: None,
            last_sweep: LastSweep::default(),
            seen: SeenEvents::new(MOST_SEEN),
        }
    }

    /// The batch of the next page. One that breaks on the way, or cannot be read, is asked for again; the query stays
    /// where it was.
    async fn next_batch(&mut self) -> Result<EventBatch, StreamError> {
        let begun = Instant::now();
        let mut failed = 0;
        loop {
            let answer = match self.first.take() {
                Some(answer) => Ok(answer),
                None => self.next_page().await,
            };
            let error = match answer.and_then(|answer| self.batch_of(answer)) {
                Ok(batch) => return Ok(batch),
                Err(error) => error,
            };
            failed += 1;
            let Some(wait) = again::wait_after(&error, failed, begun.elapsed()) else { return Err(error) };
            log::info!("{error}; asked for again in {wait:?} (attempt {failed} of {})", again::ATTEMPTS);
            tokio::time::sleep(wait).await;
        }
    }

    /// Makes the batch of a page: what is new on it, and how far the position may go.
    fn batch_of(&mut self, answer: Answer) -> Result<EventBatch, StreamError> {
        let date = asking::date(&answer)?;
        let page = page::Page::read(&answer.body).ok_or_else(|| {
            StreamError::Unreachable(format!("{}: the body is no page of events", answer.asked))
        })?;
        let mut query = self.query.take().unwrap_or_default();
        query.begin_page(date);
        let mut events = Vec::new();
        for element in page.events {
            let key = self.seen.key(element);
            let time = self.seen.recall(key).unwrap_or_else(|| {
                let time = page::time_of(element);
                self.seen.remember(key, time);
                events.push(page::native_event(element));
                time
            });
            query.read(key, time, date);
        }
        if query.newest.is_some_and(|newest| self.position.advance(newest)) {
            self.after_gap = false;
        }
        if self.position.time.is_none() {
            self.position.begun = self.position.begun.max(query.running);
        }
        let turn = query.end_page(page.next_page_token);
        if turn == Turn::Complete {
            self.position.reading = None;
        } else if !events.is_empty() {
            // A page that brings nothing new writes nothing, and its successor may as well read it again.
            self.position.reading = query.reading();
        }
        let lag = if turn == Turn::More { query.behind(date) } else { Some(Duration::ZERO) };
        let more = self.turn(turn, query);
        let gap = self.gap.take();
        let moved = gap.is_some() || self.given.as_ref() != Some(&self.position);
        let cursor = moved.then(|| self.position.cursor(self.api.http.base()));
        self.given = Some(self.position.clone());
        let permit = (!events.is_empty()).then_some(answer.permit);
        Ok(EventBatch { events, cursor, gap, more, lag, permit, ..EventBatch::default() })
    }

    /// What comes after a page; tells whether more is ready.
    fn turn(&mut self, turn: Turn, query: Query) -> bool {
        match turn {
            Turn::More => {
                // A query without `since` is never told that history was lost while it is read. From its second page on it has one.
                let with_since = query.since.is_none().then(|| query.continued(self.limit)).flatten();
                self.query = with_since.or(Some(query));
            }
            Turn::Stalled => {
                log::warn!("{}/v1/events repeats its pages; going on by time", self.api.http.base());
                self.query = query.continued(LARGEST_PAGE).filter(|next| next.since != query.since);
            }
            Turn::Complete => {
                self.refused_tokens = 0;
                if query.sweep {
                    self.seen.swept();
                }
                self.last_sweep.complete(query);
            }
        }
        self.query.is_some()
    }
}

#[async_trait]
impl Stream for AwesomeStream {
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError> {
        self.position = match resume_from {
            Some(cursor) => self.stored_position(cursor),
            None => self.initial_position().await?,
        };
        self.query = self.position.reading.as_ref().map(|reading| Query::resumed(reading, self.limit));
        let mut first = self.next_page().await?;
        if self.position.is_long_ago(asking::date(&first)?) {
            self.position.reading = None;
            self.query = None;
            first = self.next_page().await?;
        }
        self.first = Some(first);
        Ok(())
    }

    async fn poll(&mut self) -> Result<EventBatch, StreamError> {
        // Being polled again says that the batch before is committed.
        self.seen.committed();
        loop {
            let batch = self.next_batch().await?;
            if !batch.more || !batch.events.is_empty() || batch.cursor.is_some() {
                return Ok(batch);
            }
        }
    }
}
