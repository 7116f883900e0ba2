//! New rows of `event_streams` as they are committed, each once.

use super::{TimelineEvent, TimelineQuery};
use crate::vmdb::{Connection, VmdbError};

/// A reader of what is new.
#[derive(Clone, Debug)]
pub struct Tail {
    query: TimelineQuery,
    after: i64,
}

impl Tail {
    /// Tells what is committed from now on and meets `query`, whose times and limit are passed over.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn from_now(connection: &mut Connection, query: TimelineQuery) -> Result<Self, VmdbError> {
        let rows = connection.rows("SELECT max(id) FROM event_streams", &[])?;
        let after = rows.first().and_then(|row| row.integer(0)).unwrap_or_default();
        Ok(Self { query, after })
    }

    /// What came since the last call, oldest first, and how many more there were than are told at once.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn next(&mut self, connection: &mut Connection) -> Result<(Vec<TimelineEvent>, u64), VmdbError> {
        let query = TimelineQuery { limit: 200, before: None, ..self.query.clone() };
        let mut events = super::events(connection, &query)?;
        events.retain(|event| event.position.id > self.after);
        self.after = events.iter().map(|event| event.position.id).max().unwrap_or(self.after);
        events.reverse();
        Ok((events, 0))
    }
}
