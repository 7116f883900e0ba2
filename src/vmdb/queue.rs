//! `miq_queue` as people see and steer it, whatever kind of work a row is: list, look at, try again, take out.
//!
//! A claimed row is its holder's: it is shown, and neither retried nor dropped. What is told of a row's failures is kept
//! elsewhere: with the refresh (`ems_refreshes`), or with what was done for an event (`event_actions`).

use super::dialect::Connection;
use super::statement::Value;
use super::{Fields, VmdbError, miq_tasks, refresh_work, webhook_work};
use crate::clock;
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A row of `miq_queue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// `miq_queue.id`.
    pub id: i64,
    /// `ready`, `dequeue` while somebody has it, `error` when it was given up.
    pub state: String,
    /// Which queue.
    pub queue_name: String,
    /// ManageIQ's class: `EmsRefresh`, `EmsEvent`, `MiqAeEngine`, `Webhook` …
    pub class_name: String,
    /// And its method.
    pub method_name: String,
    /// Whose work it is.
    pub ems_id: Option<EmsId>,
    /// Joins `event_streams` and `ems_refreshes`.
    pub work_id: Option<i64>,
    /// When it was queued.
    pub created_on: Option<DateTime<Utc>>,
    /// When its state changed last.
    pub updated_on: Option<DateTime<Utc>>,
    /// Not before.
    pub deliver_on: Option<DateTime<Utc>>,
    /// The process that has it.
    pub handler_id: Option<i64>,
    /// What is to be done, as JSON.
    pub args: Option<String>,
    /// Why it failed last, when it did.
    pub error: Option<String>,
    /// How often it failed.
    pub failures: i64,
}

/// Which rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueQuery {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this EMS.
    pub ems_id: Option<EmsId>,
    /// Only this one.
    pub id: Option<i64>,
    /// At most so many, the oldest.
    pub limit: usize,
}

/// What became of a row that was to be steered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Steered {
    /// As asked.
    Done(Box<QueueRow>),
    /// It is being worked on, by this process: nothing was changed.
    Claimed(Option<i64>),
    /// There is no such row: done, dropped, or never there.
    Missing,
}

/// The rows that `query` chooses, oldest first, and how many there are without its limit.
///
/// # Errors
/// See [`VmdbError`].
pub fn list(connection: &mut Connection, query: &QueueQuery) -> Result<(Vec<QueueRow>, i64), VmdbError> {
    let (mut conditions, mut values): (Vec<&str>, Vec<Value<'_>>) = (vec!["1 = 1"], Vec::new());
    let queue = query.ems_id.map(refresh_work::queue_name);
    if let Some(state) = &query.state {
        conditions.push("state = ?");
        values.push(state.into());
    }
    if let (Some(ems_id), Some(queue)) = (query.ems_id, &queue) {
        conditions.push("(queue_name = ? OR (class_name <> 'EmsRefresh' AND target_id = ?))");
        values.extend([queue.into(), ems_id.0.into()]);
    }
    if let Some(id) = query.id {
        conditions.push("id = ?");
        values.push(id.into());
    }
    let conditions = conditions.join(" AND ");
    let sql = format!("SELECT count(*) FROM miq_queue WHERE {conditions}");
    let count = connection.rows(&sql, &values)?.first().and_then(|row| row.integer(0)).unwrap_or_default();
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT id, state, queue_name, class_name, method_name, target_id, work_id, created_on, updated_on, \
         deliver_on, handler_id, args FROM miq_queue WHERE {conditions} ORDER BY id LIMIT ?"
    );
    let mut rows: Vec<_> = connection.rows(&sql, &values)?.iter().map(row_of).collect::<Result<_, _>>()?;
    tell_failures(connection, &mut rows)?;
    Ok((rows, count))
}

fn row_of(row: &Fields) -> Result<QueueRow, VmdbError> {
    let text = |index| row.string(index).unwrap_or_default();
    let (queue_name, class_name) = (text(2), text(3));
    let ems_id = match class_name.as_str() {
        "EmsRefresh" => queue_name.strip_prefix("ems_").and_then(|id| id.parse().ok()),
        _ => row.integer(5),
    };
    Ok(QueueRow {
        id: row.id(0)?,
        state: text(1),
        queue_name,
        class_name,
        method_name: text(4),
        ems_id: ems_id.map(EmsId),
        work_id: row.integer(6),
        created_on: row.time(7),
        updated_on: row.time(8),
        deliver_on: row.time(9),
        handler_id: row.integer(10),
        args: row.string(11),
        error: None,
        failures: 0,
    })
}

/// Fills in what is told of failures.
fn tell_failures(connection: &mut Connection, rows: &mut [QueueRow]) -> Result<(), VmdbError> {
    type Failures<K> = HashMap<K, (Option<String>, i64)>;
    let work_ids: Vec<_> = rows.iter().filter_map(|row| row.work_id).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let told = |row: &Fields, at| (row.string(at), row.integer(at + 1).unwrap_or_default());
    let mut refreshes: Failures<(i64, i64)> = HashMap::new();
    if !work_ids.is_empty() {
        let sql = "SELECT ems_id, work_id, error, COALESCE(attempts, 1) FROM ems_refreshes \
                   WHERE error IS NOT NULL AND work_id ? ORDER BY id";
        for row in connection.rows(sql, &[Value::Integers(work_ids)])? {
            refreshes.insert((row.id(0)?, row.id(1)?), told(&row, 2));
        }
    }
    let mut actions: Failures<i64> = HashMap::new();
    if !ids.is_empty() {
        let sql = "SELECT queue_id, reason, attempts FROM event_actions WHERE queue_id ? ORDER BY id";
        for row in connection.rows(sql, &[Value::Integers(ids)])? {
            actions.insert(row.id(0)?, told(&row, 1));
        }
    }
    for row in rows {
        let key = row.ems_id.map(|ems_id| ems_id.0).zip(row.work_id);
        let known = key.and_then(|key| refreshes.remove(&key)).or_else(|| actions.remove(&row.id));
        (row.error, row.failures) = known.unwrap_or_default();
    }
    Ok(())
}

/// Makes a row that was given up, or that waits for its time, due at once. A webhook, and a request to automate, has all its
/// attempts before it again; those of a refresh stay counted.
///
/// # Errors
/// See [`VmdbError`].
pub fn retry(connection: &mut Connection, id: i64) -> Result<Steered, VmdbError> {
    connection.transaction(|connection| {
        webhook_work::retry(connection, id)?;
        let sql = "UPDATE miq_queue SET state = 'ready', deliver_on = NULL, handler_type = NULL, handler_id = NULL, \
                   updated_on = ?, lock_version = CASE class_name WHEN 'MiqAeEngine' THEN 0 ELSE lock_version + 1 END \
                   WHERE id = ? AND state IN ('ready', 'error')";
        if connection.execute(sql, &[clock::now().into(), id.into()])? == 0 {
            return not_free(connection, id);
        }
        let sql = "UPDATE event_actions SET state = 'waiting', finished_on = NULL WHERE queue_id = ?";
        connection.execute(sql, &[id.into()])?;
        found(connection, id)
    })
}

/// Makes all rows that were given up due at once. Returns how many there were.
///
/// # Errors
/// See [`VmdbError`].
pub fn retry_all_failed(connection: &mut Connection, ems_id: Option<EmsId>) -> Result<usize, VmdbError> {
    let query = QueueQuery { state: Some("error".to_owned()), ems_id, id: None, limit: usize::MAX };
    let (rows, _) = list(connection, &query)?;
    let mut count = 0;
    for row in rows {
        count += usize::from(matches!(retry(connection, row.id)?, Steered::Done(_)));
    }
    Ok(count)
}

/// Takes a row out. What waits for it learns that it will not be done.
///
/// # Errors
/// See [`VmdbError`].
pub fn drop_row(connection: &mut Connection, id: i64) -> Result<Steered, VmdbError> {
    const REASON: &str = "dropped by `catchall queue drop`";
    connection.transaction(|connection| {
        let found = found(connection, id)?;
        let sql = "DELETE FROM miq_queue WHERE id = ? AND state <> 'dequeue' RETURNING miq_task_id";
        let removed = connection.rows(sql, &[id.into()])?;
        if removed.is_empty() {
            return not_free(connection, id);
        }
        miq_tasks::finish(connection, &removed, Some(REASON))?;
        let now = clock::now();
        let sql = "UPDATE event_actions SET state = 'skipped', reason = ?, finished_on = ? WHERE queue_id = ?";
        connection.execute(sql, &[REASON.into(), now.into(), id.into()])?;
        if let Steered::Done(row) = &found
            && let ("EmsRefresh", Some(ems_id), Some(work_id)) =
                (row.class_name.as_str(), row.ems_id, row.work_id)
        {
            let sql = "INSERT INTO ems_refreshes (work_id, ems_id, kind, targets, requested_on, finished_on, error) \
                       VALUES (?, ?, 'targeted', 0, ?, ?, ?)";
            let values = [work_id.into(), ems_id.0.into(), row.created_on.into(), now.into(), REASON.into()];
            connection.execute(sql, &values)?;
        }
        Ok(found)
    })
}

fn found(connection: &mut Connection, id: i64) -> Result<Steered, VmdbError> {
    let query = QueueQuery { id: Some(id), limit: 1, ..QueueQuery::default() };
    let row = list(connection, &query)?.0.pop();
    Ok(row.map_or(Steered::Missing, |row| Steered::Done(Box::new(row))))
}

fn not_free(connection: &mut Connection, id: i64) -> Result<Steered, VmdbError> {
    Ok(match found(connection, id)? {
        Steered::Done(row) => Steered::Claimed(row.handler_id),
        other => other,
    })
}

/// How work of this `work_id` stands, for those who wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits; `true` when a process has claimed it.
    Waiting(bool),
    /// It succeeded: `full` or `targeted`.
    Done(String),
    /// It failed for this reason, and `true` when it is tried again by itself.
    Failed(String, bool),
    /// Nobody knows of it any more.
    Gone,
}

/// How a refresh stands.
///
/// # Errors
/// See [`VmdbError`].
pub fn standing(connection: &mut Connection, ems_id: EmsId, work_id: i64) -> Result<Standing, VmdbError> {
    let queue = refresh_work::queue_name(ems_id);
    // The queue first: work that is done between the two looks is then seen twice, not never.
    let sql = "SELECT state FROM miq_queue WHERE queue_name = ? AND work_id = ?";
    let state =
        connection.rows(sql, &[(&queue).into(), work_id.into()])?.first().and_then(|row| row.string(0));
    let sql =
        "SELECT kind, error FROM ems_refreshes WHERE ems_id = ? AND work_id = ? ORDER BY id DESC LIMIT 1";
    let rows = connection.rows(sql, &[ems_id.0.into(), work_id.into()])?;
    let ended = rows.first().map(|row| (row.string(0).unwrap_or_default(), row.string(1)));
    Ok(match (state.as_deref(), ended) {
        (_, Some((kind, None))) => Standing::Done(kind),
        (state, Some((_, Some(error)))) => {
            Standing::Failed(error, matches!(state, Some("ready" | "dequeue")))
        }
        (Some(state), None) => Standing::Waiting(state == "dequeue"),
        (None, None) => Standing::Gone,
    })
}
