//! Which batches are committed together. Pure.
//!
//! A commit is kept short, some 50 ms, since whatever arrives meanwhile waits for it: how many rows that are shows in how
//! long the last ones took. Small batches go first, so that EMSs in which little happens do not wait for all storms in turn;
//! whoever was passed over for them goes next.

use crate::provider::EmsId;
use crate::vmdb::ReadyBatch;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// What a commit should take at most.
const LONG: Duration = Duration::from_millis(50);
/// At most so many rows in one transaction, however quick they are, …
const MOST_ROWS: usize = 1_000;
/// … so many at least, however slow, …
const LEAST_ROWS: usize = super::portions::ROWS;
/// … and about so many bytes.
const MOST_BYTES: usize = 4 << 20;

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
    /// Rows that are committed in [`LONG`].
    most_rows: usize,
    /// The oldest that waits was passed over for smaller ones.
    passed_over: bool,
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
        Self(
            (0..count.max(1))
                .map(|_| Lane {
                    busy: false,
                    most_rows: MOST_ROWS,
                    passed_over: false,
                    waiting: VecDeque::new(),
                })
                .collect(),
        )
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

    /// The commit of so many rows on this lane is over.
    pub fn finished(&mut self, lane: usize, rows: usize, took: Duration) {
        let lane = &mut self.0[lane];
        lane.busy = false;
        // A few rows tell of the commit's own cost, not of what a row costs.
        if rows >= LEAST_ROWS / 2 {
            let fits = (rows as f64 * LONG.as_secs_f64() / took.as_secs_f64().max(1e-6)) as usize;
            lane.most_rows = ((3 * lane.most_rows + fits) / 4).clamp(LEAST_ROWS, MOST_ROWS);
        }
    }
}

impl<R> Lane<R> {
    /// The smallest that wait, or the oldest when it was passed over, and after it whatever still fits.
    fn next_group(&mut self) -> Vec<Waiting<R>> {
        let (mut rows, mut bytes, mut chosen) = (0, 0, Vec::new());
        for place in self.in_turn() {
            let batch = &self.waiting[place].batch;
            rows += batch.rows();
            bytes += batch.bytes();
            if !chosen.is_empty() && (rows > self.most_rows || bytes > MOST_BYTES) {
                break;
            }
            chosen.push(place);
        }
        chosen.sort_unstable();
        self.passed_over = chosen.first().is_some_and(|first| *first != 0);
        let mut group: Vec<_> = chosen.iter().rev().filter_map(|place| self.waiting.remove(*place)).collect();
        group.reverse();
        group
    }

    /// Places in the order in which they are taken. A batch never goes before an older one of its EMS, whose catcher may have
    /// begun anew meanwhile.
    fn in_turn(&self) -> Vec<usize> {
        let mut of_ems: HashMap<EmsId, usize> = HashMap::new();
        let sizes = self.waiting.iter().map(|waiting| {
            let size = of_ems.entry(waiting.batch.ems_id).or_default();
            *size = waiting.batch.rows().max(*size);
            *size
        });
        let sizes: Vec<_> = sizes.collect();
        let mut places: Vec<_> = (0..sizes.len()).collect();
        places.sort_by_key(|place| (!(self.passed_over && *place == 0), sizes[*place]));
        places
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
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![6])]);
    }

    #[test]
    fn a_group_is_bounded_by_rows_and_bytes_but_one_batch_is_always_admitted() {
        let mut lanes = Lanes::new(1);
        lanes.push(batch(1, 1, MOST_BYTES + 1));
        assert_eq!(replies(lanes.start()), [(0, vec![1])]);
        lanes.push(batch(2, MOST_ROWS - 1, 1));
        lanes.push(batch(3, 1, 1));
        lanes.push(batch(4, MOST_ROWS + 1, 1));
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![2, 3])]);
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![4])]);
    }

    #[test]
    fn small_batches_go_first_and_whoever_was_passed_over_goes_next() {
        let mut lanes = Lanes::new(1);
        for (ems_id, rows) in [(1, MOST_ROWS), (2, MOST_ROWS), (3, 1), (4, 2)] {
            lanes.push(batch(ems_id, rows, 1));
        }
        assert_eq!(replies(lanes.start()), [(0, vec![3, 4])]);
        lanes.push(batch(5, 1, 1));
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![1])], "it was passed over once");
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![5])], "not behind the next storm");
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![2])]);
    }

    #[test]
    fn slow_commits_become_smaller_and_quick_ones_larger_again() {
        let mut lanes = Lanes::new(1);
        let push = |lanes: &mut Lanes<i64>| (0..20).for_each(|_| lanes.push(batch(1, LEAST_ROWS, 1)));
        push(&mut lanes);
        assert_eq!(lanes.start()[0].1.len(), 4);
        (0..20).for_each(|_| lanes.finished(0, 1_000, 4 * LONG));
        assert_eq!(lanes.start()[0].1.len(), 1);
        lanes.finished(0, 1, 4 * LONG);
        (0..20).for_each(|_| lanes.finished(0, LEAST_ROWS, LONG / 4));
        assert_eq!(lanes.start()[0].1.len(), 3);
    }

    #[test]
    fn a_batch_never_goes_before_an_older_one_of_its_ems() {
        let mut lanes = Lanes::new(1);
        lanes.push(batch(1, MOST_ROWS, 1));
        lanes.push(batch(2, MOST_ROWS - 1, 1));
        lanes.push(batch(1, 1, 2));
        assert_eq!(replies(lanes.start()), [(0, vec![2])]);
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![1])]);
        lanes.finished(0, 1, LONG);
        assert_eq!(replies(lanes.start()), [(0, vec![1])]);
    }
}
