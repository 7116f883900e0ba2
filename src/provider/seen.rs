//! Bounded memory of native events that were committed lately, so that a re-read costs neither parse nor write.
//!
//! An event counts as seen only once its batch is known to be committed; forgetting one too early costs a duplicate that
//! the VMDB folds, never an event. It keeps hashes of 128 bits over the whole native text, so that two events that only
//! share an id are two events.

use chrono::{DateTime, Utc};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// Hash of a native event.
pub type EventKey = u128;

#[derive(Clone, Copy, Debug)]
struct Entry {
    sweep: u32,
    time: Option<DateTime<Utc>>,
}

/// The memory of one stream.
#[derive(Debug)]
pub struct SeenEvents {
    most: usize,
    hashers: [RandomState; 2],
    seen: HashMap<EventKey, Entry>,
    order: VecDeque<EventKey>,
    waiting: HashMap<EventKey, Entry>,
    sweep: u32,
}

impl SeenEvents {
    /// Remembers at most `most` events, some 60 bytes each; the earliest go first.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            hashers: [RandomState::new(), RandomState::new()],
            seen: HashMap::new(),
            order: VecDeque::new(),
            waiting: HashMap::new(),
            sweep: 0,
        }
    }

    /// The key of a native event's text.
    pub fn key(&self, native: &[u8]) -> EventKey {
        let [high, low] = self.hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(native)));
        high << 64 | low
    }

    /// The time that was told with this event, if it was seen or stands in the batch that is being made.
    pub fn recall(&mut self, key: EventKey) -> Option<Option<DateTime<Utc>>> {
        if let Some(entry) = self.seen.get_mut(&key) {
            entry.sweep = self.sweep;
            return Some(entry.time);
        }
        self.waiting.get(&key).map(|entry| entry.time)
    }

    /// This event goes into the batch that is being made.
    pub fn remember(&mut self, key: EventKey, time: Option<DateTime<Utc>>) {
        self.waiting.insert(key, Entry { sweep: self.sweep, time });
    }

    /// The batch before is committed: its events are seen from now on.
    pub fn committed(&mut self) {
        for (key, entry) in self.waiting.drain() {
            if self.seen.insert(key, entry).is_none() {
                self.order.push_back(key);
            }
        }
        while self.order.len() > self.most {
            if let Some(earliest) = self.order.pop_front() {
                self.seen.remove(&earliest);
            }
        }
    }

    /// A sweep over everything that may be read again is complete: what it did not meet is forgotten.
    pub fn swept(&mut self) {
        let sweep = self.sweep;
        self.seen.retain(|_, entry| entry.sweep == sweep);
        self.order.retain(|key| self.seen.contains_key(key));
        self.sweep = self.sweep.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_seen_only_after_its_commit() {
        let mut seen = SeenEvents::new(10);
        let key = seen.key(b"a");
        assert_eq!(seen.recall(key), None);
        seen.remember(key, None);
        assert_eq!((seen.recall(key), seen.seen.len()), (Some(None), 0));
        seen.committed();
        assert_eq!((seen.recall(key), seen.seen.len()), (Some(None), 1));
    }

    #[test]
    fn what_a_sweep_does_not_meet_and_what_is_too_much_is_forgotten() {
        let mut seen = SeenEvents::new(2);
        let [a, b, c] = [b"a", b"b", b"c"].map(|text| seen.key(text));
        for key in [a, b, c] {
            seen.remember(key, None);
            seen.committed();
        }
        assert_eq!((seen.recall(a), seen.recall(b)), (None, Some(None)));
        seen.swept();
        seen.recall(c);
        seen.swept();
        assert_eq!((seen.recall(b), seen.recall(c), seen.order.len()), (None, Some(None), 1));
    }
}
