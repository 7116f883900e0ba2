//! Asks for the next page until there is one: tokens that are refused, and history that is gone.

use super::super::parser;
use super::position::OVERLAP;
use super::query::Query;
use super::{AwesomeStream, LARGEST_PAGE};
use crate::provider::http::{Answer, HttpError};
use crate::provider::{Gap, StreamError};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// So long after its time an event may become visible, by the API's page.
const LATE: TimeDelta = TimeDelta::seconds(120);

/// A page is asked for so often, at once, when a token was refused, history went away or it was too large.
const ATTEMPTS: u32 = 10;
/// A query whose tokens were refused more often goes on by time.
const BEGUN_AGAIN: u32 = 2;

impl AwesomeStream {
    /// The next page of the query, or the first of a new one.
    pub(super) async fn next_page(&mut self) -> Result<Answer, StreamError> {
        for _ in 0..ATTEMPTS {
            let query = self.query.take().unwrap_or_else(|| self.new_query());
            let (parameters, has_token) = (query.parameters(), query.has_token());
            self.query = Some(query);
            let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
            let answer = match self.api.get(&["events"], &parameters).await {
                Err(HttpError::TooLarge(_)) if self.limit > 1 => {
                    self.ask_for_less();
                    continue;
                }
                answer => answer?,
            };
            match (answer.status.as_u16(), refusal(&answer)) {
                (200, _) => return Ok(answer),
                (400, Some(Refusal { error, .. })) if has_token && error == "bad_page_token" => {
                    self.begin_again()
                }
                (410, Some(Refusal { error, oldest: Some(oldest) })) if error == "history_lost" => {
                    self.history_lost(oldest, &answer)?;
                }
                _ => return Err(answer.unexpected("a page of events").into()),
            }
        }
        let base = self.api.http.base();
        Err(StreamError::Unreachable(format!(
            "{base}/v1/events refused {ATTEMPTS} requests for one page in a row"
        )))
    }

    fn new_query(&mut self) -> Query {
        if let Some(tip) = self.last_sweep.tip(self.limit) {
            return tip;
        }
        self.last_sweep.begin();
        Query::sweep(self.position.since(self.oldest.as_deref()), self.limit)
    }

    /// A page token was refused: the query begins again, from where the position has come meanwhile. Where that happens
    /// over and over, it goes on by time, in the largest pages, so that it gets on whatever becomes of tokens.
    fn begin_again(&mut self) {
        self.refused_tokens += 1;
        let refused = self.query.take();
        if self.refused_tokens > BEGUN_AGAIN {
            self.query = refused.and_then(|query| query.continued(LARGEST_PAGE));
        }
        self.last_sweep.forget();
    }

    /// A page was too large to read: the query goes on in pages of half the size, and so does this stream.
    fn ask_for_less(&mut self) {
        self.query = self.query.take().map(|query| {
            let limit = (query.limit / 2).max(1);
            self.limit = self.limit.min(limit);
            query.continued(limit).unwrap_or_else(|| Query::sweep(query.since, limit))
        });
    }

    /// 410: the query begins at the oldest event. It is a gap if the position itself is gone.
    fn history_lost(&mut self, oldest: String, answer: &Answer) -> Result<(), StreamError> {
        let time = parser::time(&oldest).map_err(|_| answer.unexpected("410 with a time as `oldest`"))?;
        if self.position.reached().is_some_and(|position| position < time) {
            // A new EMS has read nothing yet that could be lost. And after a gap, as long as no event comes, a horizon
            // that wanders on over what a complete sweep found empty loses nothing.
            let empty = self.after_gap && self.last_sweep.date().is_some_and(|date| time <= date - OVERLAP);
            if self.given.is_some() && !empty {
                // An event that became visible late, behind the position, may be lost with the rest.
                let position = self.position.reached().map(|position| position - LATE);
                let from = self.gap.as_ref().map_or(position, |gap| gap.from);
                self.gap = Some(Gap { from, to: Some(time), reason: "history_lost".to_owned() });
                self.after_gap = true;
            }
            self.position.advance(time.min(date(answer)?));
        }
        self.query = Some(Query::sweep(Some(oldest.clone()), self.limit));
        self.oldest = Some(oldest);
        Ok(())
    }
}

/// Body of a 400 or 410.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    oldest: Option<String>,
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    if answer.status.is_success() { None } else { serde_json::from_slice(&answer.body).ok() }
}

/// The server's clock, without which no position can be told.
pub(super) fn date(answer: &Answer) -> Result<DateTime<Utc>, StreamError> {
    answer.date.ok_or_else(|| answer.unexpected("an answer with a Date header").into())
}
