//! New rows of `event_streams` as they are committed, each once.
//!
//! Where several transactions commit side by side, ids do not become visible in their order: one that is missing among
//! those seen may yet come. It is asked for again until no transaction can be under way any more that has it.

use super::conditions::{By, Conditions, arms, pattern};
use super::{TimelineEvent, TimelineQuery, rows};
use crate::vmdb::{Connection, Value, VmdbError};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Ids that one call looks at, and how far back a missing one is waited for.
const IDS: i64 = 20_000;
/// Events that are told at once.
const TOLD: usize = 200;
/// A statement of a commit that takes longer than a minute is broken off.
const PATIENCE: Duration = Duration::from_secs(70);

/// A reader of what is new.
#[derive(Clone, Debug)]
pub struct Tail {
    query: TimelineQuery,
    after: i64,
    /// Ids up to `after` that were not there, and when that was seen.
    missing: BTreeMap<i64, Instant>,
}

impl Tail {
    /// Tells what is committed from now on and meets `query`, whose times and limit are passed over.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn from_now(connection: &mut Connection, query: TimelineQuery) -> Result<Self, VmdbError> {
        let rows = connection.rows("SELECT max(id) FROM event_streams", &[])?;
        let after = rows.first().and_then(|row| row.integer(0)).unwrap_or_default();
        let mut this = Self { query, after: (after - IDS).max(0), missing: BTreeMap::new() };
        if connection.has_lanes() {
            this.fresh(connection)?;
        }
        this.after = this.after.max(after);
        Ok(this)
    }

    /// What came since the last call, oldest first, and how many more there were than are told at once. After a great many
    /// the next call goes on with the rest.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn next(&mut self, connection: &mut Connection) -> Result<(Vec<TimelineEvent>, u64), VmdbError> {
        let mut came = self.late(connection)?;
        came.append(&mut self.fresh(connection)?);
        if came.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let mut ids = self.asked_for(connection, came)?;
        let passed_over = ids.len().saturating_sub(TOLD);
        ids.truncate(TOLD);
        let mut events = rows::read(connection, ids)?;
        events.sort_unstable_by_key(|event| event.position.id);
        Ok((events, passed_over as u64))
    }

    /// Those that were missing and are there now.
    fn late(&mut self, connection: &mut Connection) -> Result<Vec<i64>, VmdbError> {
        self.missing.retain(|_, since| since.elapsed() < PATIENCE);
        if self.missing.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = Value::Integers(self.missing.keys().copied().collect());
        let late = ids(&connection.rows("SELECT id FROM event_streams WHERE id ?", &[wanted])?);
        for id in &late {
            self.missing.remove(id);
        }
        Ok(late)
    }

    /// Those with higher ids than any before.
    fn fresh(&mut self, connection: &mut Connection) -> Result<Vec<i64>, VmdbError> {
        let sql = "SELECT id FROM event_streams WHERE id > ? ORDER BY id LIMIT ?";
        let fresh = ids(&connection.rows(sql, &[self.after.into(), IDS.into()])?);
        let Some(last) = fresh.last().copied() else { return Ok(fresh) };
        if connection.has_lanes() {
            let now = Instant::now();
            let mut expected = (self.after + 1).max(last - IDS);
            for id in &fresh {
                self.missing.extend((expected..*id).map(|id| (id, now)));
                expected = expected.max(id + 1);
            }
            self.missing = self.missing.split_off(&(last - IDS));
        }
        self.after = last;
        Ok(fresh)
    }

    /// Those among `ids` that meet the query, newest first.
    fn asked_for(&self, connection: &mut Connection, ids: Vec<i64>) -> Result<Vec<i64>, VmdbError> {
        let pattern = self.query.text.as_deref().filter(|text| !text.is_empty()).map(pattern);
        // By their ids, and no other index.
        let mut asked = Conditions::of(&self.query, By::Resource, pattern.as_deref());
        if let Some([one, other]) = arms(self.query.resource) {
            asked.sql = format!("{} AND ({} OR {})", asked.sql, one.sql, other.sql);
            asked.values.extend(one.values.into_iter().chain(other.values));
        }
        asked.and("id ?", [Value::Integers(ids)]);
        let sql = format!("SELECT id FROM event_streams WHERE {} ORDER BY id DESC", asked.sql);
        Ok(self::ids(&connection.rows(&sql, &asked.values)?))
    }
}

fn ids(rows: &[crate::vmdb::Fields]) -> Vec<i64> {
    rows.iter().filter_map(|row| row.integer(0)).collect()
}
