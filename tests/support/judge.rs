//! The judge: holds the rows of a VMDB against what the cloud knows to be true.

use super::cloud::Cloud;
use super::process::eventually;
use super::vmdb_rows::{self, Place, Reader};
use std::collections::BTreeSet;

/// Every event of the cloud is one row, every malformed one a dead letter, and nothing waits any more.
pub fn nothing_lost_nothing_doubled(cloud: &Cloud, place: &Place) {
    eventually("every event that became visible is a row", || {
        if cloud.hidden() > 0 {
            return Err(format!("{} events are still to become visible", cloud.hidden()));
        }
        let reader = vmdb_rows::open(place)?;
        let rows: BTreeSet<String> =
            reader.texts("SELECT event_uid AS value FROM event_streams")?.into_iter().collect();
        let lost: Vec<String> = cloud.events().into_iter().filter(|id| !rows.contains(id)).collect();
        let letters = reader.number("SELECT CAST(count(*) AS TEXT) AS value FROM dead_letters")?;
        let malformed = i64::try_from(cloud.malformed().len()).unwrap_or(i64::MAX);
        match (lost.len(), letters == malformed) {
            (0, true) => Ok(()),
            (lost_count, _) => Err(format!(
                "{lost_count} lost, such as {:?}; {} rows; {letters} dead letters of {malformed} malformed events",
                lost.first(),
                rows.len()
            )),
        }
    });
    let reader = vmdb_rows::open(place).unwrap();
    let rows = reader.number("SELECT CAST(count(*) AS TEXT) AS value FROM event_streams").unwrap();
    let distinct =
        reader.number("SELECT CAST(count(DISTINCT ems_ref) AS TEXT) AS value FROM event_streams").unwrap();
    assert_eq!(rows, distinct, "an event is stored twice");
    assert_eq!(usize::try_from(rows).unwrap(), cloud.events().len(), "there are rows that were never events");
}

/// The VMs that are not archived are the cloud's, with its names, power states and hosts; and no work waits.
pub fn inventory_is_true(cloud: &Cloud, place: &Place) {
    eventually("the inventory is the cloud's", || {
        let reader = vmdb_rows::open(place)?;
        let (kept, truth) = (kept_vms(&reader)?, true_vms(cloud));
        let waiting = reader.number("SELECT CAST(count(*) AS TEXT) AS value FROM miq_queue")?;
        let missing: Vec<_> = truth.difference(&kept).take(4).collect();
        let untrue: Vec<_> = kept.difference(&truth).take(4).collect();
        if missing.is_empty() && untrue.is_empty() && waiting == 0 {
            Ok(())
        } else {
            let rows = "SELECT queue_name || ' ' || class_name || ' ' || state || ' ' || \
                        coalesce(CAST(handler_id AS TEXT), '-') || ' ' || coalesce(args, '-') AS value FROM miq_queue";
            let rows = reader.texts(rows)?;
            Err(format!(
                "not in the VMDB {missing:?}, only in the VMDB {untrue:?}, {waiting} rows of work wait, such as {:?}",
                rows.first()
            ))
        }
    });
}

fn kept_vms(reader: &Reader) -> Result<BTreeSet<String>, String> {
    let vms = reader.texts(
        "SELECT vms.ems_ref || ' ' || vms.name || ' ' || vms.raw_power_state || ' ' || hosts.ems_ref AS value \
         FROM vms JOIN hosts ON hosts.id = vms.host_id \
         WHERE vms.ems_id IS NOT NULL AND NOT vms.template",
    )?;
    Ok(vms.into_iter().collect())
}

fn true_vms(cloud: &Cloud) -> BTreeSet<String> {
    cloud.simulator().with(|cloud| {
        cloud
            .world
            .vms
            .values()
            .map(|vm| format!("{} {} {} {}", vm.id, vm.name, vm.state, vm.host_id))
            .collect()
    })
}
