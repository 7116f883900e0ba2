//! The story of one event, as its rows tell it: what it is and names, what was done for it, which refresh answered it, and
//! which events came from it. Every look has an index and a limit; nothing is decided or put into words here.

use super::folded_events::{self, Folded};
use super::state_changes::StateChange;
use super::trace_work::{self, Action, Refresh, WaitingWork};
use super::{Connection, Field, Fields, Value, VmdbError, ems};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

/// Of each kind of row at most so many are told.
pub(super) const MOST: i64 = 100;
/// An event type makes fewer calls than this.
const MOST_CALLS: usize = 50;

/// All that is known of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Story {
    /// The event.
    pub event: StoredEvent,
    /// What it was related to.
    pub relations: Vec<Relation>,
    /// References that inventory does not know yet; a refresh that brings them links the event.
    pub missing: Vec<MissingReference>,
    /// What was done for it besides refreshing, oldest first.
    pub actions: Vec<Action>,
    /// Repeats that flood control folded into it.
    pub folded: Option<Folded>,
    /// Work of automate or of a refresh that waits or is under way for it.
    pub waiting: Vec<WaitingWork>,
    /// The refreshes that its work came to, oldest first; the last one counts.
    pub refreshes: Vec<Refresh>,
    /// What its handlers and refreshes changed in the inventory; those of a refresh that answered other events too are
    /// among them.
    pub changes: Vec<StateChange>,
    /// Other events of its chain, `*_Complete` ones (source `EVM`) among them, and the policy events that it raised.
    pub followers: Vec<Follower>,
}

/// A row of `event_streams`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredEvent {
    /// `event_streams.id`
    pub id: i64,
    /// Whose.
    pub ems_id: Option<i64>,
    /// The EMS's name.
    pub ems: Option<String>,
    /// Its type.
    pub event_type: String,
    /// The provider's tag, which the switchboard asks for.
    pub source: String,
    /// When it happened, by the provider.
    pub timestamp: Option<DateTime<Utc>>,
    /// When it was stored.
    pub created_on: Option<DateTime<Utc>>,
    /// Joins it to its refresh.
    pub work_id: Option<i64>,
    /// Joins it to the events of the same task.
    pub chain_id: Option<i64>,
    /// The other columns that have a value: (column, value).
    pub columns: Vec<(&'static str, String)>,
    /// What the provider sent.
    pub full_data: Option<String>,
}

/// Something that the event names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// `VM`, `destination host` …
    pub what: &'static str,
    /// Its row, when it is known.
    pub id: Option<i64>,
    /// Its name, by the event, else by its row.
    pub name: Option<String>,
}

/// What an event names and inventory does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingReference {
    /// What it is to the event: `vm`, `host` …
    pub relation: String,
    /// `ems_ref`, `uid_ems` …
    pub manager_key: String,
    /// The reference itself.
    pub manager_ref: String,
}

/// An event that belongs to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Follower {
    /// `event_streams.id`
    pub id: i64,
    /// `EmsEvent` or `MiqEvent`.
    pub class_name: String,
    /// Its type.
    pub event_type: String,
    /// `EVM` for those that were made here, `POLICY` for policy events.
    pub source: String,
    /// When it happened.
    pub timestamp: Option<DateTime<Utc>>,
}

/// The ids of the events that `asked` means: a row's id, or an `event_uid`, which several EMSs may have; that of a folded
/// event means the row that took it.
///
/// # Errors
/// See [`VmdbError`].
pub fn find(connection: &mut Connection, asked: &str) -> Result<Vec<i64>, VmdbError> {
    let mut rows = Vec::new();
    if let Ok(id) = asked.parse::<i64>() {
        rows = connection.rows("SELECT id FROM event_streams WHERE id = ?", &[id.into()])?;
    }
    if rows.is_empty() {
        // By EMS, so that the index on both serves.
        let all_ems = ems::list(connection)?.iter().map(|ems| ems.id.0).collect();
        let sql = "SELECT id FROM event_streams WHERE ems_id ? AND event_uid = ? ORDER BY id LIMIT ?";
        rows = connection.rows(sql, &[Value::Integers(all_ems), asked.into(), MOST.into()])?;
    }
    if rows.is_empty() {
        let all_ems = ems::list(connection)?.iter().map(|ems| ems.id.0).collect();
        return folded_events::rows_with(connection, all_ems, asked);
    }
    rows.iter().map(|row| row.id(0)).collect()
}

/// The story of the event with this id; `None` when there is none.
///
/// # Errors
/// See [`VmdbError`].
pub fn story(connection: &mut Connection, id: i64) -> Result<Option<Story>, VmdbError> {
    let rows = connection.rows(&event_sql(), &[id.into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let event = event(row)?;
    let relations = relations(row);
    let actions = trace_work::actions(connection, id)?;
    let folded = folded_events::of_event(connection, id, MOST)?;
    let of_folded = folded.iter().flat_map(|folded| &folded.latest).filter_map(|event| event.work_id);
    let of_actions = actions.iter().filter_map(|action| action.work_id);
    let work_ids: BTreeSet<i64> = of_actions.chain(event.work_id).chain(of_folded).collect();
    let work_ids: Vec<i64> = work_ids.into_iter().collect();
    Ok(Some(Story {
        missing: missing(connection, &event, &relations)?,
        // The queue before what comes of it: work that is done in between is then told twice, not never.
        waiting: trace_work::waiting(connection, &event, &work_ids)?,
        changes: trace_work::changes(connection, &event, &work_ids)?,
        refreshes: trace_work::refreshes(connection, &event, work_ids)?,
        followers: followers(connection, &event, &actions)?,
        relations,
        actions,
        folded,
        event,
    }))
}

const HEAD: &str = "e.id, e.ems_id, m.name, e.event_type, e.source, e.timestamp, e.created_on, e.work_id, e.chain_id, \
                    e.full_data";
const HEAD_LENGTH: usize = 10;

/// Columns that are shown as they are.
const COLUMNS: &[&str] = &[
    "type",
    "event_uid",
    "message",
    "username",
    "ems_ref",
    "is_task",
    "vm_ems_ref",
    "vm_location",
    "dest_vm_ems_ref",
    "dest_vm_location",
    "ems_cluster_uid",
    "dest_ems_cluster_uid",
    "container_namespace",
    "container_name",
    "target_type",
    "target_id",
];

/// (what, id, name)
const RELATIONS: &[(&str, &str, &str)] = &[
    ("VM", "e.vm_or_template_id", "coalesce(e.vm_name, v.name)"),
    ("destination VM", "e.dest_vm_or_template_id", "coalesce(e.dest_vm_name, dv.name)"),
    ("host", "e.host_id", "coalesce(e.host_name, h.name)"),
    ("destination host", "e.dest_host_id", "coalesce(e.dest_host_name, dh.name)"),
    ("availability zone", "e.availability_zone_id", "a.name"),
    ("cluster", "e.ems_cluster_id", "coalesce(e.ems_cluster_name, c.name)"),
    ("destination cluster", "e.dest_ems_cluster_id", "e.dest_ems_cluster_name"),
    ("container node", "e.container_node_id", "e.container_node_name"),
    ("container group", "e.container_group_id", "e.container_group_name"),
    ("container replicator", "e.container_replicator_id", "e.container_replicator_name"),
    ("physical storage", "e.physical_storage_id", "e.physical_storage_name"),
];

fn event_sql() -> String {
    let columns = COLUMNS.iter().map(|column| format!(", e.{column}"));
    let relations = RELATIONS.iter().map(|(_, id, name)| format!(", {id}, {name}"));
    let shown: String = columns.chain(relations).collect();
    format!(
        "SELECT {HEAD}{shown} FROM event_streams e LEFT JOIN ext_management_systems m ON m.id = e.ems_id \
         LEFT JOIN vms v ON v.id = e.vm_or_template_id LEFT JOIN vms dv ON dv.id = e.dest_vm_or_template_id \
         LEFT JOIN hosts h ON h.id = e.host_id LEFT JOIN hosts dh ON dh.id = e.dest_host_id \
         LEFT JOIN availability_zones a ON a.id = e.availability_zone_id \
         LEFT JOIN ems_clusters c ON c.id = e.ems_cluster_id WHERE e.id = ?"
    )
}

fn event(row: &Fields) -> Result<StoredEvent, VmdbError> {
    let columns = COLUMNS.iter().enumerate();
    let shown = columns.filter_map(|(at, column)| Some((*column, shown(row.get(HEAD_LENGTH + at))?)));
    Ok(StoredEvent {
        id: row.id(0)?,
        ems_id: row.integer(1),
        ems: row.string(2),
        event_type: row.string(3).unwrap_or_default(),
        source: row.string(4).unwrap_or_default(),
        timestamp: row.time(5),
        created_on: row.time(6),
        work_id: row.integer(7),
        chain_id: row.integer(8),
        full_data: row.string(9),
        columns: shown.collect(),
    })
}

fn shown(field: &Field) -> Option<String> {
    match field {
        Field::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Field::Integer(number) => Some(number.to_string()),
        Field::Boolean(boolean) => Some(i64::from(*boolean).to_string()),
        Field::Null | Field::Time(_) | Field::Double(_) => None,
    }
}

fn relations(row: &Fields) -> Vec<Relation> {
    let begin = HEAD_LENGTH + COLUMNS.len();
    let relation = |(at, (what, _, _)): (usize, &(&'static str, &str, &str))| {
        let (id, name) = (row.integer(begin + 2 * at), row.string(begin + 2 * at + 1));
        (id.is_some() || name.is_some()).then_some(Relation { what, id, name })
    };
    RELATIONS.iter().enumerate().filter_map(relation).collect()
}

/// A VM that is waited for stands in the event's own columns, everything else in `event_links`.
fn missing(
    connection: &mut Connection,
    event: &StoredEvent,
    relations: &[Relation],
) -> Result<Vec<MissingReference>, VmdbError> {
    let is_known = |what| relations.iter().any(|relation| relation.what == what && relation.id.is_some());
    let waits = |(relation, column, what)| {
        let (_, value) = event.columns.iter().find(|(known, _)| *known == column && !is_known(what))?;
        let (relation, manager_key) = (String::from(relation), "ems_ref".to_owned());
        Some(MissingReference { relation, manager_key, manager_ref: value.clone() })
    };
    let vms = [("vm", "vm_ems_ref", "VM"), ("dest_vm", "dest_vm_ems_ref", "destination VM")];
    let mut all: Vec<_> = vms.into_iter().filter_map(waits).collect();
    let sql =
        "SELECT relation, manager_key, manager_ref FROM event_links WHERE event_id = ? ORDER BY id LIMIT ?";
    let rows = connection.rows(sql, &[event.id.into(), MOST.into()])?;
    let reference = |row: &Fields| MissingReference {
        relation: row.string(0).unwrap_or_default(),
        manager_key: row.string(1).unwrap_or_default(),
        manager_ref: row.string(2).unwrap_or_default(),
    };
    let linked = rows.iter().map(reference);
    all.extend(linked.filter(|link| vms.iter().all(|(relation, ..)| link.relation != *relation)));
    Ok(all)
}

/// The chain, and the policy events: those belong to no EMS, and their `event_uid` is `policy:EVENT:N`, with the rule that
/// raised them before the number. All that there can be are asked for, so that the index serves.
fn followers(
    connection: &mut Connection,
    event: &StoredEvent,
    actions: &[Action],
) -> Result<Vec<Follower>, VmdbError> {
    let columns = "SELECT id, type, event_type, source, timestamp FROM event_streams";
    let mut rows = Vec::new();
    if let (Some(ems_id), Some(chain_id)) = (event.ems_id, event.chain_id) {
        let sql = format!("{columns} WHERE ems_id = ? AND chain_id = ? AND id <> ? ORDER BY id LIMIT ?");
        rows = connection.rows(&sql, &[ems_id.into(), chain_id.into(), event.id.into(), MOST.into()])?;
    }
    let rules: BTreeSet<String> =
        actions.iter().filter_map(|action| action.rule.as_ref()).map(|rule| format!("{rule}:")).collect();
    let by = rules.iter().map(String::as_str).chain([""]);
    let uids: Vec<String> =
        by.flat_map(|by| (1..=MOST_CALLS).map(move |n| format!("policy:{}:{by}{n}", event.id))).collect();
    let sql = format!("{columns} WHERE ems_id IS NULL AND event_uid ? ORDER BY id LIMIT ?");
    let uids = Value::Texts(uids.iter().map(String::as_str).collect());
    rows.extend(connection.rows(&sql, &[uids, MOST.into()])?);
    rows.iter().map(follower).collect()
}

fn follower(row: &Fields) -> Result<Follower, VmdbError> {
    Ok(Follower {
        id: row.id(0)?,
        class_name: row.string(1).unwrap_or_default(),
        event_type: row.string(2).unwrap_or_default(),
        source: row.string(3).unwrap_or_default(),
        timestamp: row.time(4),
    })
}
