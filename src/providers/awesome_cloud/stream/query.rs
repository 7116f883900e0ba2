//! One query while its pages are read: where it is, what it has read, and whether it still gets on. Pure.
//!
//! A *sweep* begins the overlap before the position. A *tip* goes on where a sweep ended, and a query whose tokens fail
//! goes on at the newest time it has read; both are the sweep continued, so they keep the sweep's `Date`.

use super::position::{Reading, text};
use crate::provider::seen::EventKey;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;

/// So many pages in a row may bring nothing that this query has not read.
const PATIENCE: u32 = 3;

/// Most events of one time that are told apart from repeated ones.
const MOST_AT_ONE_TIME: usize = 100_000;

/// A query.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// From where it reads; `None` is the oldest event.
    pub since: Option<String>,
    token: Option<String>,
    /// Events asked for on a page.
    pub limit: u32,
    /// Whether it began the overlap before the position, so that it meets everything that may be read again.
    pub sweep: bool,
    /// Pages read.
    pub pages: u32,
    /// The server's clock at the sweep's first page.
    pub first_date: Option<DateTime<Utc>>,
    /// The newest time read that was not ahead of `first_date`: the position may go there.
    pub newest: Option<DateTime<Utc>>,
    /// The newest time read that lies in the second which `first_date` tells: the server's clock knows whole seconds alone.
    pub running: Option<DateTime<Utc>>,
    /// The newest time read that was not ahead of its own page's `Date`: a tip goes on there.
    tip: Option<DateTime<Utc>>,
    reached: Option<DateTime<Utc>>,
    at_reached: HashSet<EventKey>,
    progress: bool,
    stalled: u32,
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The next page.
    More,
    /// It is complete.
    Complete,
    /// Its pages repeat for ever: its tokens are of no use.
    Stalled,
}

impl Query {
    /// A sweep from `since`.
    pub(super) fn sweep(since: Option<String>, limit: u32) -> Self {
        Self { since, limit, sweep: true, ..Self::default() }
    }

    /// This query continued from the newest time it has read; `None` while it has read none.
    pub(super) fn continued(&self, limit: u32) -> Option<Self> {
        let since = Some(text(self.tip?));
        let Self { sweep, pages, first_date, newest, tip, .. } = *self;
        Some(Self { since, limit, sweep, pages, first_date, newest, tip, ..Self::default() })
    }

    /// A query that an earlier stream was reading, continued.
    pub(super) fn resumed(reading: &Reading, limit: u32) -> Self {
        let (first_date, tip) = (Some(reading.date), Some(reading.tip));
        Self { since: Some(text(reading.tip)), limit, sweep: true, first_date, tip, ..Self::default() }
    }

    /// Where a later stream may continue it.
    pub(super) fn reading(&self) -> Option<Reading> {
        Some(Reading { date: self.first_date?, tip: self.tip? })
    }

    /// The parameters of the next request.
    pub(super) fn parameters(&self) -> [(&'static str, String); 3] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [("since", text(&self.since)), ("limit", self.limit.to_string()), ("page_token", text(&self.token))]
    }

    /// Whether the next request carries a page token.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// A page came, at the server's `date`.
    pub(super) fn begin_page(&mut self, date: DateTime<Utc>) {
        self.first_date.get_or_insert(date);
        self.pages += 1;
        self.progress = false;
    }

    /// An event of that page, of `time` if it tells one. One that is dated ahead of the server's clock moves nothing.
    pub(super) fn read(&mut self, key: EventKey, time: Option<DateTime<Utc>>, date: DateTime<Utc>) {
        if time.is_some() && time <= self.first_date {
            self.newest = self.newest.max(time);
        }
        let second = self.first_date.map(|first| first..first + TimeDelta::seconds(1));
        if time.zip(second).is_some_and(|(time, second)| second.contains(&time)) {
            self.running = self.running.max(time);
        }
        if time.is_some_and(|time| time <= date) {
            self.tip = self.tip.max(time);
        }
        // Pages ascend by (time, id), so a page gets on exactly if it holds a later time, or more of the same time.
        if time > self.reached {
            self.reached = time;
            self.at_reached.clear();
            self.progress = true;
        }
        let tells_more = time.is_none() || time == self.reached;
        if tells_more && self.at_reached.len() < MOST_AT_ONE_TIME && self.at_reached.insert(key) {
            self.progress = true;
        }
    }

    /// That page is read; its successor is `next`.
    pub(super) fn end_page(&mut self, next: Option<String>) -> Turn {
        self.stalled = if self.progress { 0 } else { self.stalled + 1 };
        self.token = next;
        match &self.token {
            None => Turn::Complete,
            Some(_) if self.stalled > PATIENCE => Turn::Stalled,
            Some(_) => Turn::More,
        }
    }

    /// How far what was read lies behind the server's clock.
    pub(super) fn behind(&self, date: DateTime<Utc>) -> Option<std::time::Duration> {
        (date - self.tip?).to_std().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn page(query: &mut Query, date: i64, events: &[(u128, Option<i64>)], next: Option<&str>) -> Turn {
        query.begin_page(at(date));
        for (key, time) in events {
            query.read(*key, time.map(at), at(date));
        }
        query.end_page(next.map(str::to_owned))
    }

    #[test]
    fn events_ahead_of_the_first_pages_clock_do_not_move_the_position() {
        let mut query = Query::sweep(None, 10);
        assert_eq!(
            page(&mut query, 100, &[(1, Some(90)), (2, Some(101)), (3, Some(9000))], Some("t")),
            Turn::More
        );
        assert_eq!(query.running, None, "neither is of the second that the clock told");
        assert_eq!(page(&mut query, 105, &[(4, Some(104)), (5, None)], None), Turn::Complete);
        assert_eq!((query.newest, query.first_date), (Some(at(90)), Some(at(100))));
        let tip = query.continued(1000).unwrap();
        assert_eq!(tip.parameters()[0].1, "1970-01-01T00:01:44.000000000Z");
        assert_eq!((tip.first_date, tip.sweep), (Some(at(100)), true));
        let mut resumed = Query::resumed(&query.reading().unwrap(), 10);
        assert_eq!(resumed.parameters()[0].1, "1970-01-01T00:01:44.000000000Z");
        page(&mut resumed, 200, &[(6, Some(104)), (7, Some(150))], None);
        assert_eq!(
            (resumed.newest, resumed.reading().unwrap().tip),
            (None, at(150)),
            "its first clock rules"
        );
    }

    #[test]
    fn a_page_may_come_twice_but_not_for_ever() {
        let mut query = Query::sweep(None, 2);
        let repeated = [(1, Some(1)), (2, Some(2)), (3, None)];
        assert_eq!(page(&mut query, 9, &repeated, Some("t")), Turn::More);
        for _ in 0..PATIENCE {
            assert_eq!(page(&mut query, 9, &repeated, Some("t")), Turn::More);
        }
        assert_eq!(page(&mut query, 9, &repeated, Some("another")), Turn::Stalled);
    }

    #[test]
    fn many_events_of_one_time_are_progress() {
        let mut query = Query::sweep(None, 1);
        for key in 0..50 {
            assert_eq!(page(&mut query, 9, &[(key, Some(1))], Some("t")), Turn::More);
        }
    }
}
