//! How long each step of an event's way took: its own time, its commit, and the last refresh. Pure.

use super::trace::Story;
use chrono::{DateTime, TimeDelta, Utc};

/// A step on the event's way, and how long it took since the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `happened`, `committed`, `refresh requested`, `refresh started`, `refreshed` or `failed`.
    pub what: &'static str,
    /// When.
    pub at: DateTime<Utc>,
    /// Since the step before; `None` for the first one.
    pub after: Option<TimeDelta>,
}

/// The steps of a story, as far as it got.
pub fn steps(story: &Story) -> Vec<Step> {
    let refresh = story.refreshes.last();
    let over = if refresh.is_some_and(|refresh| refresh.error.is_some()) { "failed" } else { "refreshed" };
    let points = [
        ("happened", story.event.timestamp),
        ("committed", story.event.created_on),
        ("refresh requested", refresh.and_then(|refresh| refresh.requested_on)),
        ("refresh started", refresh.and_then(|refresh| refresh.started_on)),
        (over, refresh.and_then(|refresh| refresh.finished_on)),
    ];
    let mut steps: Vec<Step> = Vec::new();
    for (what, at) in points {
        let Some(at) = at else { continue };
        let after = steps.last().map(|last| at - last.at);
        steps.push(Step { what, at, after });
    }
    steps
}
