//! What can go wrong with the VMDB, as decisions: the variant says what the caller does next.
//!
//! Databases are told apart by what they say. Diesel passes on PostgreSQL's message but not its SQLSTATE, so every
//! session asks for English messages; SQLite's are constants.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

/// The variant is the decision. Messages hold no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VmdbError {
    /// The database cannot be reached, or the connection broke: try again with back-off. Whether a commit that was under
    /// way has happened is unknown; every write here may be repeated.
    #[error("the VMDB is away: {0}")]
    Away(String),
    /// Somebody else holds a lock, or the database chose us as a deadlock's victim: try again soon.
    #[error("the VMDB is busy: {0}")]
    Busy(String),
    /// No room, or read-only: try again slowly, and say it clearly.
    #[error(
        "the VMDB cannot be written: {0}; make room or give back the right to write, Catchall goes on by itself"
    )]
    Full(String),
    /// The database cannot hold this content: split what was to be written, down to the one event.
    #[error("the VMDB cannot hold this: {0}")]
    Data(String),
    /// Not a database of ours, or it does not let us in: do not try again.
    #[error("the VMDB is refused: {0}")]
    Refused(String),
    /// Another `catchall run` holds this file.
    #[error("{0}")]
    Locked(String),
    /// A mistake in Catchall.
    #[error("a mistake in Catchall's use of the VMDB, please report it: {0}")]
    Bug(String),
}

impl VmdbError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Busy(_) | Self::Full(_))
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        let add = |message: String| format!("{place}: {message}");
        match self {
            Self::Away(m) => Self::Away(add(m)),
            Self::Busy(m) => Self::Busy(add(m)),
            Self::Full(m) => Self::Full(add(m)),
            Self::Data(m) => Self::Data(add(m)),
            Self::Refused(m) => Self::Refused(add(m)),
            Self::Locked(m) => Self::Locked(add(m)),
            Self::Bug(m) => Self::Bug(add(m)),
        }
    }
}

impl From<Error> for VmdbError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(kind, information) => from_database(kind, information.as_ref()),
            Error::InvalidCString(nul) => Self::Data(nul.to_string()),
            Error::BrokenTransactionManager => Self::Away("a transaction was left open".to_owned()),
            other => Self::Bug(other.to_string()),
        }
    }
}

fn from_database(kind: DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> VmdbError {
    let message = match information.details() {
        Some(details) => format!("{} ({details})", information.message()),
        None => information.message().to_owned(),
    };
    match kind {
        DatabaseErrorKind::ClosedConnection => VmdbError::Away(message),
        DatabaseErrorKind::UnableToSendCommand if message.contains("serializing") => VmdbError::Bug(message),
        DatabaseErrorKind::UnableToSendCommand => VmdbError::Away(message),
        DatabaseErrorKind::SerializationFailure => VmdbError::Busy(message),
        DatabaseErrorKind::ReadOnlyTransaction => VmdbError::Full(message),
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation => VmdbError::Data(message),
        _ => from_message(message),
    }
}

type Decision = fn(String) -> VmdbError;

/// What the message of either database means, most telling words first.
const MEANINGS: &[(&str, Decision)] = &[
    ("database is locked", VmdbError::Busy),
    ("database table is locked", VmdbError::Busy),
    ("database schema has changed", VmdbError::Busy),
    ("lock timeout", VmdbError::Busy),
    ("statement timeout", VmdbError::Busy),
    ("canceling statement", VmdbError::Busy),
    ("deadlock detected", VmdbError::Busy),
    ("could not serialize", VmdbError::Busy),
    ("tuple concurrently updated", VmdbError::Busy),
    ("disk is full", VmdbError::Full),
    ("No space left", VmdbError::Full),
    ("readonly database", VmdbError::Full),
    ("read-only transaction", VmdbError::Full),
    ("permission denied", VmdbError::Full),
    ("out of memory", VmdbError::Full),
    ("out of shared memory", VmdbError::Full),
    ("disk I/O error", VmdbError::Away),
    ("unable to open database", VmdbError::Away),
    ("locking protocol", VmdbError::Busy),
    ("terminating connection", VmdbError::Away),
    ("the database system is", VmdbError::Away),
    ("connection", VmdbError::Away),
    ("not a database", VmdbError::Refused),
    ("malformed", VmdbError::Refused),
    ("no such table", VmdbError::Refused),
    ("no such column", VmdbError::Refused),
    ("has no column", VmdbError::Refused),
    ("does not exist", VmdbError::Refused),
    ("syntax error", VmdbError::Bug),
    ("current transaction is aborted", VmdbError::Bug),
];

/// What nothing of the list names is content: bisecting finds the event, or finds that nothing can be stored.
fn from_message(message: String) -> VmdbError {
    match MEANINGS.iter().find(|(words, _)| message.contains(words)) {
        Some((_, decision)) => decision(message),
        None => VmdbError::Data(message),
    }
}
