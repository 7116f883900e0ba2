//! Opening the VMDB as a SQLite file: WAL, every commit on the disk before it is answered, and the lock that keeps a
//! second `catchall run` away.

use super::checkpoints::LARGE_WAL;
use super::dialect::{Connection, Raw};
use super::{Access, VmdbError};
use diesel::connection::SimpleConnection;
use diesel::{Connection as _, SqliteConnection};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement waits for another process's write.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 10000;";

/// The path in `sqlite://PATH`; `None` when it is no such URL.
pub(super) fn path_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}

/// Opens the file for writing (making it, if need be) or for reading only.
pub(super) fn open(path: &Path, access: Access) -> Result<Connection, VmdbError> {
    let reading = access == Access::Read;
    if reading && !path.exists() {
        let path = path.display();
        return Err(VmdbError::Refused(format!(
            "{path} does not exist; start `catchall run` or `catchall migrate`, or set vmdb.url"
        )));
    }
    let connection_error =
        |error: &dyn std::fmt::Display| VmdbError::Away(format!("{}: {error}", path.display()));
    let mut connection =
        SqliteConnection::establish(&uri(path, reading)).map_err(|error| connection_error(&error))?;
    connection.batch_execute(BUSY_TIMEOUT)?;
    let pragmas = if reading {
        "PRAGMA query_only = ON; PRAGMA foreign_keys = OFF;".to_owned()
    } else {
        format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -32768; \
             PRAGMA wal_autocheckpoint = {LARGE_WAL};"
        )
    };
    // Making a new file a WAL one needs it alone, and SQLite does not wait for that by itself.
    let mut tries = 100;
    while let Err(error) = connection.batch_execute(&pragmas).map_err(VmdbError::from) {
        tries -= 1;
        if tries == 0 || !matches!(error, VmdbError::Busy(_)) {
            return Err(error.at(&path.display().to_string()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Connection::new(Raw::Sqlite(connection), access))
}

/// SQLite's own form, in which a `?` or `%` of the path must be written as its code.
fn uri(path: &Path, reading: bool) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?mode={}", if reading { "rw" } else { "rwc" })
}

/// Takes the kernel's lock on `FILE.lock`, which dies with this process; the file itself says nothing and may stay.
pub(super) fn lock(path: &Path) -> Result<File, VmdbError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let failed = |error: std::io::Error| {
        let message =
            format!("{}: {error}; its folder must be there and writable, see vmdb.url", lock.display());
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory => {
                VmdbError::Refused(message)
            }
            _ => VmdbError::Away(message),
        }
    };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(VmdbError::Locked(format!(
            "{} is in use by another `catchall run`, which holds the lock {}; stop it first, or set another vmdb.url",
            path.display(),
            lock.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
