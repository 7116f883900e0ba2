//! Checkpoints of a SQLite file beside its writer. A checkpoint copies what the WAL holds into the file and waits for the
//! disk, twice; done by the writer after a commit, as SQLite does by itself, all that waits for the writer waits for it too.
//!
//! A passive checkpoint hinders nobody, but while commits go on it never comes to the WAL's end, where SQLite may begin it
//! anew. So the writer still does one when the WAL is [`LARGE_WAL`] pages long, which by then is a short one.

use super::VmdbError;
use super::dialect::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Pages of the WAL, of 4 KiB, beyond which the writer makes a checkpoint itself.
pub(super) const LARGE_WAL: u32 = 16_384;
/// How often the WAL is looked at.
const EVERY: Duration = Duration::from_millis(500);
/// A WAL of less than so many bytes can wait.
const ENOUGH: u64 = 1 << 20;

/// Tells the thread when to end.
#[derive(Default)]
pub(super) struct Closing(Mutex<bool>, Condvar);

impl Closing {
    pub(super) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    /// Waits, and tells whether it is time to end.
    fn wait(&self) -> bool {
        let closed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (closed, _) = self
            .1
            .wait_timeout_while(closed, EVERY, |closed| !*closed)
            .unwrap_or_else(PoisonError::into_inner);
        *closed
    }
}

/// How long the WAL is, and when it was written last.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    bytes: u64,
    written: Option<SystemTime>,
}

impl Mark {
    fn of(wal: &Path) -> Self {
        let found = std::fs::metadata(wal);
        found.map_or_else(|_| Self::default(), |it| Self { bytes: it.len(), written: it.modified().ok() })
    }
}

/// What the thread does, until it is told to end. What fails is tried again: a checkpoint left out costs nothing but room.
pub(super) fn make(path: &Path, closing: &Closing, open: &dyn Fn() -> Result<Connection, VmdbError>) {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let wal = PathBuf::from(wal);
    let (mut connection, mut known) = (None, Mark::default());
    while !closing.wait() {
        let now = Mark::of(&wal);
        if now == known || now.bytes < ENOUGH {
            continue;
        }
        let opened = connection.take().map_or_else(open, Ok);
        let done = opened.and_then(|mut opened| {
            opened.batch("PRAGMA wal_checkpoint(PASSIVE)")?;
            Ok(opened)
        });
        match done {
            Ok(opened) => (connection, known) = (Some(opened), now),
            Err(error) => log::debug!("a checkpoint of {}: {error}", path.display()),
        }
    }
}
