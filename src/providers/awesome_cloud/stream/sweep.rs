//! When to sweep the overlap again, and when a look at the tip is enough.
//!
//! A sweep of a few pages is made with each poll. One of many pages would cost more than all new events together, so it
//! takes at most a tenth of the time; in between the query goes on where it ended. Late events wait for the next sweep.

use super::query::Query;
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio::time::Instant;

/// Sweeps of more pages are made rarely …
const LARGE: u32 = 5;
/// … but at least so often.
const RAREST: Duration = Duration::from_secs(30);

/// The last sweep, and the tips since.
#[derive(Debug, Default)]
pub(super) struct LastSweep {
    begun: Option<Instant>,
    complete: Option<Complete>,
}

#[derive(Debug)]
struct Complete {
    query: Query,
    pages: u32,
    due: Instant,
}

impl LastSweep {
    /// A sweep begins.
    pub(super) fn begin(&mut self) {
        *self = Self { begun: Some(Instant::now()), complete: None };
    }

    /// A sweep or tip is complete. A tip changes only where the next tip goes on.
    pub(super) fn complete(&mut self, query: Query) {
        match &mut self.complete {
            Some(complete) if !query.sweep => complete.query = query,
            _ => {
                let now = Instant::now();
                let took = self.begun.map_or(Duration::ZERO, |begun| now - begun);
                self.complete =
                    Some(Complete { pages: query.pages, query, due: now + (took * 10).min(RAREST) });
            }
        }
    }

    /// The next sweep must not be put off.
    pub(super) fn forget(&mut self) {
        self.complete = None;
    }

    /// A query of the tip, while that is enough.
    pub(super) fn tip(&self, limit: u32) -> Option<Query> {
        let complete = self.complete.as_ref()?;
        if complete.pages <= LARGE || Instant::now() >= complete.due {
            return None;
        }
        let mut tip = complete.query.continued(limit)?;
        tip.sweep = false;
        Some(tip)
    }

    /// The server's clock when the last complete sweep began.
    pub(super) fn date(&self) -> Option<DateTime<Utc>> {
        self.complete.as_ref()?.query.first_date
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn read(mut query: Query, pages: i64) -> Query {
        for page in 1..=pages {
            let date = DateTime::UNIX_EPOCH + TimeDelta::seconds(page);
            query.begin_page(date);
            query.read(page.unsigned_abs().into(), Some(date), date);
            query.end_page(None);
        }
        query
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_sweep_is_made_each_time_and_a_large_one_takes_a_tenth_of_the_time() {
        for (pages, tips) in [(5, false), (6, true)] {
            let mut last = LastSweep::default();
            last.begin();
            tokio::time::advance(Duration::from_secs(1)).await;
            last.complete(read(Query::sweep(None, 100), pages));
            assert_eq!(last.tip(100).is_some(), tips);
            tokio::time::advance(Duration::from_millis(9900)).await;
            if let Some(tip) = last.tip(100) {
                assert_eq!(tip.parameters()[0].1, "1970-01-01T00:00:06.000000000Z");
                last.complete(read(tip, 8));
                assert_eq!(last.tip(100).unwrap().parameters()[0].1, "1970-01-01T00:00:08.000000000Z");
            }
            tokio::time::advance(Duration::from_millis(200)).await;
            assert!(last.tip(100).is_none(), "a sweep is due");
        }
    }
}
