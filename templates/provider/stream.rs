//! Talks to the events API: polls `GET /events?since=…&limit=…`, which answers events in order of their time.
//!
//! The cursor is the newest time *in the provider's data*, and never ahead of the provider's clock (`Date`). Every query
//! begins [`OVERLAP`] before it, so that an event which becomes visible late is still read. What is read twice is stored
//! once, since the VMDB knows an event by its `event_uid`; [`SeenEvents`] only saves the work of giving it away again.

use super::api::Api;
use crate::provider::seen::SeenEvents;
use crate::provider::{
    Cursor, Ems, EventBatch, Gap, InitialHistory, NativeEvent, ProviderError, Stream, StreamError, json_text,
};
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::StatusCode;
use serde::Deserialize;

/// How long after its time an event may become visible at the provider.
const OVERLAP: TimeDelta = TimeDelta::seconds(120);
/// How many events are remembered, so that reading them again costs nothing.
const MOST_SEEN: usize = 100_000;

/// The stream of one EMS.
pub struct EventStream {
    api: Api,
    page_size: u32,
    initial_history: InitialHistory,
    /// Where the stored cursor will be once the batches that we gave away are committed.
    read_to: Option<DateTime<Utc>>,
    /// The overlap reaches no further back than this.
    begin: Option<DateTime<Utc>>,
    /// The query whose next page comes next.
    query: Option<Query>,
    /// A loss that the next batch tells of.
    gap: Option<Gap>,
    seen: SeenEvents,
}

/// One query, page by page.
struct Query {
    since: Option<DateTime<Utc>>,
    /// The provider's clock at its first page.
    asked_at: DateTime<Utc>,
    page_token: String,
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
            page_size: ems.catcher.ems_event_page_size,
            initial_history: ems.catcher.initial_history,
            read_to: None,
            begin: None,
            query: None,
            gap: None,
            seen: SeenEvents::new(MOST_SEEN),
        })
    }

    fn cursor(&self) -> Option<Cursor> {
        let position = serde_json::to_value(self.read_to?).ok()?;
        Some(Cursor { source: self.api.url().to_owned(), position })
    }

    /// Moves to the newest time of this page; never back, and never ahead of the provider's clock.
    fn advance(&mut self, events: &[NativeEvent], asked_at: DateTime<Utc>) {
        let dated = events.iter().filter_map(|event| serde_json::from_str::<Dated>(&event.text).ok());
        let newest = dated.map(|dated| dated.time).filter(|time| *time <= asked_at).max();
        self.read_to = self.read_to.max(newest);
    }

    /// Whether this stream did not give it away before.
    fn is_news(&mut self, event: &NativeEvent) -> bool {
        let key = self.seen.key(event.text.as_bytes());
        let is_news = self.seen.recall(key).is_none();
        if is_news {
            self.seen.remember(key, None);
        }
        is_news
    }

    /// The provider no longer has what the cursor points to: goes on from the oldest event that it has.
    fn begin_again(&mut self, reason: &str) {
        self.gap = Some(Gap { from: self.read_to, to: None, reason: reason.to_owned() });
        (self.read_to, self.begin, self.query) = (None, None, None);
    }
}

#[async_trait]
impl Stream for EventStream {
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError> {
        // Asks for one event: this checks the address and the credentials, and tells the provider's clock.
        let answer = self.api.get("events", &[("limit", "1".to_owned())]).await?.success()?;
        let now = answer.date.ok_or_else(|| answer.unexpected("a Date header"))?;
        match resume_from {
            Some(cursor) if cursor.source == self.api.url() => {
                self.read_to = serde_json::from_value(cursor.position).ok();
            }
            // Another cloud behind the same EMS: the old position says nothing of its events.
            Some(_) => self.begin_again("source_changed"),
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
        self.seen.committed(); // being polled again says that the batch before is committed
        let before = self.cursor();
        let query = self.query.take();
        let since = match &query {
            Some(query) => query.since,
            None => self.read_to.map(|time| time - OVERLAP).max(self.begin),
        };
        let mut parameters = vec![("limit", self.page_size.to_string())];
        parameters.extend(since.map(|time| ("since", time.to_rfc3339_opts(SecondsFormat::AutoSi, true))));
        parameters.extend(query.as_ref().map(|query| ("page_token", query.page_token.clone())));

        let answer = self.api.get("events", &parameters).await?;
        if answer.status == StatusCode::GONE {
            self.begin_again("history_lost");
            return Ok(EventBatch { more: true, ..EventBatch::default() });
        }
        let answer = answer.success()?;
        let (Some(now), Some((mut events, next_page))) = (answer.date, page(&answer.body)) else {
            return Err(answer.unexpected("a page of events with a Date").into());
        };
        let asked_at = query.map_or(now, |query| query.asked_at);
        self.advance(&events, asked_at);
        events.retain(|event| self.is_news(event));
        self.query = next_page.map(|page_token| Query { since, asked_at, page_token });

        let after = self.cursor();
        Ok(EventBatch {
            events,
            cursor: if after == before { None } else { after },
            gap: self.gap.take(),
            more: self.query.is_some(),
            permit: Some(answer.permit),
            ..EventBatch::default()
        })
    }
}

/// The events of a page, each as the provider wrote it, and the token of the next page. A broken event in a page that can
/// be taken apart is given away as it is: the parser refuses it alone. `None`: this is no page.
fn page(body: &[u8]) -> Option<(Vec<NativeEvent>, Option<String>)> {
    let members = json_text::members(body)?;
    let value = |name| members.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let events = json_text::elements(value("events")?)?.into_iter().map(native).collect();
    Some((events, serde_json::from_slice(value("next_page_token").unwrap_or(b"null")).ok()?))
}

fn native(bytes: &[u8]) -> NativeEvent {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let defect = std::str::from_utf8(bytes).err().map(|error| error.to_string());
    NativeEvent { text, defect, ..NativeEvent::default() }
}
