//! Relates events to inventory: references that providers send become ids, names that they left out are filled in.
//!
//! ManageIQ's rules (`EmsEvent.add`), save that a `uid_ems` is looked up within the event's EMS and among archived rows
//! that this EMS owned last, never across EMSs. What is not found leaves the event as it is. One look-up per table.

use super::VmdbError;
use super::dialect::Connection;
use super::statement::{Fields, Value};
use crate::provider::{EmsEvent, EmsId};
use std::collections::HashMap;

/// What an event's references mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Relations {
    pub(super) vm: Option<Found>,
    pub(super) dest_vm: Option<Found>,
    pub(super) host: Option<Found>,
    pub(super) dest_host: Option<Found>,
    pub(super) ems_cluster: Option<Found>,
    pub(super) availability_zone_id: Option<i64>,
}

/// A row of inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) name: Option<String>,
    availability_zone_id: Option<i64>,
}

/// Relates all events of a transaction.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn relate(
    connection: &mut Connection,
    events: &[(EmsId, &EmsEvent)],
) -> Result<Vec<Relations>, VmdbError> {
    let gather = |references: &[fn(&EmsEvent) -> &Option<String>]| -> Wanted<'_> {
        let all =
            events.iter().flat_map(|(ems, event)| references.iter().map(|get| (*ems, get(event).as_deref())));
        all.filter_map(|(ems, reference)| reference.map(|reference| (ems, reference))).collect()
    };
    let vm_refs = gather(&[|e| &e.vm_ems_ref, |e| &e.dest_vm_ems_ref]);
    let vms = Index::load(connection, &VMS, &vm_refs, &gather(&[|e| &e.vm_uid_ems]))?;
    let host_refs = gather(&[|e| &e.host_ems_ref, |e| &e.dest_host_ems_ref]);
    let hosts = Index::load(connection, &HOSTS, &host_refs, &gather(&[|e| &e.host_uid_ems]))?;
    let zones =
        Index::load(connection, &AVAILABILITY_ZONES, &gather(&[|e| &e.availability_zone_ems_ref]), &[])?;
    let clusters = Index::load(connection, &EMS_CLUSTERS, &gather(&[|e| &e.ems_cluster_ems_ref]), &[])?;
    let relate_one = |&(ems, event): &(EmsId, &EmsEvent)| {
        let vm = vms.by_ref(ems, &event.vm_ems_ref).or_else(|| vms.by_uid(ems, &event.vm_uid_ems));
        let zone = zones.by_ref(ems, &event.availability_zone_ems_ref).map(|zone| zone.id);
        Relations {
            availability_zone_id: zone.or_else(|| vm.and_then(|vm| vm.availability_zone_id)),
            vm: vm.cloned(),
            dest_vm: vms.by_ref(ems, &event.dest_vm_ems_ref).cloned(),
            host: hosts
                .by_ref(ems, &event.host_ems_ref)
                .or_else(|| hosts.by_uid(ems, &event.host_uid_ems))
                .cloned(),
            dest_host: hosts.by_ref(ems, &event.dest_host_ems_ref).cloned(),
            ems_cluster: clusters.by_ref(ems, &event.ems_cluster_ems_ref).cloned(),
        }
    };
    Ok(events.iter().map(relate_one).collect())
}

type Wanted<'a> = Vec<(EmsId, &'a str)>;

struct Table {
    by_ref: &'static str,
    by_uid: &'static str,
}

/// Columns: id, name, ems_id, archived_ems_id, ems_ref, uid_ems, availability_zone_id.
macro_rules! table {
    ($name:literal, $archived:literal, $uid:literal, $zone:literal) => {
        Table {
            by_ref: concat!(
                "SELECT id, name, ems_id, ",
                $archived,
                ", ems_ref, ",
                $uid,
                ", ",
                $zone,
                " FROM ",
                $name,
                " WHERE ems_id ? AND ems_ref ?"
            ),
            by_uid: concat!(
                "SELECT id, name, ems_id, ",
                $archived,
                ", ems_ref, ",
                $uid,
                ", ",
                $zone,
                " FROM ",
                $name,
                " WHERE ems_id ? AND uid_ems ?",
                " UNION ALL SELECT id, name, ems_id, ",
                $archived,
                ", ems_ref, ",
                $uid,
                ", ",
                $zone,
                " FROM ",
                $name,
                " WHERE archived_ems_id ? AND ems_id IS NULL AND uid_ems ?"
            ),
        }
    };
}

const VMS: Table = table!("vms", "archived_ems_id", "uid_ems", "availability_zone_id");
const HOSTS: Table = table!("hosts", "archived_ems_id", "uid_ems", "availability_zone_id");
const AVAILABILITY_ZONES: Table = table!("availability_zones", "NULL", "NULL", "NULL");
const EMS_CLUSTERS: Table = table!("ems_clusters", "NULL", "uid_ems", "NULL");

#[derive(Default)]
struct Index {
    by_ref: HashMap<(EmsId, String), Found>,
    by_uid: HashMap<(EmsId, String), Found>,
}

impl Index {
    fn load(
        connection: &mut Connection,
        table: &Table,
        refs: &[(EmsId, &str)],
        uids: &[(EmsId, &str)],
    ) -> Result<Self, VmdbError> {
        let mut index = Self::default();
        if !refs.is_empty() {
            let (emss, texts) = lists(refs);
            for row in connection.rows(table.by_ref, &[emss, texts])? {
                index.keep(&row)?;
            }
        }
        if !uids.is_empty() {
            let (emss, texts) = lists(uids);
            for row in connection.rows(table.by_uid, &[emss.clone(), texts.clone(), emss, texts])? {
                index.keep(&row)?;
            }
        }
        Ok(index)
    }

    /// Of several rows with one uid, a live one goes before archived ones, then the oldest.
    fn keep(&mut self, row: &Fields) -> Result<(), VmdbError> {
        let found = Found { id: row.id(0)?, name: row.string(1), availability_zone_id: row.integer(6) };
        let live = row.integer(2);
        let Some(ems) = live.or(row.integer(3)).map(EmsId) else { return Ok(()) };
        if let (Some(_), Some(ems_ref)) = (live, row.string(4)) {
            self.by_ref.insert((ems, ems_ref), found.clone());
        }
        if let Some(uid) = row.string(5) {
            // The query gives the live rows first.
            let known = self.by_uid.entry((ems, uid)).or_insert_with(|| found.clone());
            if live.is_some() && found.id < known.id {
                *known = found;
            }
        }
        Ok(())
    }

    fn by_ref(&self, ems: EmsId, ems_ref: &Option<String>) -> Option<&Found> {
        self.by_ref.get(&(ems, ems_ref.clone()?))
    }

    fn by_uid(&self, ems: EmsId, uid: &Option<String>) -> Option<&Found> {
        self.by_uid.get(&(ems, uid.clone()?))
    }
}

/// The distinct EMSs and the distinct references, sorted.
fn lists<'a>(wanted: &[(EmsId, &'a str)]) -> (Value<'a>, Value<'a>) {
    let mut emss: Vec<_> = wanted.iter().map(|(ems, _)| ems.0).collect();
    let mut texts: Vec<_> = wanted.iter().map(|(_, text)| *text).collect();
    emss.sort_unstable();
    emss.dedup();
    texts.sort_unstable();
    texts.dedup();
    (Value::Integers(emss), Value::Texts(texts))
}
