//! Stretches of time in which events are missing or came late: lost at the provider, or nobody caught.

use crate::provider::EmsId;
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BandKind {
    /// A row of `event_gaps`: the provider no longer had them.
    Lost,
    /// The event catcher was not running; events that the provider kept came later.
    CatcherDown,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Whose.
    pub ems_id: EmsId,
    /// Why.
    pub kind: BandKind,
    /// `None`: from the beginning.
    pub from: Option<DateTime<Utc>>,
    /// `None`: until now.
    pub to: Option<DateTime<Utc>>,
    /// In words.
    pub reason: String,
}

/// Those that touch the time from `since` to `until`, of all EMSs or of one, by their beginning; at most 500.
///
/// # Errors
/// See [`VmdbError`].
pub fn bands(
    connection: &mut Connection,
    ems_id: Option<EmsId>,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Band>, VmdbError> {
    let gaps = crate::vmdb::gaps::list(connection, 500)?;
    let mut bands: Vec<_> = gaps
        .into_iter()
        .filter(|stored| ems_id.is_none_or(|id| id == stored.ems_id))
        .map(|stored| Band {
            ems_id: stored.ems_id,
            kind: BandKind::Lost,
            from: stored.gap.from,
            to: Some(stored.gap.to.unwrap_or(stored.created_on)),
            reason: stored.gap.reason,
        })
        .filter(|band| band.from.is_none_or(|from| from < until) && band.to.is_none_or(|to| to >= since))
        .collect();
    bands.sort_by_key(|band| band.from);
    Ok(bands)
}
