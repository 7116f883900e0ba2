//! `catchall events --dead --retry`: dead letters are parsed again; what became events goes into the VMDB with its work.

use crate::provider::{EmsId, NativeEvent};
use crate::vmdb::dead_letters::{self, StoredDeadLetter};
use crate::vmdb::{Connection, ReadyBatch, ReadyEvent, VmdbError, event_commit};
use std::fmt;

/// Dead letters that are in memory at once.
const SLICE: i64 = 200;

/// What trying dead letters again came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// Letters that could be read now, and are gone.
    pub parsed: u64,
    /// Events that they held and that were new.
    pub new_events: u64,
    /// Letters that still cannot be read; they stay, with the new reason.
    pub failed: u64,
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parsed, new_events, failed } = self;
        write!(f, "{parsed} dead letters could be read now ({new_events} new events), {failed} still cannot")
    }
}

impl std::ops::AddAssign for Retried {
    fn add_assign(&mut self, other: Self) {
        self.parsed += other.parsed;
        self.new_events += other.new_events;
        self.failed += other.failed;
    }
}

/// Tries dead letters again, oldest first, each in one transaction with the events that it became and their work.
/// `prepare` parses a native event of an EMS and works out what follows; no events mean that it is none of the provider's.
///
/// # Errors
/// See [`VmdbError`]; what was done before stays done.
pub fn retry(
    connection: &mut Connection,
    only: Option<EmsId>,
    prepare: impl Fn(EmsId, &NativeEvent) -> Result<Vec<ReadyEvent>, String>,
) -> Result<Retried, VmdbError> {
    let mut retried = Retried::default();
    let mut after = 0;
    loop {
        let letters = dead_letters::oldest(connection, only, after, SLICE)?;
        let Some(last) = letters.last() else { return Ok(retried) };
        after = last.id;
        for letter in &letters {
            let native = NativeEvent {
                transport_id: letter.letter.transport_id.clone(),
                ..NativeEvent::new(&letter.letter.native)
            };
            let stored = prepare(letter.ems_id, &native).map(|events| store(connection, letter, events));
            match stored {
                Ok(Ok(new_events)) => {
                    retried.parsed += 1;
                    retried.new_events += new_events;
                }
                // The database cannot hold this one event: that is a reason like any other.
                Ok(Err(VmdbError::Data(reason))) | Err(reason) => {
                    retried.failed += 1;
                    dead_letters::keep(connection, letter.id, &reason)?;
                }
                Ok(Err(error)) => return Err(error),
            }
        }
    }
}

/// The events instead of the letter; how many were new.
fn store(
    connection: &mut Connection,
    letter: &StoredDeadLetter,
    events: Vec<ReadyEvent>,
) -> Result<u64, VmdbError> {
    let batch = ReadyBatch { events, ..ReadyBatch::of(letter.ems_id) };
    connection.transaction(|connection| {
        let outcomes = event_commit::commit(connection, &[batch])?;
        dead_letters::remove(connection, vec![letter.id])?;
        Ok(outcomes.iter().map(|outcome| outcome.new_events).sum())
    })
}
