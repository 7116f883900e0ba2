//! `catchall events --dead`: native events that could not be read, with the reason and the text as it came.

use super::ems_names::{self, Names, name_of};
use super::table::one_line;
use super::times::ago;
use crate::vmdb::dead_letters::{self, DeadLetterQuery, StoredDeadLetter};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};
use serde_json::json;

/// The latest for people, newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn text(
    connection: &mut Connection,
    query: &DeadLetterQuery,
    now: DateTime<Utc>,
) -> Result<String, VmdbError> {
    let (letters, names) = read(connection, query)?;
    if letters.is_empty() {
        return Ok("No dead letters.\n".to_owned());
    }
    let letter = |letter: &StoredDeadLetter| {
        format!(
            "{}  {}, met {}, tried again {} times\n  reason: {}\n  native: {}\n\n",
            letter.id,
            one_line(&name_of(&names, Some(letter.ems_id.0))),
            ago(Some(letter.created_on), now),
            letter.attempts,
            one_line(&letter.letter.reason),
            one_line(&letter.letter.native)
        )
    };
    Ok(letters.iter().map(letter).collect::<String>()
        + "`catchall events --dead --retry` parses them again.\n")
}

/// The latest for machines: one JSON object on each line, newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn json_lines(connection: &mut Connection, query: &DeadLetterQuery) -> Result<String, VmdbError> {
    let (letters, names) = read(connection, query)?;
    let line = |letter: &StoredDeadLetter| {
        let line = json!({
            "id": letter.id, "ems_id": letter.ems_id, "ems": name_of(&names, Some(letter.ems_id.0)),
            "event_uid": letter.letter.event_uid, "transport_id": letter.letter.transport_id,
            "reason": letter.letter.reason, "native": letter.letter.native, "created_on": letter.created_on,
            "attempts": letter.attempts,
        });
        format!("{line}\n")
    };
    Ok(letters.iter().map(line).collect())
}

fn read(
    connection: &mut Connection,
    query: &DeadLetterQuery,
) -> Result<(Vec<StoredDeadLetter>, Names), VmdbError> {
    Ok((dead_letters::chosen(connection, query)?, ems_names::all(connection)?))
}
