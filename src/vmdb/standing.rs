//! How each EMS stands: its row, what waits for its refresh, and what went wrong. Reads no event, so that it costs the same
//! however many there are, and may be asked every second.

use super::ems::{self, EmsRow};
use super::gaps::{self, StoredGap};
use super::{Connection, VmdbError, dead_letters, overview};

/// One EMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmsStanding {
    /// Its row, with how its last refresh went.
    pub ems: EmsRow,
    /// Rows of `miq_queue` that wait for its refresh worker or are with it.
    pub waiting_work: i64,
    /// Rows of `dead_letters`.
    pub dead_letters: i64,
    /// Rows of `event_gaps`.
    pub gaps: i64,
    /// The latest of them.
    pub last_gap: Option<StoredGap>,
}

/// All EMSs, by name.
///
/// # Errors
/// See [`VmdbError`].
pub fn read(connection: &mut Connection) -> Result<Vec<EmsStanding>, VmdbError> {
    let waiting = overview::waiting_work(connection)?;
    let dead_letters = dead_letters::counts(connection)?;
    let (gaps, mut last_gaps) = (overview::gap_counts(connection)?, gaps::latest(connection)?);
    let standing = |ems: EmsRow| EmsStanding {
        waiting_work: waiting.get(&ems.id).copied().unwrap_or_default(),
        dead_letters: dead_letters.get(&ems.id).copied().unwrap_or_default(),
        gaps: gaps.get(&ems.id).copied().unwrap_or_default(),
        last_gap: last_gaps.remove(&ems.id),
        ems,
    };
    Ok(ems::list(connection)?.into_iter().map(standing).collect())
}
