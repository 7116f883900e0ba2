//! Fresh VMDBs on either database, each with the real tables and indexes, and with VMs to relate events to.

#[path = "../../tests/support/postgres.rs"]
mod postgres;

use crate::natives::VMS;
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, Vmdb};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tempfile::TempDir;

/// EMSs in a seeded VMDB, with the ids 1 to EMSS.
pub const EMSS: u64 = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// Those that can be had; a PostgreSQL that was left out is said aloud.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Sqlite];
        all.extend(postgres::server().map(|_| Self::Postgres));
        all
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// An empty VMDB with its tables.
    pub async fn fresh(self) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let url = match self {
            Self::Sqlite => format!("sqlite://{}/catchall.db", folder.path().display()),
            // The limits are measured without TLS, too.
            Self::Postgres => format!("{}?sslmode=disable", postgres::server().unwrap().url),
        };
        let schema = format!("bench_{}", NEXT.fetch_add(1, Relaxed));
        let place =
            Place { settings: VmdbSettings { url: Secret::new(url), schema }, database: self, folder };
        let vmdb = place.open().await;
        vmdb.migrate().await.unwrap();
        vmdb.close().await;
        place
    }
}

/// One VMDB.
pub struct Place {
    pub settings: VmdbSettings,
    pub database: Database,
    /// For whatever belongs to it; SQLite's file is in it.
    pub folder: TempDir,
}

impl Place {
    pub async fn open(&self) -> Vmdb {
        Vmdb::open(&self.settings, Access::Run).await.unwrap()
    }

    /// Its events; everything that was measured must be there.
    pub async fn events(&self) -> i64 {
        let vmdb = Vmdb::open(&self.settings, Access::Read).await.unwrap();
        let count = vmdb
            .read(|connection| connection.rows("SELECT count(*) FROM event_streams", &[])?[0].id(0))
            .await;
        vmdb.close().await;
        count.unwrap()
    }

    /// Gives its room back.
    pub async fn remove(self) {
        if self.database == Database::Postgres {
            let vmdb = self.open().await;
            let sql = format!("DROP SCHEMA {} CASCADE", self.settings.schema);
            vmdb.write(move |connection| connection.batch(&sql)).await.unwrap();
            vmdb.close().await;
        }
    }
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

/// `vms.id` of the VM that event `number` of the EMS names.
pub fn vm_id(ems: u64, number: u64) -> i64 {
    i64::try_from(ems * 100_000 + number % VMS).unwrap()
}

fn vm_row(ems: u64, number: u64) -> String {
    let vm = format!("vm-{number:05}");
    format!("({}, {ems}, '{vm}', '{vm}', 'web server {vm}', 'Vm', false)", ems * 100_000 + number)
}

fn host_row(ems: u64, number: u64) -> String {
    format!("({ems}, 'host-{number}', 'node-{number}', 'Host')")
}
