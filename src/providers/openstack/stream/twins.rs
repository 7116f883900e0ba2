//! A versioned and an unversioned notification of one happening are one event: which of them is the other's twin. Pure.
//!
//! Nova may send each happening twice (`notification_format = both`). Whichever comes first is the event; the other one is known
//! to be it, and nothing more is done with it. What comes alone loses nothing.
//!
//! What was met is part of the cursor, so that a crash between the two makes no double. It is bounded: what has no twin is
//! forgotten after ten minutes of the cloud's own time, and everything after as many notifications as the broker can deliver
//! again. A broker delivers again only what was not acknowledged, and that is at most the prefetch.

use super::notification::Likeness;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::VecDeque;
use uuid::Uuid;

/// Twins are sent within milliseconds of each other; queues on the way may make it seconds.
const ALONE: u32 = 600;
/// So many are remembered in a cloud that sends one form only.
const FEW: usize = 64;
/// key, id, the first half of the twin's id, second, versioned.
const RECORD: usize = 8 + 16 + 8 + 4 + 1;

/// What was met of late, in the order of coming.
#[derive(Clone, Debug, Default)]
pub(super) struct Twins {
    met: VecDeque<Met>,
    /// Notifications so far.
    count: u64,
    /// As many notifications may be delivered again.
    again: u64,
    newest: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Met {
    like: Likeness,
    /// Of the twin that came later: the first half of its id suffices to know it again.
    twin: Option<u64>,
    /// [`Twins::count`] when it or its twin came.
    touched: u64,
}

impl Twins {
    /// Goes on from what a cursor holds; what cannot be read is nothing.
    pub(super) fn resume(stored: &str, prefetch: u16) -> Self {
        let bytes = STANDARD_NO_PAD.decode(stored).unwrap_or_default();
        let met: VecDeque<_> = bytes.as_chunks::<RECORD>().0.iter().map(Met::from_record).collect();
        let newest = met.iter().map(|met| met.like.second).max().unwrap_or_default();
        Self { met, count: 0, again: u64::from(prefetch), newest }
    }

    /// For the cursor.
    pub(super) fn stored(&self) -> String {
        let bytes: Vec<u8> = self.met.iter().flat_map(Met::record).collect();
        STANDARD_NO_PAD.encode(bytes)
    }

    /// The id of the twin that came before `like`, if there is one. `redelivered`: the broker says that it gave it before,
    /// so that it may be one of those that are remembered.
    pub(super) fn twin_of(&mut self, like: Likeness, redelivered: bool) -> Option<Uuid> {
        self.count += 1;
        self.newest = self.newest.max(like.second);
        let (count, half) = (self.count, first_half(like.id));
        if redelivered && let Some(met) = self.met.iter_mut().find(|met| met.twin == Some(half)) {
            met.touched = count;
            return Some(met.like.id);
        }
        if redelivered && let Some(met) = self.met.iter_mut().find(|met| met.like.id == like.id) {
            met.touched = count;
            return None;
        }
        let alone = |met: &&mut Met| {
            met.twin.is_none() && met.like.key == like.key && met.like.versioned != like.versioned
        };
        if let Some(met) = self.met.iter_mut().find(alone) {
            (met.twin, met.touched) = (Some(half), count);
            return Some(met.like.id);
        }
        self.met.push_back(Met { like, twin: None, touched: count });
        None
    }

    /// Forgets what can neither find a twin nor come again. Called once for each batch.
    pub(super) fn forget(&mut self) {
        let (count, again, newest) = (self.count, self.again, self.newest);
        self.met.retain(|met| {
            let waits = met.twin.is_none() && newest.saturating_sub(met.like.second) <= ALONE;
            (waits || met.twin.is_some()) && count - met.touched <= again
        });
        if self.met.iter().all(|met| met.twin.is_none()) {
            self.met.drain(..self.met.len().saturating_sub(FEW));
        }
    }
}

fn first_half(id: Uuid) -> u64 {
    id.as_u64_pair().0
}

impl Met {
    fn record(&self) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&self.like.key.to_be_bytes());
        record[8..24].copy_from_slice(self.like.id.as_bytes());
        record[24..32].copy_from_slice(&self.twin.unwrap_or_default().to_be_bytes());
        record[32..36].copy_from_slice(&self.like.second.to_be_bytes());
        record[36] = u8::from(self.like.versioned);
        record
    }

    fn from_record(record: &[u8; RECORD]) -> Self {
        let number =
            |at: usize| record[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let id = record[8..24].iter().fold(0, |id, byte| id << 8 | u128::from(*byte));
        let second = record[32..36].iter().fold(0, |second, byte| second << 8 | u32::from(*byte));
        let like = Likeness { id: Uuid::from_u128(id), key: number(0), versioned: record[36] == 1, second };
        // No UUID begins with so many zeros.
        Self { like, twin: Some(number(24)).filter(|half| *half != 0), touched: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFETCH: u16 = 100;

    fn like(id: u128, key: u64, versioned: bool, second: u32) -> Likeness {
        Likeness { id: Uuid::from_u128(id << 64 | id), key, versioned, second }
    }

    fn id(id: u128) -> Option<Uuid> {
        Some(Uuid::from_u128(id << 64 | id))
    }

    /// As a cursor keeps it.
    fn again(twins: &Twins) -> Twins {
        Twins::resume(&twins.stored(), PREFETCH)
    }

    #[test]
    fn whichever_comes_first_names_both() {
        for first_is_versioned in [false, true] {
            let mut twins = Twins::resume("", PREFETCH);
            assert_eq!(twins.twin_of(like(1, 7, first_is_versioned, 10), false), None);
            assert_eq!(twins.twin_of(like(2, 7, !first_is_versioned, 10), false), id(1));
        }
    }

    #[test]
    fn the_same_happening_twice_is_two_pairs_and_nothing_is_swallowed() {
        let mut twins = Twins::resume("", PREFETCH);
        assert_eq!(twins.twin_of(like(1, 7, false, 10), false), None);
        assert_eq!(twins.twin_of(like(2, 7, false, 10), false), None, "of the same form: another happening");
        assert_eq!(twins.twin_of(like(3, 7, true, 10), false), id(1));
        assert_eq!(twins.twin_of(like(4, 7, true, 10), false), id(2));
        assert_eq!(twins.twin_of(like(5, 7, true, 10), false), None, "alone: no twin is left");
        assert_eq!(twins.twin_of(like(6, 8, false, 10), false), None, "another key");
    }

    #[test]
    fn what_is_delivered_again_is_given_the_same_again_even_after_a_restart() {
        let mut twins = Twins::resume("", PREFETCH);
        twins.twin_of(like(1, 7, false, 10), false);
        twins.forget();
        let mut twins = again(&twins);
        assert_eq!(twins.twin_of(like(2, 7, true, 10), false), id(1), "the crash was between the two");
        twins.forget();
        let mut twins = again(&twins);
        assert_eq!(twins.twin_of(like(1, 7, false, 10), true), None);
        assert_eq!(twins.twin_of(like(2, 7, true, 10), true), id(1));
        assert_eq!(twins.twin_of(like(3, 7, true, 10), false), None, "the pair is complete");
    }

    #[test]
    fn what_stays_alone_is_forgotten_by_the_clouds_own_time() {
        let mut twins = Twins::resume("", PREFETCH);
        twins.twin_of(like(1, 7, false, 1000), false);
        twins.twin_of(like(2, 8, false, 1000 + ALONE), false);
        twins.forget();
        assert!(again(&twins).twin_of(like(3, 7, true, 1000), false).is_some());
        twins.twin_of(like(4, 9, false, 1001 + ALONE), false);
        twins.forget();
        assert_eq!(again(&twins).twin_of(like(3, 7, true, 1000), false), None);
    }

    #[test]
    fn it_holds_no_more_than_can_be_delivered_again_and_little_without_twins() {
        let mut twins = Twins::resume("", PREFETCH);
        for n in 1..=10_000_u64 {
            twins.twin_of(like(n.into(), n, false, 10), false);
            twins.forget();
            assert!(twins.met.len() <= FEW);
        }
        for n in 20_000..30_000_u64 {
            twins.twin_of(like(n.into(), n, false, 10), false);
            twins.twin_of(like((n + 100_000).into(), n, true, 10), false);
            twins.forget();
            assert!(twins.met.len() <= usize::from(PREFETCH) + 1, "{}", twins.met.len());
        }
        let last = like(129_999, 29_999, true, 10);
        assert_eq!(again(&twins).twin_of(last, true), id(29_999));
    }

    #[test]
    fn a_cursor_that_cannot_be_read_is_no_obstacle() {
        for stored in ["", "?", "AAAA"] {
            assert_eq!(Twins::resume(stored, PREFETCH).met.len(), 0, "{stored}");
        }
    }
}
