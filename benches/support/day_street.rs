//! The street of a simulated day: stream, event handler and refresh worker of one EMS, each set going by hand.

use crate::day_cloud::{DayCloud, Things};
use crate::parser_settings;
use actix::Addr;
use actix_rt::Arbiter;
use catchall::actor::{ChildId, Children};
use catchall::event_catcher::messages::PutEvents;
use catchall::event_catcher::parser::{ParserSettings, parse_batch};
use catchall::event_handler::destination::EVENT_STREAMS;
use catchall::event_handler::{Bells, EmsNames, EventHandler, Handling};
use catchall::observe::{ActorKind, Observe};
use catchall::provider::{Authentication, CatcherSettings, Ems, EmsId, Endpoint, Provider, Secret, Stream};
use catchall::providers::find;
use catchall::refresh::limits::RefreshLimits;
use catchall::refresh::turns::Turns;
use catchall::refresh::{RefreshWorker, Refreshing};
use catchall::settings::{RefreshSettings, VmdbSettings};
use catchall::vmdb::{Access, ReadyBatch, Value, Vmdb, refresh_work};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const EMS: EmsId = EmsId(1);
const NAME: &str = "cloud";

pub struct DayStreet {
    vmdb: Vmdb,
    _folder: TempDir,
    provider: &'static dyn Provider,
    stream: Box<dyn Stream>,
    handler: Addr<EventHandler>,
    parser: ParserSettings,
    bells: Bells,
    observe: Observe,
    arbiter: Arbiter,
}

/// Refreshes that ended well.
#[derive(Clone, Copy)]
pub struct Refreshes {
    pub full: u64,
    pub targeted: u64,
}

impl Refreshes {
    pub fn since(self, earlier: &Self) -> Self {
        Self { full: self.full - earlier.full, targeted: self.targeted - earlier.targeted }
    }
}

impl fmt::Display for Refreshes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} full refreshes, {} targeted ones", self.full, self.targeted)
    }
}

impl DayStreet {
    /// Entered in the VMDB, refreshed once in full, and connected.
    pub async fn start(cloud: &DayCloud) -> Self {
        let (vmdb, folder) = fresh_vmdb().await;
        let enter = format!("INSERT INTO ext_management_systems (id, name) VALUES ({EMS}, '{NAME}')");
        vmdb.write(move |connection| connection.batch(&enter)).await.unwrap();
        let provider = find("awesome_cloud").unwrap();
        let (ems, observe, bells) = (ems(&cloud.url()), Observe::default(), Bells::default());
        let (arbiter, (children, _down)) = (Arbiter::new(), Children::new());
        let notice = |kind| children.notice(ChildId::of(kind, NAME, 1));
        let names = EmsNames::default();
        names.set(EMS, NAME);
        let handling = Handling { vmdb: vmdb.clone(), bells: bells.clone(), names, observe: observe.clone() };
        let handler =
            EventHandler::spawn(&arbiter.handle(), handling, EVENT_STREAMS, notice(ActorKind::EventHandler));
        let parser = parser_settings::shipped();
        let refreshing = Refreshing {
            ems: ems.clone(),
            provider,
            // The day says when a full refresh is due.
            settings: RefreshSettings { refresh_interval: Duration::ZERO, ..parser.refresh.clone() },
            vmdb: vmdb.clone(),
            owner: 1,
            limits: RefreshLimits::new(1),
            turns: Turns::default(),
            observe: observe.clone(),
        };
        let worker = RefreshWorker::spawn(&arbiter.handle(), refreshing, notice(ActorKind::RefreshWorker));
        bells.set(EMS, worker.recipient());
        let mut stream = provider.stream(&ems).unwrap();
        stream.start(None).await.unwrap();
        let street =
            Self { vmdb, _folder: folder, provider, stream, handler, parser, bells, observe, arbiter };
        let deadline = Instant::now() + Duration::from_secs(120);
        while street.refreshes().full == 0 {
            assert!(Instant::now() < deadline, "the first full refresh is not done");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        street
    }

    /// Asks for events until none are left, and waits until what they ask for is refreshed.
    pub async fn poll(&mut self) {
        loop {
            let batch = self.stream.poll().await.unwrap();
            let figures = self.observe.ems(NAME);
            let parsed = parse_batch(self.provider, &self.parser, &figures, &batch.events);
            let ready = ReadyBatch {
                events: parsed.events,
                dead_letters: parsed.dead_letters,
                cursor: batch.cursor,
                gap: batch.gap,
                ..ReadyBatch::of(EMS)
            };
            if !ready.is_empty() {
                let put = PutEvents { batch: ready, sent: Instant::now() };
                if self.handler.send(put).await.unwrap().unwrap().work {
                    self.until_refreshed().await;
                }
            }
            if !batch.more {
                return;
            }
        }
    }

    /// A full refresh, from its request to its end.
    pub async fn refresh_in_full(&self) {
        self.vmdb.write(|connection| refresh_work::queue_full_refresh(connection, EMS)).await.unwrap();
        self.bells.ring(EMS);
        self.until_refreshed().await;
    }

    async fn until_refreshed(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let sql = "SELECT count(*) FROM miq_queue WHERE class_name = 'EmsRefresh'";
        while self.vmdb.read(move |connection| connection.rows(sql, &[])?[0].id(0)).await.unwrap() > 0 {
            assert!(Instant::now() < deadline, "a refresh does not end");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The VMs and hosts with these ids that the VMDB has, as [`DayCloud`] has them.
    pub async fn rows(&self, ids: Vec<String>) -> Things {
        let read = move |connection: &mut catchall::vmdb::Connection| {
            let ids = Value::Texts(ids.iter().map(String::as_str).collect());
            let sql = "SELECT v.ems_ref, v.name, v.raw_power_state, h.ems_ref FROM vms v \
                       LEFT JOIN hosts h ON h.id = v.host_id WHERE v.ems_id = ? AND v.ems_ref ?";
            let vms = connection.rows(sql, &[EMS.0.into(), ids.clone()])?;
            let sql = "SELECT ems_ref, raw_power_state FROM hosts WHERE ems_id = ? AND ems_ref ?";
            Ok((vms, connection.rows(sql, &[EMS.0.into(), ids])?))
        };
        let (vms, hosts) = self.vmdb.read(read).await.unwrap();
        let text = |row: &catchall::vmdb::Fields, index| row.string(index).unwrap_or_default();
        let vm = |row| (("vms", text(row, 0)), format!("{} {} {}", text(row, 1), text(row, 2), text(row, 3)));
        let host = |row| (("hosts", text(row, 0)), text(row, 1));
        vms.iter().map(vm).chain(hosts.iter().map(host)).collect()
    }

    pub fn refreshes(&self) -> Refreshes {
        let mut refreshes = Refreshes { full: 0, targeted: 0 };
        for ((kind, result), count) in self.observe.ems(NAME).refreshes.all() {
            assert_eq!(result, "done", "a refresh failed");
            match kind {
                "full" => refreshes.full = count,
                _ => refreshes.targeted = count,
            }
        }
        refreshes
    }

    pub async fn stop(self) {
        self.arbiter.stop();
        self.vmdb.close().await;
    }
}

async fn fresh_vmdb() -> (Vmdb, TempDir) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = Secret::new(format!("sqlite://{}/catchall.db", folder.path().display()));
    let settings = VmdbSettings { url, schema: "catchall".to_owned() };
    let vmdb = Vmdb::open(&settings, Access::Run).await.unwrap();
    vmdb.migrate().await.unwrap();
    (vmdb, folder)
}

fn ems(url: &str) -> Ems {
    let authentication = Authentication { password: Some(Secret::new("bench")), ..Authentication::default() };
    let endpoint = Endpoint { url: Some(url.to_owned()), ..Endpoint::default() };
    Ems {
        id: EMS,
        name: NAME.to_owned(),
        provider_region: None,
        endpoints: BTreeMap::from([("default".to_owned(), endpoint)]),
        authentications: BTreeMap::from([("default".to_owned(), authentication)]),
        catcher: CatcherSettings::default(),
        budget: Default::default(),
    }
}
