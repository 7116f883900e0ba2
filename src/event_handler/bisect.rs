//! Commits a group until it is committed: waits for a VMDB that is away, and takes apart a group that the VMDB refuses for
//! its data, by EMS and then by halves, until the one event that cannot be stored is a dead letter.

use super::destination::CommitBatches;
use crate::backoff::Backoff;
use crate::event_catcher::prepare::dead_letter;
use crate::observe::{ActorFigures, ActorState};
use crate::vmdb::{BatchOutcome, ReadyBatch, Vmdb, VmdbError};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// One lane's way into the VMDB.
pub struct Committer {
    /// Where to.
    pub vmdb: Vmdb,
    /// Which lane.
    pub lane: usize,
    /// What the transaction does.
    pub commit: CommitBatches,
    /// Of the event handler.
    pub figures: Arc<ActorFigures>,
}

/// What a batch is taken apart into when the VMDB cannot hold it.
enum Parts {
    /// The second has the cursor, the gap and the queue rows: they cover both.
    Two(Box<ReadyBatch>, Box<ReadyBatch>),
    /// One event: it becomes a dead letter.
    Event(Box<ReadyBatch>),
    /// One dead letter, or none: it is kept in a form that any database takes.
    Letter(Box<ReadyBatch>),
}

impl Committer {
    /// The outcome of each batch, in order. Returns only when all are committed.
    pub async fn commit(&self, batches: Vec<ReadyBatch>) -> Vec<BatchOutcome> {
        let group = Arc::new(batches);
        let poison = match self.attempt(&group).await {
            Ok(outcomes) => return outcomes,
            Err(poison) => poison,
        };
        let mut batches = Arc::try_unwrap(group).unwrap_or_else(|shared| (*shared).clone());
        let mut outcomes = Vec::with_capacity(batches.len());
        if let [_] = *batches
            && let Some(batch) = batches.pop()
        {
            outcomes.push(self.take_apart(batch, &poison).await);
            return outcomes;
        }
        log::warn!(
            "a group of {} EMSs holds what the VMDB cannot store; committing them one by one: {poison}",
            batches.len()
        );
        for batch in batches {
            outcomes.push(self.commit_one(batch).await);
        }
        outcomes
    }

    async fn commit_one(&self, batch: ReadyBatch) -> BatchOutcome {
        Box::pin(self.commit(vec![batch])).await.pop().unwrap_or_default()
    }

    async fn take_apart(&self, batch: ReadyBatch, poison: &VmdbError) -> BatchOutcome {
        match parts(batch) {
            Parts::Two(first, second) => {
                let mut outcome = self.commit_one(*first).await;
                outcome.add(self.commit_one(*second).await);
                outcome
            }
            Parts::Event(mut batch) => {
                let reason = format!("the VMDB cannot store it: {poison}");
                let letters = batch.events.drain(..);
                batch.dead_letters =
                    letters.map(|ready| dead_letter(ready.event.event.full_data.text(), &reason)).collect();
                self.commit_one(*batch).await
            }
            Parts::Letter(mut batch) => {
                for letter in &mut batch.dead_letters {
                    letter.native = letter.native.escape_default().to_string();
                    letter.reason = letter.reason.escape_default().to_string();
                }
                self.commit_at_last(*batch).await
            }
        }
    }

    /// There is nothing left to take apart: a VMDB that refuses even this takes nothing, and is waited for.
    async fn commit_at_last(&self, batch: ReadyBatch) -> BatchOutcome {
        let group = Arc::new(vec![batch]);
        let mut backoff = Backoff::of_children();
        loop {
            match self.attempt(&group).await {
                Ok(mut outcomes) => return outcomes.pop().unwrap_or_default(),
                Err(error) => self.wait(&error, &mut backoff).await,
            }
        }
    }

    /// `Err` only for what the content may be to blame for, a panic of the commit among it; all else is waited for.
    async fn attempt(&self, group: &Arc<Vec<ReadyBatch>>) -> Result<Vec<BatchOutcome>, VmdbError> {
        let mut backoff = Backoff::of_children();
        loop {
            let (batches, commit) = (group.clone(), self.commit);
            let committed = self.vmdb.commit(self.lane, move |connection| commit(connection, &batches)).await;
            match committed {
                Ok(outcomes) => {
                    fail::fail_point!("handler.committed");
                    self.figures.set_state(ActorState::Running);
                    return Ok(outcomes);
                }
                Err(poison @ (VmdbError::Data(_) | VmdbError::Bug(_))) => return Err(poison),
                Err(error) => self.wait(&error, &mut backoff).await,
            }
        }
    }

    async fn wait(&self, error: &VmdbError, backoff: &mut Backoff) {
        self.figures.failed.fetch_add(1, Relaxed);
        if self.figures.state() == ActorState::WaitingForVmdb {
            log::debug!("the VMDB takes nothing: {error}");
        } else {
            log::error!("the VMDB takes nothing; the event catchers wait, nothing is acknowledged: {error}");
        }
        self.figures.set_failed_state(ActorState::WaitingForVmdb, error.to_string());
        tokio::time::sleep(backoff.next_wait()).await;
    }
}

/// Events apart from dead letters, halves of many, and a row alone from the cursor that covers it.
fn parts(mut batch: ReadyBatch) -> Parts {
    let (events, letters) = (batch.events.len(), batch.dead_letters.len());
    let mut first = ReadyBatch::of(batch.ems_id);
    if events > 0 && letters > 0 {
        first.events = std::mem::take(&mut batch.events);
    } else if events > 1 {
        let second = batch.events.split_off(events / 2);
        first.events = std::mem::replace(&mut batch.events, second);
    } else if letters > 1 {
        let second = batch.dead_letters.split_off(letters / 2);
        first.dead_letters = std::mem::replace(&mut batch.dead_letters, second);
    } else if batch.rows() == 1 && covers_more(&batch) {
        first.events = std::mem::take(&mut batch.events);
        first.dead_letters = std::mem::take(&mut batch.dead_letters);
    } else if events == 1 {
        return Parts::Event(Box::new(batch));
    } else {
        return Parts::Letter(Box::new(batch));
    }
    Parts::Two(Box::new(first), Box::new(batch))
}

fn covers_more(batch: &ReadyBatch) -> bool {
    batch.cursor.is_some() || batch.gap.is_some() || !batch.delivered.is_empty()
}
