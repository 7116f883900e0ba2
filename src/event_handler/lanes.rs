//! Which batches are committed together. Pure.

use crate::provider::EmsId;
use crate::vmdb::ReadyBatch;
use std::collections::VecDeque;

/// At most so many rows in one transaction …
const MOST_ROWS: usize = 5_000;
/// … and about so many bytes.
const MOST_BYTES: usize = 8 << 20;

/// A batch that waits, with whoever waits for it.
pub struct Waiting<R> {
    /// What to commit.
    pub batch: ReadyBatch,
    /// Who is told.
    pub reply: R,
}

/// The lanes, each with its queue.
pub struct Lanes<R>(Vec<Lane<R>>);

struct Lane<R> {
    busy: bool,
    waiting: VecDeque<Waiting<R>>,
}

/// The lane of an EMS: always the same, so that its order holds.
pub fn lane_of(ems_id: EmsId, lanes: usize) -> usize {
    // invariant: there is at least one lane.
    usize::try_from(ems_id.0.unsigned_abs() % lanes.max(1) as u64).unwrap_or(0)
}

impl<R> Lanes<R> {
    /// So many, at least one.
    pub fn new(count: usize) -> Self {
        Self((0..count.max(1)).map(|_| Lane { busy: false, waiting: VecDeque::new() }).collect())
    }

    /// Queues a batch on the lane of its EMS.
    pub fn push(&mut self, waiting: Waiting<R>) {
        let lane = lane_of(waiting.batch.ems_id, self.0.len());
        self.0[lane].waiting.push_back(waiting);
    }

    /// For every idle lane with something waiting: marks it busy and gives what it commits next.
    pub fn start(&mut self) -> Vec<(usize, Vec<Waiting<R>>)> {
        let idle = self.0.iter_mut().enumerate().filter(|(_, lane)| !lane.busy && !lane.waiting.is_empty());
        idle.map(|(index, lane)| {
            lane.busy = true;
            (index, lane.next_group())
        })
        .collect()
    }

    /// The commit on this lane is over.
    pub fn finished(&mut self, lane: usize) {
        self.0[lane].busy = false;
    }
}

impl<R> Lane<R> {
    /// The oldest that waits, and after it whatever still fits.
    fn next_group(&mut self) -> Vec<Waiting<R>> {
        let (mut rows, mut bytes, mut group) = (0, 0, Vec::new());
        while let Some(next) = self.waiting.front() {
            rows += next.batch.rows();
            bytes += next.batch.bytes();
            if !group.is_empty() && (rows > MOST_ROWS || bytes > MOST_BYTES) {
                break;
            }
            group.extend(self.waiting.pop_front());
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vmdb::DeadLetter;

    fn batch(ems_id: i64, letters: usize, size: usize) -> Waiting<i64> {
        let letter = DeadLetter {
            event_uid: "u".into(),
            transport_id: None,
            native: "x".repeat(size),
            reason: String::new(),
        };
        let batch = ReadyBatch { dead_letters: vec![letter; letters], ..ReadyBatch::of(EmsId(ems_id)) };
        Waiting { batch, reply: ems_id }
    }

    fn replies(groups: Vec<(usize, Vec<Waiting<i64>>)>) -> Vec<(usize, Vec<i64>)> {
        groups.into_iter().map(|(lane, group)| (lane, group.into_iter().map(|w| w.reply).collect())).collect()
    }

    #[test]
    fn what_waits_on_an_idle_lane_is_committed_together() {
        let mut lanes = Lanes::new(2);
        for id in [1, 2, 3, 4] {
            lanes.push(batch(id, 1, 1));
        }
        assert_eq!(replies(lanes.start()), [(0, vec![2, 4]), (1, vec![1, 3])]);
        lanes.push(batch(6, 1, 1));
        assert_eq!(replies(lanes.start()), [], "both lanes are busy");
        lanes.finished(0);
        assert_eq!(replies(lanes.start()), [(0, vec![6])]);
    }

    #[test]
    fn a_group_is_bounded_by_rows_and_bytes_but_one_batch_is_always_admitted() {
        let mut lanes = Lanes::new(1);
        lanes.push(batch(1, 1, MOST_BYTES + 1));
        lanes.push(batch(2, MOST_ROWS - 1, 1));
        lanes.push(batch(3, 1, 1));
        lanes.push(batch(4, 1, 1));
        assert_eq!(replies(lanes.start()), [(0, vec![1])]);
        lanes.finished(0);
        assert_eq!(replies(lanes.start()), [(0, vec![2, 3])]);
        lanes.finished(0);
        assert_eq!(replies(lanes.start()), [(0, vec![4])]);
    }
}
