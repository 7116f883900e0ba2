//! Purging: what is older than `keep_events` is deleted, oldest first, a bounded number of rows in one transaction. How many
//! and how often is the caller's to say; what is asked for here never looks at more rows than it may delete.

use super::dialect::Connection;
use super::statement::Value;
use super::{VmdbError, folded_events};
use chrono::{DateTime, Utc};

/// Rows that were deleted, by table.
pub type Purged = Vec<(&'static str, usize)>;

/// What is purged, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purgeable {
    /// Events by their own time, as in ManageIQ (those without one are never purged), with what is about them alone: the
    /// trace of what was done, references that still wait, and repeats that were folded into them.
    Events,
    /// Gaps by when they were found.
    Gaps,
    /// Dead letters by when they were met.
    DeadLetters,
    /// Refreshes by their end, save each EMS's last full one that succeeded: it says when the next one is due.
    Refreshes,
    /// Finished tasks by when they were made.
    Tasks,
    /// What changed in the inventory, by when it was saved.
    StateChanges,
    /// Outages of event catchers by their end.
    Outages,
    /// Processes that were killed, by when they last said that they live.
    Heartbeats,
}

impl Purgeable {
    /// All of it.
    pub const ALL: [Self; 8] = [
        Self::Events,
        Self::Gaps,
        Self::DeadLetters,
        Self::Refreshes,
        Self::Tasks,
        Self::StateChanges,
        Self::Outages,
        Self::Heartbeats,
    ];
}

/// Rows of a table without an index on its time that are looked at: those with the lowest ids, which are the oldest. Only
/// such as may not be deleted are passed over, and those are few.
const LOOKED_AT: i64 = 10_000;

/// Deletes at most `limit` rows from before `before`; returns how many of each table. Ask again until there are none.
///
/// # Errors
/// See [`VmdbError`].
pub fn purge(
    connection: &mut Connection,
    what: Purgeable,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Purged, VmdbError> {
    match what {
        Purgeable::Events => events(connection, before, limit),
        Purgeable::Gaps => oldest(connection, "event_gaps", "created_on < ?", (before, limit)),
        Purgeable::DeadLetters => oldest(connection, "dead_letters", "created_on < ?", (before, limit)),
        Purgeable::Refreshes => oldest(connection, "ems_refreshes", REFRESHES, (before, limit)),
        Purgeable::Tasks => {
            oldest(connection, "miq_tasks", "created_on < ? AND state = 'Finished'", (before, limit))
        }
        Purgeable::StateChanges => oldest(connection, "state_changes", "changed_on < ?", (before, limit)),
        Purgeable::Outages => oldest(connection, "event_catcher_outages", "ended_on < ?", (before, limit)),
        Purgeable::Heartbeats => oldest(connection, "process_heartbeats", "beat_on < ?", (before, limit)),
    }
}

const REFRESHES: &str = "finished_on < ? AND (kind <> 'full' OR error IS NOT NULL OR EXISTS (SELECT 1 FROM \
                         ems_refreshes later WHERE later.ems_id = old.ems_id AND later.finished_on > old.finished_on \
                         AND later.kind = 'full' AND later.error IS NULL))";

fn events(connection: &mut Connection, before: DateTime<Utc>, limit: i64) -> Result<Purged, VmdbError> {
    connection.transaction(|connection| {
        let sql = "SELECT id FROM event_streams WHERE timestamp < ? ORDER BY timestamp LIMIT ?";
        let rows = connection.rows(sql, &[before.into(), limit.into()])?;
        let ids = rows.iter().map(|row| row.id(0)).collect::<Result<Vec<_>, _>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = [Value::Integers(ids)];
        let mut purged = Vec::new();
        let folded = folded_events::purge(connection, &ids[0], limit)?;
        if folded > 0 {
            purged.push(("folded_events", folded));
        }
        if folded as i64 == limit {
            return Ok(purged); // perhaps not all of them: the rows that took them go with the last
        }
        purged.extend([
            ("event_actions", connection.execute("DELETE FROM event_actions WHERE event_id ?", &ids)?),
            ("event_links", connection.execute("DELETE FROM event_links WHERE event_id ?", &ids)?),
            ("event_streams", connection.execute("DELETE FROM event_streams WHERE id ?", &ids)?),
        ]);
        Ok(purged)
    })
}

fn oldest(
    connection: &mut Connection,
    table: &'static str,
    condition: &str,
    (before, limit): (DateTime<Utc>, i64),
) -> Result<Purged, VmdbError> {
    let sql = format!(
        "DELETE FROM {table} WHERE id IN (SELECT id FROM (SELECT * FROM {table} ORDER BY id LIMIT ?) old WHERE {condition} \
         LIMIT ?)"
    );
    let deleted = connection.execute(&sql, &[LOOKED_AT.into(), before.into(), limit.into()])?;
    Ok(if deleted == 0 { Vec::new() } else { vec![(table, deleted)] })
}
