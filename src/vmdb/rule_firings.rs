//! What rules did, as rows of `event_actions` (kind `rule`): so that limits survive a restart, and people can look.

use super::{Connection, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};

/// Folded and suppressed firings are told from so far back.
const TOLD: TimeDelta = TimeDelta::hours(24);

/// A row to be.
#[derive(Clone, Debug)]
pub struct NewFiring<'a> {
    /// Whose event.
    pub ems_id: Option<i64>,
    /// `event_streams.id`
    pub event_id: i64,
    /// `rule`, or what a rule did by itself (`log`, `webhook`).
    pub kind: &'a str,
    /// The rule, or what was done.
    pub name: &'a str,
    /// The rule.
    pub rule: &'a str,
    /// A JSON object.
    pub params: Option<&'a str>,
    /// `done`, `suppressed`, `grouped`, `skipped`.
    pub state: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// What its limits count by.
    pub limit_key: Option<&'a str>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Firings of a rule under one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PastFirings {
    /// When it fired last, within the longer of both spans.
    pub last: Option<DateTime<Utc>>,
    /// How often it fired since `counted_since`.
    pub fired: u32,
}

/// What became of firings since the last one that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Folded into it.
    pub grouped: i64,
    /// Suppressed by `at_most`.
    pub suppressed: i64,
}

/// Inserts it.
///
/// # Errors
/// See [`VmdbError`].
pub fn put(connection: &mut Connection, new: &NewFiring<'_>) -> Result<(), VmdbError> {
    let sql = "INSERT INTO event_actions (ems_id, event_id, kind, name, rule, params, state, reason, limit_key, \
               requested_on, started_on, finished_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = [
        new.ems_id.into(),
        new.event_id.into(),
        new.kind.into(),
        new.name.into(),
        new.rule.into(),
        new.params.into(),
        new.state.into(),
        new.reason.into(),
        new.limit_key.into(),
        new.at.into(),
        new.at.into(),
        new.at.into(),
    ];
    connection.execute(sql, &values).map(drop)
}

/// How often `rule` fired under `key`: looked at since `since`, counted since `counted_since`.
///
/// # Errors
/// See [`VmdbError`].
pub fn past(
    connection: &mut Connection,
    (rule, key): (&str, &str),
    since: DateTime<Utc>,
    counted_since: DateTime<Utc>,
) -> Result<PastFirings, VmdbError> {
    let sql = "SELECT requested_on FROM event_actions WHERE rule = ? AND requested_on > ? AND kind = 'rule' \
               AND state = 'done' AND limit_key = ?";
    let rows = connection.rows(sql, &[rule.into(), since.into(), key.into()])?;
    let times = || rows.iter().filter_map(|row| row.time(0));
    let fired = times().filter(|time| *time > counted_since).count();
    Ok(PastFirings { last: times().max(), fired: u32::try_from(fired).unwrap_or(u32::MAX) })
}

/// What was held back since `rule` last fired under `key`, within a day.
///
/// # Errors
/// See [`VmdbError`].
pub fn held_back(
    connection: &mut Connection,
    (rule, key): (&str, &str),
    now: DateTime<Utc>,
) -> Result<HeldBack, VmdbError> {
    let sql = "SELECT state, COUNT(*) FROM event_actions WHERE rule = ? AND requested_on > ? AND kind = 'rule' \
               AND state IN ('grouped', 'suppressed') AND limit_key = ? AND id > (SELECT COALESCE(MAX(id), 0) \
               FROM event_actions WHERE rule = ? AND requested_on > ? AND kind = 'rule' AND state = 'done' \
               AND limit_key = ?) GROUP BY state";
    let from = now - TOLD;
    let values = [rule.into(), from.into(), key.into(), rule.into(), from.into(), key.into()];
    let mut held_back = HeldBack::default();
    for row in connection.rows(sql, &values)? {
        let count = row.integer(1).unwrap_or_default();
        match row.text(0) {
            Some("grouped") => held_back.grouped = count,
            _ => held_back.suppressed = count,
        }
    }
    Ok(held_back)
}

/// How often each rule fired, by state, since `since`.
///
/// # Errors
/// See [`VmdbError`].
pub fn counts(
    connection: &mut Connection,
    since: DateTime<Utc>,
) -> Result<Vec<(String, String, i64)>, VmdbError> {
    let sql = "SELECT rule, state, COUNT(*) FROM event_actions WHERE rule IS NOT NULL AND requested_on > ? \
               AND kind = 'rule' GROUP BY rule, state ORDER BY rule, state";
    let rows = connection.rows(sql, &[since.into()])?;
    let text = |row: &super::Fields, at| row.string(at).unwrap_or_default();
    Ok(rows.iter().map(|row| (text(row, 0), text(row, 1), row.integer(2).unwrap_or_default())).collect())
}
