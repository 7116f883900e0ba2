//! What a full refresh found wrong in the inventory although nobody had asked for it: rows that events should have brought.
//!
//! Counts only; which rows they were, the log of changes of the provider tells better.

use super::VmdbError;
use super::dialect::Connection;
use super::inventory_save::CountsByAssociation;
use super::refresh_work::{QueuedTarget, RefreshWork, queue_name};
use super::statement::Value;
use crate::provider::EmsId;
use chrono::TimeDelta;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// An event that asks for a refresh is hardly ever older, by its own time, than the work that it makes, by so much.
const OLDEST_EVENT: TimeDelta = TimeDelta::days(1);

/// Of `written`, what a full refresh that answered `work` had to correct, by association. Nothing, if an event asked for it:
/// then events did bring it. Targets that wait by now are being brought, and are taken off.
///
/// # Errors
/// See [`VmdbError`].
pub fn corrected(
    connection: &mut Connection,
    ems_id: EmsId,
    work: &[RefreshWork],
    written: &CountsByAssociation,
) -> Result<BTreeMap<&'static str, u64>, VmdbError> {
    let written = written.iter().map(|(association, counts)| (*association, counts.written()));
    let mut corrected: BTreeMap<_, _> = written.filter(|(_, count)| *count > 0).collect();
    if corrected.is_empty() || asked_by_events(connection, ems_id, work)? {
        return Ok(BTreeMap::new());
    }
    for (association, waiting) in waiting_targets(connection, ems_id)? {
        if let Some(count) = corrected.get_mut(association.as_str()) {
            *count = count.saturating_sub(waiting);
        }
    }
    corrected.retain(|_, count| *count > 0);
    Ok(corrected)
}

fn asked_by_events(
    connection: &mut Connection,
    ems_id: EmsId,
    work: &[RefreshWork],
) -> Result<bool, VmdbError> {
    if work.iter().any(|work| work.targets > 0) {
        return Ok(true);
    }
    let Some(since) = work.iter().map(|work| work.requested_on).min() else { return Ok(false) };
    let works = Value::Integers(work.iter().filter_map(|work| work.work_id).collect());
    let sql = "SELECT id FROM event_streams WHERE ems_id = ? AND timestamp >= ? AND work_id ? LIMIT 1";
    let found = connection.rows(sql, &[ems_id.0.into(), (since - OLDEST_EVENT).into(), works])?;
    Ok(!found.is_empty())
}

/// How many things of each association wait for a refresh.
fn waiting_targets(connection: &mut Connection, ems_id: EmsId) -> Result<BTreeMap<String, u64>, VmdbError> {
    #[derive(Deserialize)]
    struct Args {
        targets: Vec<QueuedTarget>,
    }
    let sql =
        "SELECT args FROM miq_queue WHERE queue_name = ? AND state = 'ready' AND class_name = 'EmsRefresh'";
    let rows = connection.rows(sql, &[(&queue_name(ems_id)).into()])?;
    let mut targets = BTreeSet::new();
    for args in rows.iter().filter_map(|row| serde_json::from_str::<[Args; 1]>(row.text(0)?).ok()) {
        for queued in args.into_iter().flat_map(|args| args.targets) {
            let target = queued.request.target;
            let key = format!("{:?}", target.manager_ref);
            targets.insert((target.association, key));
        }
    }
    let mut counts = BTreeMap::new();
    targets.into_iter().for_each(|(association, _)| *counts.entry(association).or_default() += 1);
    Ok(counts)
}
