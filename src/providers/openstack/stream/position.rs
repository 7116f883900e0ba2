//! What is known of the queue from one start to the next: the cursor, and what it tells to be lost. Pure.
//!
//! The queue itself remembers what was not acknowledged, so the cursor is no place to go on from. It notices what AMQP does
//! not tell. A broker has no clock: times are those of the notifications, by their senders' clocks.
//!
//! Two exchanges of ours bear witness. Both are bound to the queue and vanish with it; their names carry a random mark:
//! - the *queue's* is durable, as the queue is. While it is there, the queue is the one that was read before. One that was
//!   deleted, expired, or belongs to another broker lacks it.
//! - the *bindings'* is not durable, as the exchanges of OpenStack are by default. A restart of the broker takes it, and with it
//!   the bindings to all exchanges that are not durable, while the queue and its messages live on. What was sent until
//!   they are made again is lost.
//!
//! Marks are new each time, so that a crash between making them and the commit of the gap tells the gap again.

use super::twins::Twins;
use crate::provider::{Cursor, Gap};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the stream commits with its batches.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// When the newest notification that was read was sent.
    pub(super) read: Option<DateTime<Utc>>,
    /// Gaps that were told since.
    #[serde(default)]
    pub(super) gaps: u32,
    /// The mark of the queue.
    pub(super) queue: String,
    /// The mark of the bindings.
    pub(super) bindings: String,
    /// Each exchange, and whether it was there.
    pub(super) exchanges: BTreeMap<String, bool>,
    /// See [`Twins`].
    pub(super) twins: String,
}

/// One of the two exchanges that bear witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WitnessOf {
    Queue,
    Bindings,
}

/// What the witnesses say, at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    /// Queue and bindings are the ones that were read before.
    AsBefore,
    /// The bindings were lost.
    BindingsLost,
    /// It is another queue.
    OtherQueue,
}

/// Goes along with a stream from its start to its end.
#[derive(Debug)]
pub(super) struct Progress {
    source: String,
    position: Position,
    pub(super) twins: Twins,
    /// Those that are to be made.
    lacking: Vec<WitnessOf>,
    /// Something is to be committed even without events.
    changed: bool,
    gap: Option<&'static str>,
    /// The queue was at its limit when it was last looked at.
    full: bool,
}

const HISTORY_LOST: &str = "history_lost";
const SOURCE_CHANGED: &str = "source_changed";

/// The position in `stored`, if it is one of `source`; else why it cannot be followed.
pub(super) fn stored_position(
    source: &str,
    stored: Option<Cursor>,
) -> Result<Option<Position>, &'static str> {
    let Some(cursor) = stored else { return Ok(None) };
    if cursor.source.is_empty() {
        return Err("cursor_refused");
    }
    if cursor.source != source {
        return Err(SOURCE_CHANGED);
    }
    serde_json::from_value(cursor.position).map(Some).map_err(|_| "cursor_refused")
}

impl Progress {
    /// Of an EMS that was never read, or (`lost`) whose cursor cannot be followed.
    pub(super) fn begin(source: String, lost: Option<&'static str>, prefetch: u16) -> Self {
        Self {
            source,
            position: Position::default(),
            twins: Twins::resume("", prefetch),
            lacking: vec![WitnessOf::Queue, WitnessOf::Bindings],
            changed: true,
            gap: lost,
            full: false,
        }
    }

    /// Goes on from `position`, of which `witness` was given.
    pub(super) fn resume(source: String, position: Position, witness: Witness, prefetch: u16) -> Self {
        let twins = Twins::resume(&position.twins, prefetch);
        let (gap, lacking) = match witness {
            Witness::AsBefore => (None, vec![]),
            Witness::BindingsLost => (Some(HISTORY_LOST), vec![WitnessOf::Bindings]),
            Witness::OtherQueue => (Some(SOURCE_CHANGED), vec![WitnessOf::Queue, WitnessOf::Bindings]),
        };
        Self { source, position, twins, lacking, changed: gap.is_some(), gap, full: false }
    }

    /// The next witness that is to be made. The bindings' comes last: while it is there, they are.
    pub(super) fn lacks(&self) -> Option<WitnessOf> {
        self.lacking.first().copied()
    }

    /// A witness was made, and has this mark.
    pub(super) fn made(&mut self, of: WitnessOf, mark: String) {
        self.lacking.retain(|lacking| *lacking != of);
        self.changed = true;
        match of {
            WitnessOf::Queue => self.position.queue = mark,
            WitnessOf::Bindings => self.position.bindings = mark,
        }
    }

    /// What was known of an exchange before this look.
    pub(super) fn knew(&self, exchange: &str) -> Option<bool> {
        self.position.exchanges.get(exchange).copied()
    }

    /// `exchange` is bound, or is not there. One that was missing before has been sent to without us, if only to the first
    /// notification that made it.
    pub(super) fn looked(&mut self, exchange: &str, is_there: bool) {
        let before = self.position.exchanges.insert(exchange.to_owned(), is_there);
        if before == Some(is_there) {
            return;
        }
        self.changed = true;
        if before == Some(false) {
            self.lose(HISTORY_LOST);
        }
    }

    /// The queue holds `ready` messages of `limit`. At its limit the broker drops the oldest for each that comes. `slack`: as
    /// many may be on their way to us since.
    pub(super) fn filled(&mut self, ready: u32, limit: u32, slack: u32) {
        if ready.saturating_add(slack.min(limit / 2)) < limit {
            self.full = self.full && ready > limit / 2;
        } else if !self.full {
            self.full = true;
            self.lose(HISTORY_LOST);
        }
    }

    fn lose(&mut self, reason: &'static str) {
        self.gap = self.gap.or(Some(reason));
        self.changed = true;
    }

    /// Whether there is something to commit that cannot wait for a message.
    pub(super) fn is_urgent(&self) -> bool {
        self.changed
    }

    /// A batch was read, from the notification of `first` to that of `last`, or nothing. What is to be committed with it.
    pub(super) fn read(
        &mut self,
        news: bool,
        first: Option<DateTime<Utc>>,
        last: Option<DateTime<Utc>>,
    ) -> (Option<Cursor>, Option<Gap>) {
        if !news && !self.changed {
            return (None, None);
        }
        // Gaps are known by where they begin, so a second one before any news begins after the first.
        let gaps = TimeDelta::microseconds(self.position.gaps.into());
        let from = self.position.read.map(|read| read + gaps);
        let gap = self.gap.take().map(|reason| Gap {
            from,
            to: first.filter(|first| from.is_none_or(|from| from < *first)),
            reason: reason.to_owned(),
        });
        self.changed = false;
        self.position.gaps = match (news, &gap) {
            (true, _) => 0,
            (false, Some(_)) => self.position.gaps.saturating_add(1),
            (false, None) => self.position.gaps,
        };
        self.position.read = last.max(self.position.read);
        self.twins.forget();
        self.position.twins = self.twins.stored();
        // A position of texts and times can always be written.
        let position = serde_json::to_value(&self.position).unwrap_or_default();
        (Some(Cursor { source: self.source.clone(), position }), gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(second, 0)
    }

    fn position(cursor: Option<Cursor>) -> Position {
        serde_json::from_value(cursor.unwrap().position).unwrap()
    }

    fn begun() -> Progress {
        let mut progress = Progress::begin("q".to_owned(), None, 10);
        for mark in ["a", "b"] {
            let lacking = progress.lacks().unwrap();
            progress.made(lacking, mark.to_owned());
        }
        assert_eq!(progress.lacks(), None);
        progress.looked("nova", true);
        progress.looked("heat", false);
        progress
    }

    fn resumed(witness: Witness) -> Progress {
        let (cursor, _) = begun().read(true, at(900), at(1000));
        let position = stored_position("q", cursor).unwrap().unwrap();
        Progress::resume("q".to_owned(), position, witness, 10)
    }

    fn lost(from: i64, to: Option<i64>, reason: &str) -> Option<Gap> {
        Some(Gap { from: at(from), to: to.and_then(at), reason: reason.to_owned() })
    }

    #[test]
    fn a_second_gap_without_news_is_another_one_and_a_repeated_one_is_not() {
        let resume = |cursor: &Option<Cursor>| {
            let stored = stored_position("q", cursor.clone()).unwrap().unwrap();
            Progress::resume("q".to_owned(), stored, Witness::BindingsLost, 10)
        };
        let (first, told) = resumed(Witness::BindingsLost).read(false, None, None);
        assert_eq!(told, lost(1000, None, "history_lost"));
        let later = at(1000).map(|time| time + TimeDelta::microseconds(1));
        for _ in 0..2 {
            let (_, told) = resume(&first).read(false, None, None);
            assert_eq!(told.unwrap().from, later, "until it is committed, it is the same");
        }
        let (second, _) = resume(&first).read(true, at(1100), at(1200));
        assert_eq!(resume(&second).read(false, None, None).1, lost(1200, None, "history_lost"));
    }

    #[test]
    fn a_new_ems_gets_a_cursor_at_once_and_no_gap() {
        let mut progress = begun();
        assert!(progress.is_urgent());
        let (cursor, gap) = progress.read(false, None, None);
        let first = position(cursor);
        assert_eq!((first.queue.as_str(), first.bindings.as_str(), first.read, gap), ("a", "b", None, None));
        assert_eq!(first.exchanges, BTreeMap::from([("nova".to_owned(), true), ("heat".to_owned(), false)]));
        assert_eq!(
            progress.read(false, None, None),
            (None, None),
            "a poll that brings nothing writes nothing"
        );
        assert_eq!(position(progress.read(true, at(5), at(9)).0).read, at(9));
        assert_eq!(
            position(progress.read(true, None, at(7)).0).read,
            at(9),
            "senders' clocks do not turn it back"
        );
    }

    #[test]
    fn the_witnesses_decide() {
        assert!(!resumed(Witness::AsBefore).is_urgent());
        assert_eq!(resumed(Witness::AsBefore).lacks(), None);
        assert_eq!(resumed(Witness::BindingsLost).lacks(), Some(WitnessOf::Bindings));
        assert_eq!(resumed(Witness::OtherQueue).lacks(), Some(WitnessOf::Queue));
        for (witness, reason) in
            [(Witness::BindingsLost, HISTORY_LOST), (Witness::OtherQueue, SOURCE_CHANGED)]
        {
            let mut progress = resumed(witness);
            assert!(progress.is_urgent());
            assert_eq!(progress.read(false, None, None).1, lost(1000, None, reason));
            assert_eq!(progress.read(true, at(1500), at(1500)).1, None, "told once");
        }
        let mut progress = resumed(Witness::BindingsLost);
        assert_eq!(progress.read(true, at(1200), at(1300)).1, lost(1000, Some(1200), HISTORY_LOST));
        let mut progress = resumed(Witness::BindingsLost);
        assert_eq!(progress.read(true, at(800), at(1300)).1, lost(1000, None, HISTORY_LOST), "redelivered");
    }

    #[test]
    fn an_exchange_that_appears_was_sent_to_without_us_and_a_new_wish_is_none() {
        let mut progress = resumed(Witness::AsBefore);
        progress.looked("nova", true);
        progress.looked("heat", false);
        progress.looked("ironic", true);
        assert_eq!(progress.read(false, None, None).1, None, "the settings name another exchange");
        progress.looked("heat", true);
        assert!(progress.is_urgent());
        assert_eq!(progress.read(false, None, None).1, lost(1000, None, HISTORY_LOST));
        progress.looked("nova", false);
        assert_eq!(progress.read(false, None, None).1, None, "nobody sends to what is not there");
        progress.looked("nova", true);
        let second = progress.read(false, None, None).1.unwrap();
        assert_eq!(second.from, at(1000).map(|time| time + TimeDelta::microseconds(1)));
    }

    #[test]
    fn a_queue_at_its_limit_lost_its_oldest_and_tells_it_once_until_it_is_half_empty() {
        let mut progress = resumed(Witness::AsBefore);
        progress.filled(999, 1000, 0);
        assert!(!progress.is_urgent());
        progress.filled(1000, 1000, 0);
        assert_eq!(progress.read(true, at(1700), at(1700)).1, lost(1000, Some(1700), HISTORY_LOST));
        for ready in [1000, 600, 990, 501] {
            progress.filled(ready, 1000, 20);
            assert!(!progress.is_urgent(), "{ready}");
        }
        progress.filled(400, 1000, 20);
        progress.filled(980, 1000, 20);
        assert!(progress.is_urgent(), "with those on their way it may have been full");
        let mut small = resumed(Witness::AsBefore);
        small.filled(100, 1000, 5000);
        assert!(!small.is_urgent(), "a large prefetch does not make a queue full");
    }

    #[test]
    fn a_cursor_of_another_source_and_one_that_nobody_can_read_cannot_be_followed() {
        let cursor = |source: &str, position| Some(Cursor { source: source.to_owned(), position });
        let good = serde_json::to_value(Position::default()).unwrap();
        assert_eq!(stored_position("q", None), Ok(None));
        assert_eq!(stored_position("q", cursor("q", good.clone())), Ok(Some(Position::default())));
        assert_eq!(stored_position("q", cursor("p", good.clone())), Err(SOURCE_CHANGED));
        assert_eq!(stored_position("q", cursor("q", serde_json::json!("?"))), Err("cursor_refused"));
        assert_eq!(stored_position("q", cursor("", good)), Err("cursor_refused"));
        let mut progress = Progress::begin("q".to_owned(), Some("cursor_refused"), 10);
        assert_eq!(progress.read(false, None, None).1.unwrap().reason, "cursor_refused");
    }
}
