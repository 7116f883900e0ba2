//! Holds what one EMS has in the VMDB against what its cloud knows to be true.

use super::vmdb_rows::{self, Place, Reader};
use catchall::simulator::{Gone, Simulator};
use chrono::{DateTime, NaiveDateTime, Utc};
use std::collections::BTreeSet;

/// From when until when a gap is.
type Bounds = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// For one EMS.
pub struct Judge<'a> {
    reader: Reader,
    ems: &'a str,
}

impl<'a> Judge<'a> {
    /// Beside a running Catchall.
    pub fn open(place: &Place, ems: &'a str) -> Result<Self, String> {
        Ok(Self { reader: vmdb_rows::open(place)?, ems })
    }

    /// Each event is one row, unless it is gone and a gap says so; each malformed one a dead letter; the inventory is true.
    /// A row that is doubled is no matter of waiting: it panics.
    pub fn judge(&self, cloud: &Simulator) -> Result<(), String> {
        let ledger = cloud.ledger();
        let rows = self.rows("event_uid", "event_streams")?;
        let distinct: BTreeSet<&String> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len(), "{}: an event is stored twice", self.ems);
        let gaps = self.gaps()?;
        let is_excused = |id: &&String| ledger.gone.iter().any(|gone| gone.id == **id && is_in(&gaps, gone));
        let missing = ledger.events.iter().filter(|id| !distinct.contains(id));
        let lost: Vec<_> = missing.filter(|id| !is_excused(id)).take(3).collect();
        let letters = self.rows("native", "dead_letters")?;
        let stale: Vec<_> = self
            .kept_vms()?
            .symmetric_difference(&true_vms(cloud))
            .filter(|vm| !is_told_in(&letters, vm))
            .cloned()
            .collect();
        let counts = (letters.len(), ledger.malformed.len(), ledger.hidden);
        if lost.is_empty() && stale.is_empty() && counts.0 == counts.1 && ledger.hidden == 0 {
            return Ok(());
        }
        Err(format!(
            "lost {lost:?}, stale {stale:?}; letters, malformed and hidden: {counts:?}; gaps {gaps:?}"
        ))
    }

    fn rows(&self, column: &str, table: &str) -> Result<Vec<String>, String> {
        self.reader.texts(&format!(
            "SELECT t.{column} AS value FROM {table} t JOIN ext_management_systems e ON e.id = t.ems_id \
             WHERE e.name = '{}'",
            self.ems
        ))
    }

    /// A gap whose beginning nobody knows has none.
    fn gaps(&self) -> Result<Vec<Bounds>, String> {
        let bounds = |column: &str| {
            let times =
                self.rows(&format!("id || ' ' || coalesce(CAST(t.{column} AS TEXT), '')"), "event_gaps")?;
            times.iter().map(|row| time(row.split_once(' ').unwrap().1)).collect::<Result<Vec<_>, String>>()
        };
        Ok(bounds("started_on")?.into_iter().zip(bounds("ended_on")?).collect())
    }

    fn kept_vms(&self) -> Result<BTreeSet<String>, String> {
        let vms = self.reader.texts(&format!(
            "SELECT v.ems_ref || ' ' || v.name || ' ' || v.raw_power_state || ' ' || h.ems_ref AS value \
             FROM vms v JOIN hosts h ON h.id = v.host_id JOIN ext_management_systems e ON e.id = v.ems_id \
             WHERE e.name = '{}' AND NOT v.template",
            self.ems
        ))?;
        Ok(vms.into_iter().collect())
    }
}

fn time(text: &str) -> Result<Option<DateTime<Utc>>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let time = NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S%.f");
    time.map(|time| Some(time.and_utc())).map_err(|error| format!("{text}: {error}"))
}

fn is_in(gaps: &[Bounds], gone: &Gone) -> bool {
    let time: DateTime<Utc> = gone.time.parse().unwrap();
    gaps.iter().any(|(from, to)| from.is_none_or(|from| from <= time) && to.is_none_or(|to| time <= to))
}

fn true_vms(cloud: &Simulator) -> BTreeSet<String> {
    cloud.with(|cloud| {
        let vms = cloud.world.vms.values();
        vms.map(|vm| format!("{} {} {} {}", vm.id, vm.name, vm.state, vm.host_id)).collect()
    })
}

/// What only an event told that nobody can read is not known.
fn is_told_in(letters: &[String], vm: &str) -> bool {
    let id = vm.split(' ').next().unwrap();
    letters.iter().any(|native| native.contains(&format!("\"{id}\"")))
}
