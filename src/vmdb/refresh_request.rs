//! Refresh work that automate asks for, off the commit path, and whether it has been answered.

use super::dialect::Connection;
use super::refresh_work::{self, NewWork, QueuedTarget};
use super::statement::Value;
use super::{Fields, VmdbError};
use crate::provider::{EmsId, Target, TargetRequest};
use chrono::{DateTime, Utc};

/// What one transaction asks to be refreshed of one EMS.
#[derive(Debug)]
pub struct RefreshRequest {
    work: NewWork,
    /// What was asked for, in order; `None` for the whole EMS.
    asked: Vec<(Option<Target>, Asker)>,
}

/// The event that asks.
#[derive(Debug)]
struct Asker {
    event_id: i64,
    event_type: String,
    timestamp: DateTime<Utc>,
}

impl RefreshRequest {
    /// Of nothing yet.
    pub fn new(ems_id: EmsId) -> Self {
        Self { work: NewWork::new(ems_id, false), asked: Vec::new() }
    }

    /// By which it will be known.
    pub fn work_id(&self) -> i64 {
        self.work.work_id
    }

    /// Whether nobody asked for anything.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Asks for `target`, or for the whole EMS, since this event happened.
    pub fn add(&mut self, target: Option<Target>, event_id: i64, event_type: &str, timestamp: DateTime<Utc>) {
        self.asked.push((target, Asker { event_id, event_type: event_type.to_owned(), timestamp }));
    }

    /// How often something was asked for.
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    /// Forgets what was asked for after the first `len` times.
    pub fn truncate(&mut self, len: usize) {
        self.asked.truncate(len);
    }

    /// Queues it. Events that had no work have this.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn put(self, connection: &mut Connection) -> Result<(), VmdbError> {
        if self.is_empty() {
            return Ok(());
        }
        let (work_id, mut work) = (self.work.work_id, self.work);
        let events = self.asked.iter().map(|(_, asker)| asker.event_id).collect();
        for (target, Asker { event_id, event_type, timestamp }) in self.asked {
            match target {
                None => work.full = true,
                Some(target) => {
                    let request = TargetRequest { target, event_type, timestamp };
                    work.add(QueuedTarget { request, event_id });
                }
            }
        }
        refresh_work::put(connection, &[work])?;
        let sql = "UPDATE event_streams SET work_id = ? WHERE work_id IS NULL AND id ?";
        connection.execute(sql, &[work_id.into(), Value::Integers(events)]).map(drop)
    }
}

/// Whether a refresh that covers this work has succeeded: the one that answered it, a full one that began after
/// `since`, or any after that when the work does not wait any more.
///
/// # Errors
/// See [`VmdbError`].
pub fn is_answered(
    connection: &mut Connection,
    ems_id: EmsId,
    work_id: i64,
    since: DateTime<Utc>,
) -> Result<bool, VmdbError> {
    let any = |rows: Vec<Fields>| !rows.is_empty();
    let answered = "SELECT id FROM ems_refreshes WHERE error IS NULL AND work_id = ? LIMIT 1";
    if any(connection.rows(answered, &[work_id.into()])?) {
        return Ok(true);
    }
    let full = "SELECT id FROM ems_refreshes WHERE ems_id = ? AND error IS NULL AND kind = 'full' AND finished_on >= ? \
                AND started_on >= ? LIMIT 1";
    if any(connection.rows(full, &[ems_id.0.into(), since.into(), since.into()])?) {
        return Ok(true);
    }
    let waits = "SELECT id FROM miq_queue WHERE queue_name = ? AND work_id = ? LIMIT 1";
    let queue = refresh_work::queue_name(ems_id);
    if any(connection.rows(waits, &[(&queue).into(), work_id.into()])?) {
        return Ok(false);
    }
    let later = "SELECT id FROM ems_refreshes WHERE ems_id = ? AND error IS NULL AND finished_on >= ? \
                 AND started_on >= ? LIMIT 1";
    Ok(any(connection.rows(later, &[ems_id.0.into(), since.into(), since.into()])?))
}
