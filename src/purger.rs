//! The Purger: at start and then hourly, it deletes what is older than `event_streams.history.keep_events`, events and what
//! hangs on them, in slices that leave SQLite's one writer to the commits of events most of the time.
//!
//! It never decides what is old: `keep_events` and the events' own times do. What a slice deletes is `vmdb::purge`'s.

use crate::actor::rounds::{Round, Rounds};
use crate::automate::{History, SharedAutomation};
use crate::clock;
use crate::event_handler::Handling;
use crate::vmdb::purge::{self, Purgeable, Purged};
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// From one look for old rows to the next, with jitter.
const EVERY: Duration = Duration::from_secs(3600);
/// A slice that takes longer is followed by smaller ones, a much shorter one by larger ones.
const SLICE: Duration = Duration::from_millis(20);
const FIRST_ROWS: i64 = 100;
const FEWEST_ROWS: i64 = 10;
/// The least pause between slices; they pause as long as they took.
const PAUSE: Duration = Duration::from_millis(5);

/// What the Purger works with.
pub struct Purger {
    handling: Handling,
    automation: SharedAutomation,
    /// Rows of the next slice.
    rows: i64,
}

impl Purger {
    /// For the history that the automation in force says.
    pub fn new(handling: Handling, automation: SharedAutomation) -> Self {
        Self { handling, automation, rows: FIRST_ROWS }
    }

    /// Purges one kind to the end.
    async fn purge(
        &mut self,
        what: Purgeable,
        before: DateTime<Utc>,
        most: i64,
        done: &mut BTreeMap<&'static str, usize>,
    ) -> Result<(), String> {
        loop {
            self.rows = self.rows.min(most);
            let (purged, took) = self.slice(what, before).await.map_err(|error| error.to_string())?;
            if purged.is_empty() {
                return Ok(());
            }
            for (table, rows) in purged {
                self.handling.observe.purged(table, rows as u64);
                *done.entry(table).or_default() += rows;
            }
            self.rows = next_rows(self.rows, took).clamp(FEWEST_ROWS.min(most), most);
            tokio::time::sleep(took.max(PAUSE)).await;
        }
    }

    /// One transaction, and how long it had the writer.
    async fn slice(
        &self,
        what: Purgeable,
        before: DateTime<Utc>,
    ) -> Result<(Purged, Duration), crate::vmdb::VmdbError> {
        let rows = self.rows;
        let slice = self.handling.vmdb.write(move |connection| {
            let began = Instant::now();
            let purged = purge::purge(connection, what, before, rows)?;
            Ok((purged, began.elapsed()))
        });
        slice.await
    }
}

impl Rounds for Purger {
    async fn round(&mut self) -> Result<Round, String> {
        let history = self.automation.get().history;
        let look_again = EVERY.mul_f64(rand::rng().random_range(0.9..=1.1));
        let mut done = BTreeMap::new();
        if let Some(before) = oldest_kept(history, clock::now()) {
            let most = i64::try_from(history.purge_window_size).unwrap_or(i64::MAX).max(1);
            for what in Purgeable::ALL {
                self.purge(what, before, most, &mut done).await?;
            }
            if !done.is_empty() {
                let said: Vec<_> = done.iter().map(|(table, rows)| format!("{rows} {table}")).collect();
                log::info!("purged what is older than {}: {}", before.format("%F %T"), said.join(", "));
            }
        }
        Ok(Round { done: done.values().sum(), look_again })
    }
}

/// What is older than this goes; `None`: nothing does.
fn oldest_kept(history: History, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if history.keep_events.is_zero() {
        return None;
    }
    now.checked_sub_signed(TimeDelta::from_std(history.keep_events).ok()?)
}

/// How many rows would have taken as long as a slice should; at most twice as many as before.
fn next_rows(rows: i64, took: Duration) -> i64 {
    if took > SLICE {
        return (rows as f64 * SLICE.as_secs_f64() / took.as_secs_f64()) as i64;
    }
    if took < SLICE / 2 { rows.saturating_mul(2) } else { rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_become_smaller_when_they_take_long_and_larger_when_they_do_not() {
        assert_eq!(next_rows(100, Duration::from_millis(40)), 50);
        assert_eq!(next_rows(100, Duration::from_millis(15)), 100);
        assert_eq!(next_rows(100, Duration::from_millis(5)), 200);
    }

    #[test]
    fn nothing_is_old_where_nobody_said_what_is_kept() {
        let history = |seconds| History { keep_events: Duration::from_secs(seconds), purge_window_size: 1 };
        let now = clock::now();
        assert_eq!(oldest_kept(history(0), now), None);
        assert_eq!(oldest_kept(history(60), now), Some(now - TimeDelta::seconds(60)));
        assert_eq!(oldest_kept(history(u64::MAX / 2), now), None);
    }
}
