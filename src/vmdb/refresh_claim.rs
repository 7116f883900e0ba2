//! Refresh work of an EMS in which a storm rages: thousands of rows, each with as many targets as a commit had events.
//!
//! What waits is read only until it is known what is to be done; a full refresh claims rows without carrying what they
//! asked for, and in slices, so that commits of events get their turn in between. The rows are [`super::refresh_work`]'s.

use super::dialect::Connection;
use super::refresh_work::{CLAIM, FREE, RefreshWork, claimer, queue_name, work_of};
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::provider::EmsId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::HashMap;

/// Rows read at first; the next time twice as many, up to the most.
const FIRST_STEP: i64 = 8;
const LARGEST_STEP: i64 = 128;
/// At most so many rows in a slice …
const ROWS_OF_SLICE: usize = 1_000;
/// … and about so many bytes: SQLite writes a row anew that it claims.
const BYTES_OF_SLICE: i64 = 2 << 20;
/// So many targets take as long to delete as one row.
const TARGETS_AS_A_ROW: usize = 20;
/// How the args of nearly every row begin, see `RefreshArgs`. All others may ask for everything.
const NOT_ALL: &str = r#"[{"full":false"#;

/// What waits for this EMS, oldest first, until it is `enough`, at most `limit` rows; and the oldest of those after them that
/// asks for everything, if there is one. Nothing is claimed.
///
/// # Errors
/// See [`VmdbError`].
pub fn waiting_until(
    connection: &mut Connection,
    ems_id: EmsId,
    handler_id: i64,
    limit: i64,
    mut enough: impl FnMut(&RefreshWork) -> bool,
) -> Result<Vec<RefreshWork>, VmdbError> {
    let sql = format!(
        "SELECT id, work_id, args, created_on FROM miq_queue WHERE {FREE} AND id > ? ORDER BY id LIMIT ?"
    );
    let queue = queue_name(ems_id);
    let (mut work, mut after, mut left, mut step) = (Vec::new(), 0, limit, FIRST_STEP);
    while left > 0 {
        let most = step.min(left);
        let values = [(&queue).into(), handler_id.into(), after.into(), most.into()];
        let rows = connection.rows(&sql, &values)?;
        let read = i64::try_from(rows.len()).unwrap_or(most);
        for row in &rows {
            let next = work_of(row, ems_id)?;
            after = next.id;
            let is_enough = enough(&next);
            work.push(next);
            if is_enough {
                work.extend(asks_for_all(connection, ems_id, handler_id, after)?);
                return Ok(work);
            }
        }
        if read < most {
            return Ok(work);
        }
        (left, step) = (left - read, (step * 2).min(LARGEST_STEP));
    }
    work.extend(asks_for_all(connection, ems_id, handler_id, after)?);
    Ok(work)
}

/// The oldest row after this id that asks for everything.
fn asks_for_all(
    connection: &mut Connection,
    ems_id: EmsId,
    handler_id: i64,
    after: i64,
) -> Result<Option<RefreshWork>, VmdbError> {
    let sql = format!(
        "SELECT id, work_id, args, created_on FROM miq_queue WHERE {FREE} AND id > ? AND \
         (args IS NULL OR substr(args, 1, {}) <> ?) ORDER BY id LIMIT 10",
        NOT_ALL.len()
    );
    let queue = queue_name(ems_id);
    let values = [(&queue).into(), handler_id.into(), after.into(), NOT_ALL.into()];
    for row in &connection.rows(&sql, &values)? {
        let work = work_of(row, ems_id)?;
        if work.full {
            return Ok(Some(work));
        }
    }
    Ok(None)
}

/// Rows that a full refresh claims, and those that were given up: it answers all of them.
fn answered_by_all() -> String {
    format!("(({FREE}) OR (queue_name = ? AND class_name = 'EmsRefresh' AND state = 'error'))")
}

/// The rows that a full refresh of this EMS answers, oldest first, at most `limit`, in slices that are claimed at once.
///
/// # Errors
/// See [`VmdbError`].
pub fn slices_of_all(
    connection: &mut Connection,
    ems_id: EmsId,
    handler_id: i64,
    limit: i64,
) -> Result<Vec<Vec<i64>>, VmdbError> {
    let sql = format!(
        "SELECT id, octet_length(args) FROM miq_queue WHERE {} ORDER BY id LIMIT ?",
        answered_by_all()
    );
    let queue = queue_name(ems_id);
    let values = [(&queue).into(), handler_id.into(), (&queue).into(), limit.into()];
    let rows = connection.rows(&sql, &values)?;
    let sizes: Result<Vec<_>, VmdbError> =
        rows.iter().map(|row| Ok((row.id(0)?, row.integer(1).unwrap_or_default()))).collect();
    Ok(sliced(sizes?, |(_, bytes)| *bytes, BYTES_OF_SLICE)
        .into_iter()
        .map(|slice| slice.into_iter().map(|(id, _)| id).collect())
        .collect())
}

/// Claims these rows for a full refresh; returns those that are still there, without what they ask for: how much it is,
/// [`counted`] tells.
///
/// # Errors
/// See [`VmdbError`].
pub fn claim_slice(
    connection: &mut Connection,
    ems_id: EmsId,
    handler_id: i64,
    ids: Vec<i64>,
) -> Result<Vec<RefreshWork>, VmdbError> {
    let sql = format!("{CLAIM} WHERE {} AND id ? RETURNING id, work_id, created_on", answered_by_all());
    let queue = queue_name(ems_id);
    let free = [(&queue).into(), handler_id.into(), (&queue).into(), Value::Integers(ids)];
    let values: Vec<_> = claimer(handler_id).into_iter().chain(free).collect();
    let mut rows = connection.rows(&sql, &values)?;
    rows.sort_by_key(|row| row.integer(0));
    let claimed = |row: &Fields| {
        Ok(RefreshWork {
            id: row.id(0)?,
            work_id: row.integer(1),
            ems_id,
            full: false,
            doubt: false,
            requests: Vec::new(),
            targets: 0,
            requested_on: row.time(2).unwrap_or_default(),
        })
    };
    rows.iter().map(claimed).collect()
}

/// The same rows, with how many targets they ask for and whether they ask for everything.
///
/// # Errors
/// See [`VmdbError`].
pub fn counted(
    connection: &mut Connection,
    mut work: Vec<RefreshWork>,
) -> Result<Vec<RefreshWork>, VmdbError> {
    #[derive(Default, Deserialize)]
    struct Counted {
        #[serde(default)]
        full: bool,
        #[serde(default)]
        targets: Vec<IgnoredAny>,
    }
    let ids = Value::Integers(work.iter().map(|work| work.id).collect());
    let rows = connection.rows("SELECT id, args FROM miq_queue WHERE id ?", &[ids])?;
    let count = |args: &str| serde_json::from_str::<[Counted; 1]>(args).map(|[counted]| counted);
    let unreadable = || Counted { full: true, ..Counted::default() };
    let mut counts: HashMap<i64, Counted> = HashMap::new();
    for row in &rows {
        let counted = row.text(1).and_then(|args| count(args).ok()).unwrap_or_else(unreadable);
        counts.insert(row.id(0)?, counted);
    }
    for work in &mut work {
        if let Some(Counted { full, targets }) = counts.get(&work.id) {
            (work.full, work.targets) = (*full, targets.len());
        }
    }
    Ok(work)
}

/// Work in parts whose end is kept at once; one part at least.
pub fn parts(work: Vec<RefreshWork>) -> Vec<Vec<RefreshWork>> {
    let weight = |work: &RefreshWork| i64::try_from(work.targets / TARGETS_AS_A_ROW).unwrap_or(i64::MAX / 2);
    let parts = sliced(work, weight, ROWS_OF_SLICE as i64);
    if parts.is_empty() { vec![Vec::new()] } else { parts }
}

fn sliced<T>(items: Vec<T>, weight: impl Fn(&T) -> i64, heaviest: i64) -> Vec<Vec<T>> {
    let (mut slices, mut of_last) = (Vec::<Vec<T>>::new(), 0);
    for item in items {
        let own = weight(&item);
        match slices.last_mut() {
            Some(last) if last.len() < ROWS_OF_SLICE && of_last + own <= heaviest => {
                of_last += own;
                last.push(item);
            }
            _ => {
                of_last = own;
                slices.push(vec![item]);
            }
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_bounded_by_weight_and_rows_but_one_row_is_always_admitted() {
        let sizes = |weights: Vec<i64>| -> Vec<usize> {
            sliced(weights, |weight| *weight, 10).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(vec![5, 5, 1, 11, 1, 9]), [2, 1, 1, 2]);
        assert_eq!(sizes(vec![0; ROWS_OF_SLICE + 1]), [ROWS_OF_SLICE, 1]);
        assert_eq!(sizes(Vec::new()), [0; 0]);
    }
}
