//! A fresh VMDB with a little inventory, and an automate worker on it.

use crate::automate_files::instance;
use crate::postgres;
use crate::tiny_provider::TINY;
use catchall::actor::rounds::Rounds;
use catchall::automate::worker::AutomateWorker;
use catchall::automate::{Automation, SharedAutomation};
use catchall::event_handler::{Bells, EmsNames, Handling};
use catchall::observe::Observe;
use catchall::provider::{CatcherSettings, EmsEvent, EmsId, Endpoint, FullData, ParsedEvent, Secret};
use catchall::settings::{EmsSettings, EventNameFilter, RefreshSettings, VmdbSettings};
use catchall::switchboard::{Call, Switchboard, builtin_domain};
use catchall::vmdb::refresh_outcome::{RefreshOutcome, complete_refresh};
use catchall::vmdb::refresh_work::claim_refresh;
use catchall::vmdb::{
    Access, AutomateRequest, BatchOutcome, Connection, Field, ReadyBatch, ReadyEvent, Vmdb, VmdbError, Work,
    event_commit,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

pub const OWNER: i64 = 7;

/// The house of one test.
pub struct House {
    pub vmdb: Vmdb,
    pub automation: SharedAutomation,
    pub handling: Handling,
    _folder: Option<tempfile::TempDir>,
}

/// Makes one test for each database of `async fn NAME(house: House)`.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(crate::support::House::sqlite().await).await })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                if let Some(house) = crate::support::House::postgres().await { super::$name(house).await }
            })*
        }
    };
}
pub(crate) use on_both;

const INVENTORY: &str = "
    INSERT INTO ext_management_systems (id, name) VALUES (1, 'tiny');
    INSERT INTO hosts (id, ems_id, ems_ref, name) VALUES (11, 1, 'host-1', 'esx1'), (12, 1, 'host-2', 'esx2');
    INSERT INTO vms (id, ems_id, ems_ref, uid_ems, name, host_id, raw_power_state, power_state, template, type, location)
        VALUES (21, 1, 'vm-1', 'uid-1', 'web', 11, 'poweredOff', 'off', false, 'Tiny::Vm', 'web/web.vmx');
    INSERT INTO vms (id, ems_id, ems_ref, uid_ems, name) VALUES (22, 1, 'vm-2', 'uid-2', 'db');
";

impl House {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/catchall.db", folder.path().display());
        Self::open(VmdbSettings { url: Secret::new(url), schema: "catchall".to_owned() }, Some(folder)).await
    }

    pub async fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = Secret::new(&postgres::server()?.url);
        let schema = format!("test_{}", NEXT.fetch_add(1, Relaxed));
        Some(Self::open(VmdbSettings { url, schema }, None).await)
    }

    async fn open(settings: VmdbSettings, folder: Option<tempfile::TempDir>) -> Self {
        let vmdb = Vmdb::open(&settings, Access::Run).await.unwrap();
        vmdb.migrate().await.unwrap();
        vmdb.write(|c| c.batch(INVENTORY)).await.unwrap();
        let names = EmsNames::default();
        names.set(EmsId(1), "tiny");
        let automation =
            Automation { switchboard: switchboard(&[]), ems: Arc::new(vec![ems()]), ..Automation::default() };
        let handling =
            Handling { vmdb: vmdb.clone(), bells: Bells::default(), names, observe: Observe::default() };
        Self { vmdb, automation: SharedAutomation::new(automation), handling, _folder: folder }
    }

    /// Changes the automation in force.
    pub fn automate(&self, change: impl FnOnce(&mut Automation)) {
        let mut automation = self.automation.get();
        change(&mut automation);
        self.automation.set(automation);
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> T {
        self.vmdb.write(work).await.unwrap()
    }

    /// Commits events of EMS 1 with what they ask for.
    pub async fn commit(&self, events: Vec<ReadyEvent>) -> BatchOutcome {
        let batch = ReadyBatch { events, ..ReadyBatch::of(EmsId(1)) };
        self.vmdb.commit(0, move |c| event_commit::commit(c, &[batch])).await.unwrap().remove(0)
    }

    /// The worker of a process that calls itself `owner`.
    pub fn worker(&self, owner: i64) -> AutomateWorker {
        AutomateWorker { handling: self.handling.clone(), automation: self.automation.clone(), owner }
    }

    /// Lets the worker work until nothing is due; how many rows it did.
    pub async fn work(&self) -> usize {
        let (mut worker, mut rows) = (self.worker(OWNER), 0);
        loop {
            match worker.round().await.unwrap().done {
                0 => return rows,
                done => rows += done,
            }
        }
    }

    /// Commits one event and lets the worker work.
    pub async fn happen(&self, event: ParsedEvent, calls: Vec<Call>) {
        self.commit(vec![asking(event, calls)]).await;
        assert_eq!(self.work().await, 1);
    }

    /// All refreshes that wait are done.
    pub async fn refresh(&self, error: Option<&'static str>) -> usize {
        self.write(move |c| {
            let work = claim_refresh(c, EmsId(1), OWNER, 100)?;
            let started_on = "2026-11-24T12:00:00Z".parse().unwrap();
            let outcome = RefreshOutcome { full: false, started_on, error: error.map(str::to_owned) };
            complete_refresh(c, &work, &outcome).map(|()| work.len())
        })
        .await
    }

    /// The rows of a query, columns parted by blanks.
    pub async fn rows(&self, sql: &'static str) -> Vec<String> {
        let rows = self.vmdb.read(move |c| c.rows(sql, &[])).await.unwrap();
        let columns = sql.split(" FROM ").next().unwrap().matches(',').count() + 1;
        let text = |field: &Field| match field {
            Field::Null => "-".to_owned(),
            Field::Text(text) => text.clone(),
            Field::Integer(number) => number.to_string(),
            Field::Boolean(boolean) => i64::from(*boolean).to_string(),
            other => format!("{other:?}"),
        };
        rows.iter()
            .map(|row| (0..columns).map(|at| text(row.get(at))).collect::<Vec<_>>().join(" "))
            .collect()
    }

    /// `name state reason` of all actions, without what every policy event does.
    pub async fn actions(&self) -> Vec<String> {
        self.rows(
            "SELECT name, state, reason FROM event_actions WHERE name <> 'event_enforce_policy' ORDER BY id",
        )
        .await
    }
}

/// The built-in domain, and over it one with these instances: (class below System/Event, name, addresses parted by blanks).
pub fn switchboard(instances: &[(&str, &str, &str)]) -> Switchboard {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: String, text: String| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let domain = "object_type: domain\nobject:\n  attributes:\n    name: Test\n";
    write("__domain__.yaml".to_owned(), domain.to_owned());
    for (class, name, uris) in instances {
        let fields: Vec<_> =
            uris.split(' ').enumerate().map(|(at, uri)| (format!("rel{}", at + 3), uri)).collect();
        let fields: Vec<_> = fields.iter().map(|(field, uri)| (field.as_str(), *uri)).collect();
        write(format!("System/Event/{class}.class/{name}.yaml"), instance(name, &fields));
    }
    Switchboard::load(builtin_domain(&[&TINY]), &[folder.path().to_owned()]).unwrap().0
}

fn ems() -> EmsSettings {
    EmsSettings {
        name: "tiny".to_owned(),
        provider: &TINY,
        id: Some(1),
        zone: "default".to_owned(),
        enabled: true,
        provider_region: None,
        endpoints: [("default".to_owned(), Endpoint::default())].into(),
        authentications: [].into(),
        catcher: CatcherSettings::default(),
        blacklisted_event_names: EventNameFilter::default(),
        refresh: RefreshSettings {
            enabled: true,
            allow_targeted_refresh: true,
            refresh_interval: Duration::ZERO,
            full_refresh_threshold: 100,
        },
    }
}

/// An event about the VM `vm-1` on the host `host-1`.
pub fn event(uid: &str, event_type: &str) -> ParsedEvent {
    let event = EmsEvent {
        event_type: event_type.to_owned(),
        source: "TINY".to_owned(),
        timestamp: "2026-11-24T11:00:00Z".parse().unwrap(),
        vm_ems_ref: Some("vm-1".to_owned()),
        host_ems_ref: Some("host-1".to_owned()),
        full_data: FullData::from_text("{}".to_owned()).unwrap(),
        ..EmsEvent::default()
    };
    ParsedEvent { event_uid: uid.to_owned(), event }
}

/// An event that knows of no record.
pub fn about_nothing(uid: &str, event_type: &str) -> ParsedEvent {
    let mut parsed = event(uid, event_type);
    (parsed.event.vm_ems_ref, parsed.event.host_ems_ref) = (None, None);
    parsed
}

/// An event that makes these calls.
pub fn asking(event: ParsedEvent, calls: Vec<Call>) -> ReadyEvent {
    let automate = AutomateRequest { calls, ..AutomateRequest::default() };
    ReadyEvent { automate, ..ReadyEvent::new(event, Work::None) }
}

/// `event_action_policy?target=src_vm&…` as a call; a bare name is a handler's.
pub fn call(uri: &str) -> Call {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pair =
        |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap();
    let path = if path.contains('/') { path.to_owned() } else { format!("/System/event_handlers/{path}") };
    Call { uri: path, params: pairs.map(pair).collect() }
}
