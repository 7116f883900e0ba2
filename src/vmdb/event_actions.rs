//! The trace of what was done for events besides refreshing: a row of `event_actions` for each handler that was called, rule
//! that fired, webhook that was sent.

use super::VmdbError;
use super::bulk;
use super::dialect::Connection;
use super::statement::Value;
use crate::provider::EmsId;
use chrono::{DateTime, Utc};

/// How far an action has come; `event_actions.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionState {
    /// It was done.
    Done,
    /// Something else has to happen first.
    Waiting,
    /// It went wrong, and is not tried again.
    Failed,
    /// Catchall has nothing that does it.
    Unsupported,
    /// There was nothing to do it to, or something before it ended the event's calls.
    Skipped,
}

impl ActionState {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
            Self::Skipped => "skipped",
        }
    }
}

/// A row of `event_actions` to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAction {
    /// Whose event.
    pub ems_id: EmsId,
    /// The row of `event_streams`.
    pub event_id: i64,
    /// `handler`, `rule`, `chain`.
    pub kind: &'static str,
    /// The handler, the rule, or the event that completes a chain.
    pub name: String,
    /// The rule that called the handler.
    pub rule: Option<String>,
    /// With what; a JSON object.
    pub params: Option<String>,
    /// How it ended.
    pub state: ActionState,
    /// Why, in words; or what it did.
    pub reason: Option<String>,
    /// The row of `miq_queue` that it made.
    pub queue_id: Option<i64>,
    /// The refresh work that it made.
    pub work_id: Option<i64>,
    /// When it was asked for.
    pub requested_on: DateTime<Utc>,
    /// When it was done; also when it ended, unless it waits.
    pub started_on: DateTime<Utc>,
}

/// Inserts `actions`; their ids, in order.
///
/// # Errors
/// See [`VmdbError`].
pub fn insert(connection: &mut Connection, actions: &[NewAction]) -> Result<Vec<i64>, VmdbError> {
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    let finished = |action: &NewAction| (action.state != ActionState::Waiting).then_some(action.started_on);
    fn of<'a>(actions: &'a [NewAction], value: impl Fn(&'a NewAction) -> Value<'a>) -> Vec<Value<'a>> {
        actions.iter().map(value).collect()
    }
    let columns = [
        ("ems_id", of(actions, |action| action.ems_id.0.into())),
        ("event_id", of(actions, |action| action.event_id.into())),
        ("kind", of(actions, |action| action.kind.into())),
        ("name", of(actions, |action| (&action.name).into())),
        ("rule", of(actions, |action| (&action.rule).into())),
        ("params", of(actions, |action| (&action.params).into())),
        ("state", of(actions, |action| action.state.name().into())),
        ("reason", of(actions, |action| (&action.reason).into())),
        ("queue_id", of(actions, |action| action.queue_id.into())),
        ("work_id", of(actions, |action| action.work_id.into())),
        ("requested_on", of(actions, |action| action.requested_on.into())),
        ("started_on", of(actions, |action| action.started_on.into())),
        ("finished_on", of(actions, |action| finished(action).into())),
    ];
    let rows = bulk::insert(connection, "event_actions", &columns, "RETURNING id")?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// What waited has ended, or waits on: `attempts` counts how often it was looked at.
///
/// # Errors
/// See [`VmdbError`].
pub fn update(
    connection: &mut Connection,
    id: i64,
    state: ActionState,
    (reason, attempts): (&str, i64),
    now: DateTime<Utc>,
) -> Result<(), VmdbError> {
    let finished = (state != ActionState::Waiting).then_some(now);
    let sql = "UPDATE event_actions SET state = ?, reason = ?, attempts = ?, finished_on = ? WHERE id = ?";
    let values = [state.name().into(), reason.into(), attempts.into(), finished.into(), id.into()];
    connection.execute(sql, &values).map(drop)
}
