//! The work that an event made, for its story: rows of `event_actions`, what waits in `miq_queue`, and the `ems_refreshes`
//! that it came to.

use super::state_changes::{self, StateChange};
use super::trace::{MOST, StoredEvent};
use super::{Connection, Fields, Value, VmdbError, automate_work, refresh_work};
use crate::provider::EmsId;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;

/// A row of `event_actions`: one thing that was done, or was held back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action {
    /// `handler`, `rule`, `webhook`, `log`, `chain`
    pub kind: String,
    /// The handler's, rule's or webhook's name.
    pub name: String,
    /// The rule that wanted it.
    pub rule: Option<String>,
    /// Its parameters, as JSON.
    pub params: Option<String>,
    /// `done`, `waiting`, `failed`, `unsupported`, `suppressed`, `grouped`, `skipped`, `dead`
    pub state: String,
    /// Why it is in that state.
    pub reason: Option<String>,
    /// By what `at_most` or `group_within` told it apart.
    pub limit_key: Option<String>,
    /// Its row of `miq_queue`, while it has one.
    pub queue_id: Option<i64>,
    /// The refresh that it asked for.
    pub work_id: Option<i64>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was asked for.
    pub requested_on: Option<DateTime<Utc>>,
    /// When it was begun last.
    pub started_on: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_on: Option<DateTime<Utc>>,
}

/// A row of `miq_queue` that was made for the event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitingWork {
    /// `miq_queue.id`
    pub queue_id: i64,
    /// `EmsRefresh.refresh`, `MiqAeEngine.deliver`
    pub method: String,
    /// `ready` waits, `dequeue` is under way.
    pub state: String,
    /// When it was queued.
    pub requested_on: Option<DateTime<Utc>>,
    /// Not before this.
    pub deliver_on: Option<DateTime<Utc>>,
    /// Of a refresh, what this event asked for: `vms ems_ref=vm-1`. Nothing when another event's request stands for it.
    pub targets: Vec<String>,
    /// Whether the whole EMS is refreshed.
    pub full: bool,
}

/// A row of `ems_refreshes`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refresh {
    /// `full` or `targeted`
    pub kind: String,
    /// How many things the events of one commit asked for.
    pub targets: Option<i64>,
    /// When it was queued.
    pub requested_on: Option<DateTime<Utc>>,
    /// When the provider was asked.
    pub started_on: Option<DateTime<Utc>>,
    /// When the inventory was saved.
    pub finished_on: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
}

pub(super) fn actions(connection: &mut Connection, event_id: i64) -> Result<Vec<Action>, VmdbError> {
    let sql = "SELECT kind, name, rule, params, state, reason, limit_key, queue_id, work_id, attempts, requested_on, \
               started_on, finished_on FROM event_actions WHERE event_id = ? ORDER BY id LIMIT ?";
    let rows = connection.rows(sql, &[event_id.into(), MOST.into()])?;
    let action = |row: &Fields| Action {
        kind: row.string(0).unwrap_or_default(),
        name: row.string(1).unwrap_or_default(),
        rule: row.string(2),
        params: row.string(3),
        state: row.string(4).unwrap_or_default(),
        reason: row.string(5),
        limit_key: row.string(6),
        queue_id: row.integer(7),
        work_id: row.integer(8),
        attempts: row.integer(9).unwrap_or_default(),
        requested_on: row.time(10),
        started_on: row.time(11),
        finished_on: row.time(12),
    };
    Ok(rows.iter().map(action).collect())
}

const QUEUED: &str = "SELECT id, class_name, method_name, state, created_on, deliver_on, args FROM miq_queue";

/// Its refresh, and the row in which automate has it.
pub(super) fn waiting(
    connection: &mut Connection,
    event: &StoredEvent,
    work_ids: &[i64],
) -> Result<Vec<WaitingWork>, VmdbError> {
    let Some(ems_id) = event.ems_id else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if !work_ids.is_empty() {
        let sql = format!("{QUEUED} WHERE queue_name = ? AND work_id ? ORDER BY id LIMIT ?");
        let queue = refresh_work::queue_name(EmsId(ems_id));
        let rows =
            connection.rows(&sql, &[(&queue).into(), Value::Integers(work_ids.to_vec()), MOST.into()])?;
        for row in &rows {
            found.push(work(row, event.id)?.0);
        }
    }
    // One row holds the requests of all events of a commit.
    let sql = format!(
        "{QUEUED} WHERE queue_name = ? AND class_name = 'MiqAeEngine' AND target_id = ? AND created_on >= ? \
         ORDER BY id LIMIT ?"
    );
    let values = [automate_work::QUEUE.into(), ems_id.into(), event.created_on.into(), MOST.into()];
    for row in &connection.rows(&sql, &values)? {
        let (work, is_for_event) = work(row, event.id)?;
        if is_for_event {
            found.push(work);
        }
    }
    Ok(found)
}

/// The work, and whether its arguments name the event.
fn work(row: &Fields, event_id: i64) -> Result<(WaitingWork, bool), VmdbError> {
    let args: Json = row.text(6).and_then(|args| serde_json::from_str(args).ok()).unwrap_or_default();
    let asks = |request: &&Json| request["event_id"] == event_id;
    let requests = |list: &Json| list.as_array().cloned().unwrap_or_default();
    let of_automate = requests(&args).iter().any(|request| asks(&request));
    let targets = requests(&args[0]["targets"]);
    let targets: Vec<String> = targets.iter().filter(asks).map(target).collect();
    let work = WaitingWork {
        queue_id: row.id(0)?,
        method: format!("{}.{}", row.text(1).unwrap_or_default(), row.text(2).unwrap_or_default()),
        state: row.string(3).unwrap_or_default(),
        requested_on: row.time(4),
        deliver_on: row.time(5),
        targets,
        full: args[0]["full"] == true,
    };
    Ok((work, of_automate))
}

fn target(request: &Json) -> String {
    let association = request["association"].as_str().unwrap_or_default();
    let keys = request["manager_ref"].as_object().into_iter().flatten();
    let key = |(name, value): (&String, &Json)| match value.as_str() {
        Some(text) => format!(" {name}={text}"),
        None => format!(" {name}={value}"),
    };
    format!("{association}{}", keys.map(key).collect::<String>())
}

/// What was changed for it, oldest first.
pub(super) fn changes(
    connection: &mut Connection,
    event: &StoredEvent,
    work_ids: &[i64],
) -> Result<Vec<StateChange>, VmdbError> {
    let most = usize::try_from(MOST).unwrap_or_default();
    let mut changes = state_changes::for_event(connection, event.id, most)?;
    if let Some(ems_id) = event.ems_id {
        changes.append(&mut state_changes::for_refresh(connection, EmsId(ems_id), work_ids, most)?);
    }
    changes.sort_by_key(|change| change.id);
    changes.truncate(most);
    Ok(changes)
}

pub(super) fn refreshes(
    connection: &mut Connection,
    event: &StoredEvent,
    work_ids: Vec<i64>,
) -> Result<Vec<Refresh>, VmdbError> {
    let Some(ems_id) = event.ems_id.filter(|_| !work_ids.is_empty()) else { return Ok(Vec::new()) };
    let sql = "SELECT kind, targets, requested_on, started_on, finished_on, error FROM ems_refreshes \
               WHERE work_id ? AND ems_id = ? ORDER BY id DESC LIMIT ?";
    let rows = connection.rows(sql, &[Value::Integers(work_ids), ems_id.into(), MOST.into()])?;
    let refresh = |row: &Fields| Refresh {
        kind: row.string(0).unwrap_or_default(),
        targets: row.integer(1),
        requested_on: row.time(2),
        started_on: row.time(3),
        finished_on: row.time(4),
        error: row.string(5),
    };
    Ok(rows.iter().rev().map(refresh).collect())
}
