//! Talks to the events API: polls `GET /events?since=…&limit=…`, which answers events in order of their time.
//!
//! The cursor is the newest time *in the provider's data*, and never ahead of the provider's clock (`Date`). Every query
//! begins [`OVERLAP`] before it, so that an event which becomes visible late is still read. What is read twice is stored
//! once: the house knows an event by its `event_uid`, so this file keeps no list of what it has seen.

use super::api::Api;
use crate::provider::{
    ByteBudget, Cursor, Ems, EventBatch, Gap, InitialHistory, NativeEvent, ProviderError, Stream, StreamError,
};
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How long after its time an event may become visible at the provider.
const OVERLAP: TimeDelta = TimeDelta::seconds(120);

/// The stream of one EMS.
pub struct EventStream {
    api: Api,
    budget: ByteBudget,
    page_size: u32,
    initial_history: InitialHistory,
    /// What the stored cursor stands at, or will once the batches that we gave away are committed.
    read_to: Option<DateTime<Utc>>,
    /// Where the first query begins, when the overlap must not reach further back.
    begin: Option<DateTime<Utc>>,
    /// The query whose next page comes next.
    query: Option<Query>,
    gap: Option<Gap>,
}

/// One query, page by page.
struct Query {
    since: Option<DateTime<Utc>>,
    /// The provider's clock at its first page.
    asked_at: DateTime<Utc>,
    page_token: String,
}

/// One page. The events stay as the provider wrote them.
#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
    next_page_token: Option<String>,
}

/// The one field that this file reads of an event.
#[derive(Deserialize)]
struct Dated {
    time: DateTime<Utc>,
}

impl EventStream {
    /// Reads the settings; connects to nothing yet.
    pub fn new(ems: &Ems) -> Result<Self, ProviderError> {
        Ok(Self {
            api: Api::new(ems)?,
            budget: ems.budget.clone(),
            page_size: ems.catcher.ems_event_page_size,
            initial_history: ems.catcher.initial_history,
            read_to: None,
            begin: None,
            query: None,
            gap: None,
        })
    }

    fn cursor(&self) -> Option<Cursor> {
        let position = serde_json::to_value(self.read_to?).ok()?;
        Some(Cursor { source: self.api.url().to_owned(), position })
    }

    /// Moves to the newest time of this page; never back, and never ahead of the provider's clock.
    fn advance(&mut self, events: &[Box<RawValue>], asked_at: DateTime<Utc>) {
        let times = events.iter().filter_map(|event| serde_json::from_str::<Dated>(event.get()).ok());
        if let Some(newest) = times.map(|dated| dated.time).filter(|time| *time <= asked_at).max() {
            self.read_to = self.read_to.max(Some(newest));
        }
    }
}

#[async_trait]
impl Stream for EventStream {
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError> {
        // Asks for one event: this checks the address and the credentials, and tells the provider's clock.
        let (_, now) = self.api.get::<Page>("events", &[("limit", "1".to_owned())]).await?;
        match resume_from {
            Some(cursor) if cursor.source == self.api.url() => {
                self.read_to = serde_json::from_value(cursor.position).ok();
            }
            // Another cloud behind the same EMS: its events are new to us, and the inventory is another.
            Some(_) => self.gap = Some(Gap { from: None, to: None, reason: "source_changed".to_owned() }),
            None => {
                self.begin = match self.initial_history {
                    InitialHistory::All => None,
                    InitialHistory::None => Some(now),
                    InitialHistory::Last(span) => TimeDelta::from_std(span).ok().map(|span| now - span),
                };
                self.read_to = self.begin;
            }
        }
        Ok(())
    }

    async fn poll(&mut self) -> Result<EventBatch, StreamError> {
        let before = self.cursor();
        let query = self.query.take();
        let since = match &query {
            Some(query) => query.since,
            None => self.read_to.map(|time| time - OVERLAP).max(self.begin),
        };
        let mut parameters = vec![("limit", self.page_size.to_string())];
        parameters.extend(since.map(|time| ("since", time.to_rfc3339_opts(SecondsFormat::AutoSi, true))));
        parameters.extend(query.as_ref().map(|query| ("page_token", query.page_token.clone())));

        let (page, now) = self.api.get::<Page>("events", &parameters).await?;
        let asked_at = query.map_or(now, |query| query.asked_at);
        self.advance(&page.events, asked_at);
        self.query = page.next_page_token.map(|page_token| Query { since, asked_at, page_token });

        let bytes = page.events.iter().map(|event| event.get().len()).sum();
        let after = self.cursor();
        Ok(EventBatch {
            permit: Some(self.budget.admit(bytes).await),
            events: page.events.iter().map(|event| NativeEvent::new(event.get())).collect(),
            cursor: if after == before { None } else { after },
            gap: self.gap.take(),
            more: self.query.is_some(),
            ..EventBatch::default()
        })
    }
}
