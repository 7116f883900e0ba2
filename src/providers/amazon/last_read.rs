//! Which queue was read, and when last: the cursor of a broker, and what it tells to be lost. Pure.
//!
//! The queue itself remembers what was not deleted, so the cursor is no place to go on from. It notices what the queue
//! cannot tell: that it is another queue, and that nobody read it for longer than it keeps its messages.

use crate::provider::{Cursor, Gap};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// While nothing comes, the time of the last read is stored so often, or four times within the retention.
const RARELY: TimeDelta = TimeDelta::hours(1);

/// A queue, as its attributes tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    /// `QueueArn`.
    pub(super) arn: String,
    /// `CreatedTimestamp`: a queue that was deleted and made again has the same ARN, and none of the messages.
    pub(super) created: Option<i64>,
    /// `MessageRetentionPeriod`.
    pub(super) retention: Option<TimeDelta>,
}

/// The position in a [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    /// When the queue was last read, by its own clock.
    read: Option<DateTime<Utc>>,
    /// Of the queue.
    created: Option<i64>,
}

/// What one EMS knows of its queue.
#[derive(Debug)]
pub(super) struct LastRead {
    queue: Queue,
    read: Option<DateTime<Utc>>,
    /// What was last given to be committed.
    given: Option<Option<DateTime<Utc>>>,
    /// To be committed with the next batch.
    gap: Option<Gap>,
}

impl LastRead {
    /// Goes on from the cursor of the last commit; the queue has just answered at `now`. One that cannot be followed is a gap.
    pub(super) fn resume(queue: Queue, stored: Option<Cursor>, now: Option<DateTime<Utc>>) -> Self {
        let mut this = Self { queue, read: now, given: None, gap: None };
        let Some(cursor) = stored else { return this };
        let position = serde_json::from_value::<Position>(cursor.position).ok();
        let from = position.and_then(|position| position.read);
        let reason = match position {
            _ if !cursor.source.is_empty() && cursor.source != this.queue.arn => "source_changed",
            Some(position) if !cursor.source.is_empty() && this.is_of(position) => {
                (this.read, this.given) = (position.read, Some(position.read));
                this.lose(now);
                return this;
            }
            Some(_) if !cursor.source.is_empty() => "source_changed",
            _ => "cursor_refused",
        };
        this.gap = Some(Gap { from, to: None, reason: reason.to_owned() });
        this
    }

    fn is_of(&self, position: Position) -> bool {
        position.created.zip(self.queue.created).is_none_or(|(stored, created)| stored == created)
    }

    /// Whether there is something to commit that cannot wait for a message.
    pub(super) fn is_urgent(&self) -> bool {
        self.given.is_none() || self.gap.is_some()
    }

    /// The queue was read at `now`. What is to be committed with what was found: a cursor with news, and else rarely.
    pub(super) fn read(&mut self, now: Option<DateTime<Utc>>, news: bool) -> (Option<Cursor>, Option<Gap>) {
        self.lose(now);
        self.read = now.or(self.read);
        let gap = self.gap.take();
        let due = match (self.given, self.read) {
            (None, _) => true,
            (Some(given), read) if news => given != read,
            (Some(Some(given)), Some(read)) => (read - given).abs() >= self.rarely(),
            (Some(given), read) => given != read,
        };
        if gap.is_none() && !due {
            return (None, None);
        }
        self.given = Some(self.read);
        let position = Position { read: self.read, created: self.queue.created };
        // A position of two numbers can always be written.
        let position = serde_json::to_value(position).unwrap_or_default();
        (Some(Cursor { source: self.queue.arn.clone(), position }), gap)
    }

    /// What was sent after the last read and is older than the queue keeps messages is gone.
    fn lose(&mut self, now: Option<DateTime<Utc>>) {
        if let (Some(read), Some(now), Some(retention)) = (self.read, now, self.queue.retention)
            && self.gap.is_none()
            && now - read > retention
        {
            let (from, to) = (Some(read), Some(now - retention));
            self.gap = Some(Gap { from, to, reason: "history_lost".to_owned() });
            self.read = Some(now);
        }
    }

    fn rarely(&self) -> TimeDelta {
        self.queue.retention.map_or(RARELY, |retention| RARELY.min(retention / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(second, 0)
    }

    fn queue(arn: &str, created: i64) -> Queue {
        Queue { arn: arn.to_owned(), created: Some(created), retention: Some(TimeDelta::days(4)) }
    }

    /// What the first read of a queue commits.
    fn cursor(arn: &str, created: i64, second: i64) -> Cursor {
        LastRead::resume(queue(arn, created), None, at(second)).read(at(second), false).0.unwrap()
    }

    const DAYS: i64 = 24 * 3600;

    #[test]
    fn a_new_queue_gets_a_cursor_at_once_and_a_quiet_one_rarely() {
        let mut last = LastRead::resume(queue("a", 1), None, at(1000));
        assert!(last.is_urgent());
        let (first, gap) = last.read(at(1000), false);
        assert_eq!((first.unwrap().source.as_str(), gap), ("a", None));
        assert!(!last.is_urgent());
        assert_eq!(last.read(at(1020), false), (None, None), "a poll that brings nothing writes nothing");
        assert_eq!(last.read(at(1020), true).0, Some(cursor("a", 1, 1020)), "with news it moves");
        assert_eq!(last.read(at(1020), true).0, None, "but not to where it stands");
        assert_eq!(last.read(at(1020 + 3599), false).0, None);
        assert_eq!(last.read(at(1020 + 3600), false).0, Some(cursor("a", 1, 1020 + 3600)));
        assert_eq!(last.read(None, true), (None, None), "without a clock nothing moves");
    }

    #[test]
    fn another_queue_and_the_same_made_again_are_gaps_since_the_last_read() {
        for (arn, created) in [("b", 1), ("a", 2)] {
            let mut last = LastRead::resume(queue(arn, created), Some(cursor("a", 1, 1000)), at(2000));
            assert!(last.is_urgent());
            let (moved, gap) = last.read(at(2000), false);
            let expected = Gap { from: at(1000), to: None, reason: "source_changed".to_owned() };
            assert_eq!((moved, gap), (Some(cursor(arn, created, 2000)), Some(expected)));
            assert_eq!(last.read(at(2010), false), (None, None), "told once");
        }
    }

    #[test]
    fn a_cursor_that_nobody_can_read_is_refused() {
        for (source, position) in [("a", serde_json::json!("?")), ("", serde_json::json!("no JSON at all"))] {
            let stored = Cursor { source: source.to_owned(), position };
            let mut last = LastRead::resume(queue("a", 1), Some(stored), at(2000));
            let expected = Gap { from: None, to: None, reason: "cursor_refused".to_owned() };
            assert_eq!(last.read(at(2000), false).1, Some(expected));
        }
    }

    #[test]
    fn what_is_older_than_the_queue_keeps_and_was_not_read_is_lost() {
        let resumed = |now| LastRead::resume(queue("a", 1), Some(cursor("a", 1, 1000)), at(now));
        assert!(!resumed(1000 + 4 * DAYS).is_urgent());
        let lost = Gap { from: at(1000), to: at(1000 + DAYS), reason: "history_lost".to_owned() };
        let mut last = resumed(1000 + 5 * DAYS);
        assert!(last.is_urgent());
        assert_eq!(last.read(at(1000 + 5 * DAYS), false).1, Some(lost.clone()));
        // The same while it runs: the VMDB was away, or the machine asleep.
        let mut last = resumed(1500);
        assert_eq!(last.read(at(1000 + 5 * DAYS + 500), true).1.unwrap().reason, "history_lost");
        assert_eq!(last.read(at(1000 + 5 * DAYS + 501), true).1, None);
    }

    #[test]
    fn a_clock_that_is_hours_away_loses_nothing() {
        let mut last = LastRead::resume(queue("a", 1), Some(cursor("a", 1, 1000)), at(1000));
        for second in [1000 + 9 * 3600, 1010, 1020 - 9 * 3600, 1030] {
            assert_eq!(last.read(at(second), true).1, None);
        }
        assert_eq!(last.given, Some(at(1030)));
    }
}
