//! Saving a whole inventory: on PostgreSQL in one transaction, which keeps nobody waiting; on SQLite in slices between which
//! events are committed. Rows in the order given, then those again that refer to later ones, deletions last.
//!
//! When a slice fails, what was saved is true and stays, and nothing was removed yet: the refresh is made anew as a whole.

use super::VmdbError;
use super::dialect::Connection;
use super::inventory::{self, SaveCounts};
use super::inventory_history::{Because, Saving};
use crate::provider::{EmsId, Row};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// What saving did, by association.
pub type CountsByAssociation = BTreeMap<&'static str, SaveCounts>;

/// Rows in one go at first, and wherever nobody has to wait.
const FIRST: usize = 200;
const MOST: usize = 1_000;
const LEAST: usize = 5;

/// A save under way; see the module.
#[derive(Debug)]
pub struct InventorySave {
    ems_id: EmsId,
    because: Option<Because>,
    steps: VecDeque<Step>,
    waiting: BTreeMap<(&'static str, bool), Vec<Row>>,
    counts: CountsByAssociation,
    rows_at_once: usize,
}

#[derive(Debug)]
enum Step {
    Save(&'static str, VecDeque<Row>),
    /// Rows that were saved while something that they refer to was not; whether they were counted as unchanged then.
    SaveAgain(&'static str, bool, VecDeque<Row>),
    Remove(&'static str, VecDeque<String>),
}

impl InventorySave {
    /// Saves `rows` in this order, what others refer to first, then removes what is `gone` in the opposite order. With
    /// `because`, what changes is kept as history.
    pub fn new(
        (ems_id, because): (EmsId, Option<Because>),
        rows: Vec<(&'static str, Vec<Row>)>,
        gone: Vec<(&'static str, Vec<String>)>,
    ) -> Self {
        let saves = rows.into_iter().filter(|(_, rows)| !rows.is_empty());
        let removals = gone.into_iter().rev().filter(|(_, ems_refs)| !ems_refs.is_empty());
        let steps = saves
            .map(|(association, rows)| Step::Save(association, rows.into()))
            .chain(removals.map(|(association, ems_refs)| Step::Remove(association, ems_refs.into())));
        let steps = steps.collect();
        Self {
            ems_id,
            because,
            steps,
            waiting: BTreeMap::new(),
            counts: BTreeMap::new(),
            rows_at_once: FIRST,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// What was done.
    pub fn into_counts(self) -> CountsByAssociation {
        self.counts
    }

    /// Does the next slice, or all of it where that keeps nobody waiting.
    ///
    /// # Errors
    /// See [`VmdbError`]. The save cannot be gone on with.
    pub fn advance(&mut self, connection: &mut Connection) -> Result<(), VmdbError> {
        match connection.slice_of_refresh() {
            None => {
                self.rows_at_once = MOST;
                connection.transaction(|connection| {
                    // The tables grow meanwhile, and a plan that was made for few rows compares each row with each.
                    connection.batch("SET LOCAL plan_cache_mode = force_custom_plan")?;
                    while !self.is_done() {
                        self.step(connection)?;
                    }
                    Ok(())
                })
            }
            Some(limit) => {
                let started = Instant::now();
                self.step(connection)?;
                self.rows_at_once = next_size(self.rows_at_once, started.elapsed(), limit);
                Ok(())
            }
        }
    }

    fn step(&mut self, connection: &mut Connection) -> Result<(), VmdbError> {
        let Some(step) = self.steps.pop_front() else { return Ok(()) };
        match step {
            Step::Save(association, mut rows) => {
                let some = self.some(&mut rows);
                if !rows.is_empty() {
                    self.steps.push_front(Step::Save(association, rows));
                }
                self.save(connection, association, some)?;
            }
            Step::SaveAgain(association, unchanged, mut rows) => {
                let some = self.some(&mut rows);
                if !rows.is_empty() {
                    self.steps.push_front(Step::SaveAgain(association, unchanged, rows));
                }
                let (again, _) =
                    inventory::save_some(connection, self.saving(), association, &some, |_| false)?;
                // Rows that were written before have been counted.
                if unchanged {
                    let counts = self.counts.entry(association).or_default();
                    counts.changed += again.changed;
                    counts.unchanged -= again.changed;
                }
            }
            Step::Remove(association, mut ems_refs) => {
                let some = self.some(&mut ems_refs);
                if !ems_refs.is_empty() {
                    self.steps.push_front(Step::Remove(association, ems_refs));
                }
                let removed = inventory::remove_some(connection, self.saving(), association, &some)?;
                *self.counts.entry(association).or_default() += removed;
            }
        }
        Ok(())
    }

    fn saving(&self) -> Saving<'_> {
        Saving { ems_id: self.ems_id, because: self.because.as_ref() }
    }

    /// As many of `all` as one go takes.
    fn some<T>(&self, all: &mut VecDeque<T>) -> Vec<T> {
        all.drain(..all.len().min(self.rows_at_once)).collect()
    }

    fn save(
        &mut self,
        connection: &mut Connection,
        association: &'static str,
        rows: Vec<Row>,
    ) -> Result<(), VmdbError> {
        let to_come: Vec<_> = self.steps.iter().filter_map(Step::brings).chain([association]).collect();
        let still_to_come = |name: &str| to_come.contains(&name);
        let (counts, waiting) =
            inventory::save_some(connection, self.saving(), association, &rows, still_to_come)?;
        *self.counts.entry(association).or_default() += counts;
        let mut rows: Vec<_> = rows.into_iter().map(Some).collect();
        for waiting in waiting {
            let again = self.waiting.entry((association, waiting.unchanged)).or_default();
            again.extend(rows[waiting.index].take());
        }
        // All is there now that will be.
        if !self.steps.iter().any(|step| step.brings().is_some()) {
            for ((association, unchanged), rows) in std::mem::take(&mut self.waiting) {
                self.steps.push_front(Step::SaveAgain(association, unchanged, rows.into()));
            }
        }
        Ok(())
    }
}

impl Step {
    /// The association whose rows it adds.
    fn brings(&self) -> Option<&'static str> {
        match self {
            Self::Save(association, _) => Some(association),
            Self::SaveAgain(..) | Self::Remove(..) => None,
        }
    }
}

/// How many rows take two thirds of `limit`, when `rows` took as long as they did; at most twice as many as before.
fn next_size(rows: usize, took: Duration, limit: Duration) -> usize {
    let fitting = rows as f64 * limit.as_secs_f64() / took.as_secs_f64().max(1e-6) / 1.5;
    (fitting as usize).min(rows * 2).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_the_time_that_they_took() {
        let limit = Duration::from_millis(50);
        let sized = |rows, millis| next_size(rows, Duration::from_millis(millis), limit);
        assert_eq!(sized(200, 1), 400, "fast: twice as many, not more");
        assert_eq!(sized(200, 33), 202, "as it should be");
        assert_eq!(sized(200, 100), 66, "too slow");
        assert_eq!(sized(200, 60_000), LEAST, "a disk that hangs");
        assert_eq!(sized(MOST, 0), MOST);
    }
}
