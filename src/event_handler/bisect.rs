//! Commits a group until it is committed: waits for a VMDB that is away, and halves a group that the VMDB refuses for its
//! data, by EMS and then by event, until the one event that cannot be stored is a dead letter.

use super::lanes;
use crate::backoff::Backoff;
use crate::event_catcher::prepare::dead_letter;
use crate::observe::{ActorFigures, ActorState};
use crate::vmdb::{BatchOutcome, ReadyBatch, Vmdb, VmdbError, event_commit};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The outcome of each batch, in order. Returns only when all are committed.
pub async fn commit(
    vmdb: &Vmdb,
    lane: usize,
    batches: Arc<Vec<ReadyBatch>>,
    figures: &ActorFigures,
) -> Vec<BatchOutcome> {
    match commit_group(vmdb, lane, batches.clone(), figures).await {
        Ok(outcomes) => outcomes,
        Err(poison) if batches.len() == 1 => match Arc::try_unwrap(batches) {
            Ok(mut one) => vec![commit_halves(vmdb, lane, one.remove(0), &poison, figures).await],
            Err(shared) => vec![commit_halves(vmdb, lane, shared[0].clone(), &poison, figures).await],
        },
        Err(poison) => {
            log::warn!(
                "a group of {} EMSs holds what the VMDB cannot store; committing them one by one: {poison}",
                batches.len()
            );
            let mut outcomes = Vec::with_capacity(batches.len());
            for batch in batches.iter() {
                outcomes.extend(Box::pin(commit(vmdb, lane, Arc::new(vec![batch.clone()]), figures)).await);
            }
            outcomes
        }
    }
}

/// `Err` only for data that cannot be stored; everything else is waited for.
async fn commit_group(
    vmdb: &Vmdb,
    lane: usize,
    batches: Arc<Vec<ReadyBatch>>,
    figures: &ActorFigures,
) -> Result<Vec<BatchOutcome>, VmdbError> {
    let mut backoff = Backoff::of_children();
    loop {
        let group = batches.clone();
        match vmdb.commit(lane, move |connection| event_commit::commit(connection, &group)).await {
            Ok(outcomes) => {
                figures.set_state(ActorState::Running);
                return Ok(outcomes);
            }
            Err(poison @ VmdbError::Data(_)) => return Err(poison),
            Err(error) => {
                figures.failed.fetch_add(1, Relaxed);
                if figures.state() == ActorState::WaitingForVmdb {
                    log::debug!("the VMDB takes nothing: {error}");
                } else {
                    log::error!(
                        "the VMDB takes nothing; the event catchers wait, nothing is acknowledged: {error}"
                    );
                }
                figures.set_failed_state(ActorState::WaitingForVmdb, error.to_string());
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
    }
}

/// The cursor, the gap and the queue rows go with the last half: they cover all of the batch.
async fn commit_halves(
    vmdb: &Vmdb,
    lane: usize,
    mut batch: ReadyBatch,
    poison: &VmdbError,
    figures: &ActorFigures,
) -> BatchOutcome {
    if batch.events.len() > 1 {
        let second = batch.events.split_off(batch.events.len() / 2);
        let first = ReadyBatch { events: std::mem::take(&mut batch.events), ..ReadyBatch::of(batch.ems_id) };
        batch.events = second;
        let mut outcome = one(vmdb, lane, first, figures).await;
        outcome.add(one(vmdb, lane, batch, figures).await);
        return outcome;
    }
    if let Some(ready) = batch.events.pop() {
        let reason = format!("the VMDB cannot store it: {poison}");
        batch.dead_letters.push(dead_letter(ready.event.event.full_data.text(), &reason));
    } else {
        // A dead letter itself cannot be stored: keep its text in a form that any database takes.
        for letter in &mut batch.dead_letters {
            letter.native = letter.native.escape_default().to_string();
            letter.reason = letter.reason.escape_default().to_string();
        }
    }
    one(vmdb, lane, batch, figures).await
}

async fn one(vmdb: &Vmdb, lane: usize, batch: ReadyBatch, figures: &ActorFigures) -> BatchOutcome {
    debug_assert_eq!(lane, lanes::lane_of(batch.ems_id, vmdb.lanes()));
    Box::pin(commit(vmdb, lane, Arc::new(vec![batch]), figures)).await.pop().unwrap_or_default()
}
