//! VMDBs for pages: fresh ones of either kind, and one with a day's events.

use crate::postgres;
use catchall::clock;
use catchall::provider::Secret;
use catchall::settings::{EventGroups, VmdbSettings};
use catchall::vmdb::{Access, Value, Vmdb};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A VMDB of its own for one test.
pub struct Fresh {
    pub vmdb: Vmdb,
    _folder: Option<tempfile::TempDir>,
}

impl Fresh {
    pub async fn sqlite() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}/catchall.db", folder.path().display()));
        Some(Self { vmdb: open(url, "catchall".to_owned()).await, _folder: Some(folder) })
    }

    pub async fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = Secret::new(&postgres::server()?.url);
        let schema = format!("http_{}", NEXT.fetch_add(1, Relaxed));
        Some(Self { vmdb: open(url, schema).await, _folder: None })
    }

    /// Runs statements that have no values.
    pub async fn batch(&self, sql: &'static str) {
        self.vmdb.write(move |connection| connection.batch(sql)).await.unwrap();
    }

    /// Two EMSs with inventory: `demo <cloud>` (1) and `quiet` (2).
    pub async fn with_inventory(self) -> Self {
        self.batch(
            "INSERT INTO zones (id, name) VALUES (3, 'default'), (4, '__maintenance__'); \
             INSERT INTO ext_management_systems (id, name, type, enabled, zone_id, zone_before_pause_id) VALUES \
             (1, 'demo <cloud>', 'ManageIQ::Providers::AwesomeCloud::CloudManager', true, 3, NULL), \
             (2, 'quiet', 'ManageIQ::Providers::Amazon::CloudManager', false, 4, 3); \
             INSERT INTO hosts (id, name, ems_id, ems_ref, power_state) VALUES (7, 'host-7', 1, 'h-7', 'on'); \
             INSERT INTO hosts (id, name, ems_id, ems_ref) VALUES (8, 'host-8', 1, 'h-8'); \
             INSERT INTO flavors (id, name, ems_id, ems_ref) VALUES (3, 'm1.small', 1, 'f-3'); \
             INSERT INTO vms (id, name, ems_id, ems_ref, power_state, host_id, flavor_id, template) VALUES \
             (10, '<script>alert(1)</script>', 1, 'vm-10', 'on', 7, 3, false); \
             INSERT INTO vms (id, name, ems_id, archived_ems_id, ems_ref, template) VALUES \
             (11, 'gone', NULL, 1, 'vm-11', false)",
        )
        .await;
        self
    }

    /// Adds an event.
    pub async fn event(&self, event: Event) -> i64 {
        let insert = move |connection: &mut catchall::vmdb::Connection| {
            let sql = "INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp, created_on, message, \
                       vm_or_template_id, dest_vm_or_template_id, host_id, dest_host_id, vm_name, work_id) \
                       VALUES ('EmsEvent', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
            let uid = format!("{}-{}", event.event_type, event.timestamp.timestamp_micros());
            let values: [Value<'_>; 12] = [
                event.ems_id.into(),
                (&uid).into(),
                event.event_type.into(),
                event.timestamp.into(),
                event.timestamp.into(),
                event.message.into(),
                event.vm.into(),
                event.dest_vm.into(),
                event.host.into(),
                event.dest_host.into(),
                event.vm_name.into(),
                event.work_id.into(),
            ];
            connection.rows(sql, &values)?[0].id(0)
        };
        self.vmdb.write(insert).await.unwrap()
    }
}

/// An event as a test wants it.
#[derive(Clone, Debug)]
pub struct Event {
    pub ems_id: i64,
    pub event_type: &'static str,
    pub timestamp: DateTime<Utc>,
    pub message: Option<&'static str>,
    pub vm: Option<i64>,
    pub dest_vm: Option<i64>,
    pub host: Option<i64>,
    pub dest_host: Option<i64>,
    pub vm_name: Option<&'static str>,
    pub work_id: Option<i64>,
}

/// An event of EMS 1, so many minutes ago.
pub fn event(event_type: &'static str, minutes_ago: i64) -> Event {
    Event {
        ems_id: 1,
        event_type,
        timestamp: clock::now() - TimeDelta::minutes(minutes_ago),
        message: None,
        vm: None,
        dest_vm: None,
        host: None,
        dest_host: None,
        vm_name: None,
        work_id: None,
    }
}

/// Groups that know two types.
pub fn groups() -> EventGroups {
    let mut groups = EventGroups::default();
    let power = groups.add_group("power", "Power Activity");
    groups.list(power, "critical", "vm.stop").unwrap();
    let addition = groups.add_group("addition", "Creation/Addition");
    groups.list(addition, "detail", "/^vm\\.create/").unwrap();
    groups
}

async fn open(url: Secret, schema: String) -> Vmdb {
    let vmdb = Vmdb::open(&VmdbSettings { url, schema }, Access::Run).await.unwrap();
    vmdb.migrate().await.unwrap();
    vmdb
}

/// Makes one test for each database of `async fn NAME(fresh: Fresh)`.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() {
                if let Some(fresh) = crate::filled::Fresh::sqlite().await { super::$name(fresh).await }
            })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                if let Some(fresh) = crate::filled::Fresh::postgres().await { super::$name(fresh).await }
            })*
        }
    };
}
pub(crate) use on_both;
