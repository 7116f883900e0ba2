//! What a VMDB holds before events come: EMSs, and VMs to relate events to.

use crate::natives::VMS;
use crate::places::Place;
use catchall::vmdb::{Access, Vmdb};

/// EMSs in a seeded VMDB, with the ids 1 to EMSS.
pub const EMSS: u64 = 8;

/// Its events; everything that was measured must be there.
pub async fn events(place: &Place) -> i64 {
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    let count =
        vmdb.read(|connection| connection.rows("SELECT count(*) FROM event_streams", &[])?[0].id(0)).await;
    vmdb.close().await;
    count.unwrap()
}

/// Enters the EMSs and their 10,000 VMs, and lets the database look at them as it would have by itself some time later.
pub async fn seed(vmdb: &Vmdb) {
    enter(vmdb, VMS).await;
}

/// As [`seed`], with so many VMs of each EMS, and 40 hosts.
pub async fn enter(vmdb: &Vmdb, vms: u64) {
    vmdb.write(move |connection| {
        connection.transaction(|connection| {
            for ems in 1..=EMSS {
                connection.batch(&format!(
                    "INSERT INTO ext_management_systems (id, name) VALUES ({ems}, 'cloud {ems}')"
                ))?;
                let rows: Vec<String> = (0..vms).map(|number| vm_row(ems, number)).collect();
                connection.batch(&format!(
                    "INSERT INTO vms (id, ems_id, ems_ref, uid_ems, name, type, template) VALUES {}",
                    rows.join(",")
                ))?;
                let hosts: Vec<String> = (0..40).map(|number| host_row(ems, number)).collect();
                connection.batch(&format!(
                    "INSERT INTO hosts (ems_id, ems_ref, name, type) VALUES {}",
                    hosts.join(",")
                ))?;
            }
            Ok(())
        })?;
        connection.batch("ANALYZE")
    })
    .await
    .unwrap();
}

fn vm_row(ems: u64, number: u64) -> String {
    let vm = format!("vm-{number:05}");
    format!("({}, {ems}, '{vm}', '{vm}', 'web server {vm}', 'Vm', false)", ems * 100_000 + number)
}

fn host_row(ems: u64, number: u64) -> String {
    format!("({ems}, 'host-{number}', 'node-{number}', 'Host')")
}
