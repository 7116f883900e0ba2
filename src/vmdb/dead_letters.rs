//! `dead_letters`: native events that could not become rows of `event_streams`, with their text and the reason.
//!
//! To try them again, take some, parse them, and in one transaction commit what became events and [`remove`] those letters.

use super::bulk;
use super::dialect::Connection;
use super::event_commit::DeadLetter;
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::clock;
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A row of `dead_letters`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// Its row.
    pub id: i64,
    /// Whose.
    pub ems_id: EmsId,
    /// The letter.
    pub letter: DeadLetter,
    /// When it was met first.
    pub created_on: DateTime<Utc>,
    /// How often it was tried again.
    pub attempts: i64,
}

const SELECT: &str =
    "SELECT id, ems_id, event_uid, native, reason, created_on, attempts, transport_id FROM dead_letters";

/// The latest letters, newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn list(connection: &mut Connection, limit: i64) -> Result<Vec<StoredDeadLetter>, VmdbError> {
    let rows = connection.rows(&format!("{SELECT} ORDER BY id DESC LIMIT ?"), &[limit.into()])?;
    rows.iter().map(stored).collect()
}

/// Which letters.
#[derive(Clone, Debug, Default)]
pub struct DeadLetterQuery {
    /// Only of this EMS.
    pub ems_id: Option<EmsId>,
    /// Only with this text in the native event or the reason, capitals or not.
    pub text: Option<String>,
    /// Only those that were met since.
    pub since: Option<DateTime<Utc>>,
    /// Only those that were met before.
    pub until: Option<DateTime<Utc>>,
    /// At most so many.
    pub limit: usize,
}

/// The latest letters that `query` chooses, newest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn chosen(
    connection: &mut Connection,
    query: &DeadLetterQuery,
) -> Result<Vec<StoredDeadLetter>, VmdbError> {
    let like = |text: &String| {
        format!("%{}%", text.to_lowercase().replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"))
    };
    let (text, mut conditions) = (query.text.as_ref().map(like), vec!["1 = 1"]);
    let mut values: Vec<Value<'_>> = Vec::new();
    if let Some(ems_id) = query.ems_id {
        conditions.push("ems_id = ?");
        values.push(ems_id.0.into());
    }
    if let Some(text) = &text {
        conditions.push(r"(lower(native) LIKE ? ESCAPE '\' OR lower(reason) LIKE ? ESCAPE '\')");
        values.extend([text.into(), text.into()]);
    }
    for (condition, time) in [("created_on >= ?", query.since), ("created_on < ?", query.until)] {
        if let Some(time) = time {
            conditions.push(condition);
            values.push(time.into());
        }
    }
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let sql = format!("{SELECT} WHERE {} ORDER BY id DESC LIMIT ?", conditions.join(" AND "));
    connection.rows(&sql, &values)?.iter().map(stored).collect()
}

/// The letters after the row `after`, of all EMSs or one, oldest first.
///
/// # Errors
/// See [`VmdbError`].
pub fn oldest(
    connection: &mut Connection,
    only: Option<EmsId>,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredDeadLetter>, VmdbError> {
    let (condition, mut values) = match only {
        Some(ems_id) => ("id > ? AND ems_id = ?", vec![Value::from(after), ems_id.0.into()]),
        None => ("id > ?", vec![after.into()]),
    };
    values.push(limit.into());
    let sql = format!("{SELECT} WHERE {condition} ORDER BY id LIMIT ?");
    connection.rows(&sql, &values)?.iter().map(stored).collect()
}

/// The next letters after the row `after`, oldest first; counts the attempt.
///
/// # Errors
/// See [`VmdbError`].
pub fn take_for_retry(
    connection: &mut Connection,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredDeadLetter>, VmdbError> {
    connection.transaction(|connection| {
        let rows = connection
            .rows(&format!("{SELECT} WHERE id > ? ORDER BY id LIMIT ?"), &[after.into(), limit.into()])?;
        let letters = rows.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        let ids = letters.iter().map(|letter| letter.id).collect();
        connection
            .execute("UPDATE dead_letters SET attempts = attempts + 1 WHERE id ?", &[Value::Integers(ids)])?;
        Ok(letters)
    })
}

/// Removes letters that became events.
///
/// # Errors
/// See [`VmdbError`].
pub fn remove(connection: &mut Connection, ids: Vec<i64>) -> Result<(), VmdbError> {
    connection.execute("DELETE FROM dead_letters WHERE id ?", &[Value::Integers(ids)]).map(drop)
}

/// How many there are for each EMS.
///
/// # Errors
/// See [`VmdbError`].
pub fn counts(connection: &mut Connection) -> Result<BTreeMap<EmsId, i64>, VmdbError> {
    let rows = connection.rows("SELECT ems_id, count(*) FROM dead_letters GROUP BY ems_id", &[])?;
    rows.iter().map(|row| Ok((EmsId(row.id(0)?), row.id(1)?))).collect()
}

/// Keeps letters; those that are rows already stay as they are. Returns how many were new for each EMS.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn store(
    connection: &mut Connection,
    letters: &[(EmsId, &DeadLetter)],
) -> Result<BTreeMap<EmsId, u64>, VmdbError> {
    let mut new = BTreeMap::new();
    if letters.is_empty() {
        return Ok(new);
    }
    let now = clock::now();
    let texts =
        |of: fn(&DeadLetter) -> &str| -> Vec<_> { letters.iter().map(|(_, l)| without_nul(of(l))).collect() };
    let (uids, natives, reasons) = (texts(|l| &l.event_uid), texts(|l| &l.native), texts(|l| &l.reason));
    let columns = [
        ("ems_id", letters.iter().map(|(ems, _)| ems.0.into()).collect()),
        ("event_uid", uids.iter().map(|text| text.as_ref().into()).collect()),
        ("transport_id", letters.iter().map(|(_, letter)| (&letter.transport_id).into()).collect()),
        ("native", natives.iter().map(|text| text.as_ref().into()).collect()),
        ("reason", reasons.iter().map(|text| text.as_ref().into()).collect()),
        ("created_on", letters.iter().map(|_| now.into()).collect()),
        ("attempts", letters.iter().map(|_| 0.into()).collect()),
    ];
    let tail = "ON CONFLICT (ems_id, event_uid) DO NOTHING RETURNING ems_id";
    for row in bulk::insert(connection, "dead_letters", &columns, tail)? {
        *new.entry(EmsId(row.id(0)?)).or_default() += 1;
    }
    Ok(new)
}

/// A letter that was tried again stays, with what is wrong now.
///
/// # Errors
/// See [`VmdbError`].
pub fn keep(connection: &mut Connection, id: i64, reason: &str) -> Result<(), VmdbError> {
    let sql = "UPDATE dead_letters SET reason = ?, attempts = attempts + 1 WHERE id = ?";
    connection.execute(sql, &[reason.into(), id.into()]).map(drop)
}

/// PostgreSQL holds no NUL, and a letter has to be held whatever is in it.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

fn stored(row: &Fields) -> Result<StoredDeadLetter, VmdbError> {
    let text = |index| row.string(index).unwrap_or_default();
    Ok(StoredDeadLetter {
        id: row.id(0)?,
        ems_id: EmsId(row.id(1)?),
        letter: DeadLetter {
            event_uid: text(2),
            transport_id: row.string(7),
            native: text(3),
            reason: text(4),
        },
        created_on: row.time(5).unwrap_or_default(),
        attempts: row.integer(6).unwrap_or_default(),
    })
}
