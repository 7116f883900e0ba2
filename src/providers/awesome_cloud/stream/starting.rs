//! Where a stream begins: at its cursor, or where `initial_history` says.

use super::position::Position;
use super::{AwesomeStream, asking};
use crate::provider::{Cursor, Gap, InitialHistory, StreamError};
use chrono::{DateTime, TimeDelta};

impl AwesomeStream {
    /// Where a new EMS begins, by the provider's clock. That becomes its cursor even before the first event, so that a
    /// restart does not begin anew.
    pub(super) async fn initial_position(&mut self) -> Result<Position, StreamError> {
        let back = match self.history {
            InitialHistory::All => {
                self.given = Some(Position::default());
                return Ok(Position::default());
            }
            InitialHistory::None => TimeDelta::zero(),
            InitialHistory::Last(back) => TimeDelta::from_std(back).unwrap_or(TimeDelta::MAX),
        };
        let answer = self.api.get(&["events"], &[("limit", "1")]).await?.success()?;
        let start = asking::date(&answer)?.checked_sub_signed(back).unwrap_or(DateTime::UNIX_EPOCH);
        Ok(Position::starting_at(start.max(DateTime::UNIX_EPOCH)))
    }

    /// Where the cursor of the last commit points to. One that cannot be followed is a gap; then all is read that is left.
    pub(super) fn stored_position(&mut self, cursor: Cursor) -> Position {
        let reason = if cursor.source == self.api.http.base() {
            match serde_json::from_value::<Position>(cursor.position.clone()) {
                Ok(position) => {
                    self.given = Some(position.clone());
                    return position;
                }
                Err(_) => "cursor_refused",
            }
        } else if cursor.source.is_empty() {
            "cursor_refused"
        } else {
            "source_changed"
        };
        let from =
            serde_json::from_value::<Position>(cursor.position).ok().and_then(|position| position.time);
        self.gap = Some(Gap { from, to: None, reason: reason.to_owned() });
        Position::default()
    }
}
