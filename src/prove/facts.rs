//! What a verdict rests on: what the cloud knows to be true, and what the VMDB holds. Read here, compared by the judge.

use super::cloud::Ledger;
use crate::vmdb::evidence::{self, StoredIdentity, StoredThing};
use crate::vmdb::{Connection, Vmdb, VmdbError, dead_letters, gaps};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Inventory by kind and id, `vm vm-1`: the columns that have a value.
pub type Things = BTreeMap<String, BTreeMap<&'static str, String>>;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Ids of well-formed events that ever became visible.
    pub events: Vec<String>,
    /// Ids of malformed ones.
    pub malformed: Vec<String>,
    /// Those that the cloud no longer keeps.
    pub gone: Vec<Gone>,
    /// The inventory as it truly is.
    pub truth: Things,
    /// Rows of `event_streams` and of `folded_events`.
    pub rows: Vec<StoredRow>,
    /// How many of these are of `folded_events`.
    pub folded: usize,
    /// How many the rows of `event_streams` say were folded into them.
    pub folded_count: i64,
    /// The native texts of `dead_letters`.
    pub letters: Vec<String>,
    /// Rows of `event_gaps`.
    pub gaps: Vec<KnownGap>,
    /// The inventory as it is stored.
    pub inventory: Things,
    /// `work_id` of the refreshes that succeeded.
    pub answered: BTreeSet<i64>,
    /// Rows of `miq_queue` by their state.
    pub waiting: BTreeMap<String, i64>,
}

/// An event that the cloud no longer keeps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Gone {
    /// Its id.
    pub id: String,
    /// Its own time.
    pub time: DateTime<Utc>,
}

/// A row of `event_streams` or of `folded_events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// The id that the cloud gave the event.
    pub native_id: String,
    /// Its type; empty for a folded one whose row is not there.
    pub event_type: String,
    /// Its refresh.
    pub work_id: Option<i64>,
}

/// A row of `event_gaps`; open where there is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownGap {
    /// Where it begins.
    pub from: Option<DateTime<Utc>>,
    /// Where it ends.
    pub to: Option<DateTime<Utc>>,
}

/// Reads what `vmdb` holds, and puts it beside what the cloud says.
///
/// # Errors
/// See [`VmdbError`].
pub async fn read(vmdb: &Vmdb, ledger: Ledger, truth: Things) -> Result<Facts, VmdbError> {
    let mut facts = vmdb.read(stored).await?;
    facts.events = ledger.events;
    facts.malformed = ledger.malformed;
    facts.gone = ledger.gone;
    facts.truth = truth;
    Ok(facts)
}

fn stored(connection: &mut Connection) -> Result<Facts, VmdbError> {
    connection.transaction(|connection| {
        let row = |row: StoredIdentity| StoredRow {
            native_id: row.ems_ref.unwrap_or(row.event_uid),
            event_type: row.event_type,
            work_id: row.work_id,
        };
        let folded = evidence::folded(connection)?;
        Ok(Facts {
            folded: folded.len(),
            folded_count: evidence::folded_count(connection)?,
            rows: evidence::events(connection)?.into_iter().chain(folded).map(row).collect(),
            letters: dead_letters::list(connection, i64::MAX)?
                .into_iter()
                .map(|row| row.letter.native)
                .collect(),
            gaps: gaps::list(connection, i64::MAX)?
                .into_iter()
                .map(|row| KnownGap { from: row.gap.from, to: row.gap.to })
                .collect(),
            inventory: evidence::inventory(connection)?.into_iter().map(thing).collect(),
            answered: evidence::answered_work(connection)?.into_iter().collect(),
            waiting: evidence::waiting(connection)?,
            ..Facts::default()
        })
    })
}

fn thing(thing: StoredThing) -> (String, BTreeMap<&'static str, String>) {
    (format!("{} {}", thing.kind, thing.ems_ref), thing.columns)
}
