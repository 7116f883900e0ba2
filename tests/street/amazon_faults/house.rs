//! One queue of moto's, the proxy before it, one Catchall, and what they owe each other.

use crate::faulty_proxy::{Fault, FaultyProxy};
use crate::moto::Moto;
use crate::postgres;
use crate::process::{Catchall, catchall, eventually, within};
use crate::vmdb_rows::{self, Place};
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, Vmdb};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How many seeded runs: `CATCHALL_PROVE_RUNS`, else 1.
pub fn runs() -> u64 {
    std::env::var("CATCHALL_PROVE_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(1)
}

/// A test for each database of `fn NAME(kind: &str)`.
macro_rules! database {
    ($name:ident) => {
        mod $name {
            #[test]
            fn on_sqlite() {
                super::$name("sqlite");
            }

            #[test]
            fn on_postgresql() {
                super::$name("postgres");
            }
        }
    };
}
pub(crate) use database;

pub struct House {
    pub runtime: Runtime,
    pub moto: Moto,
    pub proxy: FaultyProxy,
    pub folder: tempfile::TempDir,
    pub place: Place,
    /// Its URL at moto itself.
    pub queue: String,
    pub process: Option<Catchall>,
    events: BTreeSet<String>,
    malformed: BTreeSet<String>,
    number: usize,
}

impl House {
    /// `None` when moto or PostgreSQL is to be skipped. `kind` is `sqlite` or `postgres`.
    pub fn new(name: &str, kind: &str, menu: &[Fault], share: f64, seed: u64) -> Option<Self> {
        let moto = Moto::get()?;
        let folder = tempfile::tempdir().unwrap();
        let place = match kind {
            "sqlite" => Place::sqlite(folder.path()),
            _ => Place { url: postgres::server()?.url.clone(), schema: name.replace('-', "_") },
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let queue = runtime.block_on(moto.queue(name, 2));
        let proxy = FaultyProxy::start(&moto.url, menu, share, seed);
        let (events, malformed) = (BTreeSet::new(), BTreeSet::new());
        let house =
            Self { runtime, moto, proxy, folder, place, queue, process: None, events, malformed, number: 0 };
        house.settings(&house.queue);
        Some(house)
    }

    /// Has Catchall read this queue, through the proxy.
    pub fn settings(&self, queue: &str) {
        let text = format!(
            "vmdb: {{url: \"{}\", schema: {}}}\n\
             http: {{listen: \"127.0.0.1:0\"}}\n\
             ext_management_systems:\n\
             \x20 - name: aws\n\
             \x20   type: amazon\n\
             \x20   provider_region: us-east-1\n\
             \x20   endpoints: {{sqs: {{url: \"{}\"}}}}\n\
             \x20   authentications: {{default: {{userid: testing, password: testing}}}}\n",
            self.place.url,
            self.place.schema,
            self.proxy.through(queue)
        );
        std::fs::write(self.folder.path().join("settings.yml"), text).unwrap();
    }

    pub fn send(&self, body: &str) -> String {
        self.runtime.block_on(self.moto.send(&self.queue, body))
    }

    /// Events with an id of EventBridge.
    pub fn send_events(&mut self, count: usize) {
        for _ in 0..count {
            self.number += 1;
            let id = format!("event-{}", self.number);
            let body = json!({"version": "0", "id": id, "source": "aws.ec2", "account": "111122223333",
                "detail-type": "EC2 Instance State-change Notification", "time": "2026-11-24T10:00:01Z",
                "region": "us-east-1", "detail": {"instance-id": "i-1", "state": "stopped"}});
            self.send(&body.to_string());
            self.events.insert(id);
        }
    }

    /// Events that only their messages tell apart.
    pub fn send_alarms(&mut self, count: usize) {
        for _ in 0..count {
            let id =
                self.send(r#"{"AlarmName": "hosts", "StateChangeTime": "2026-11-24T10:00:07.916+0000"}"#);
            self.events.insert(id);
        }
    }

    /// What can be no event: no JSON, a value that is missing, half a surrogate pair.
    pub fn send_malformed(&mut self, count: usize) {
        for _ in 0..count {
            self.number += 1;
            let number = self.number;
            let body = match number % 3 {
                0 => format!("no JSON at all {number}"),
                1 => format!(r#"{{"AlarmName": "{number}", "StateChangeTime": "never"}}"#),
                _ => format!(
                    r#"{{"AlarmName": "{number} \ud800", "StateChangeTime": "2026-11-24T10:00:07Z"}}"#
                ),
            };
            self.send(&body);
            self.malformed.insert(body);
        }
    }

    pub fn start(&mut self) {
        self.process = Some(Catchall::start(self.folder.path(), &["run"]));
    }

    /// Starts what kills itself at this fail point.
    pub fn start_to_die_at(&mut self, place: &str) {
        let environment = [("CATCHALL_KILL_AT", place)];
        self.process = Some(Catchall::start_with(self.folder.path(), &["run"], &environment));
    }

    /// Waits until it died.
    pub fn dies(&mut self) {
        let ended = self.process.take().unwrap().wait(Duration::from_secs(30));
        assert!(!ended.success(), "it was killed");
    }

    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// From now on all is well, and a process that waits before its next try is told so.
    pub fn heal(&self) {
        self.proxy.heal();
        if let Some(process) = &self.process {
            process.signal("HUP");
        }
    }

    /// Waits until the proxy did it so often, then heals.
    pub fn until_met(&self, fault: Fault, times: u32) {
        // Faults of receives need receives: an idle queue is asked every 20 s, so there is always something to read.
        within(Duration::from_secs(90), &format!("{fault:?} is met"), || {
            let met = self.proxy.met().get(&fault).copied().unwrap_or_default();
            if met >= times {
                return Ok(());
            }
            self.send(r#"{"none": "of ours"}"#);
            std::thread::sleep(Duration::from_millis(100));
            Err(met.to_string())
        });
        self.heal();
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("run.log")).unwrap_or_default()
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        vmdb_rows::open(&self.place).unwrap().texts(sql).unwrap()
    }

    pub fn rows_are(&self, table: &str, count: i64) {
        eventually(&format!("{table} has {count} rows"), || {
            let sql = format!("SELECT CAST(count(*) AS TEXT) AS value FROM {table}");
            let found = vmdb_rows::open(&self.place)?.number(&sql)?;
            if found == count { Ok(()) } else { Err(found.to_string()) }
        });
    }

    /// Rows of event_streams.
    pub fn stored(&self) -> usize {
        self.texts("SELECT event_uid AS value FROM event_streams").len()
    }

    pub fn counts(&self) -> (u32, u32) {
        self.runtime.block_on(self.moto.counts(&self.queue))
    }

    /// Changes the VMDB while no Catchall runs.
    pub fn write(&self, sql: String) {
        let settings = VmdbSettings { url: Secret::new(&self.place.url), schema: self.place.schema.clone() };
        self.runtime.block_on(async {
            let vmdb = Vmdb::open(&settings, Access::Run).await.unwrap();
            vmdb.write(move |connection| connection.execute(&sql, &[])).await.unwrap();
        });
    }

    pub fn command(&self, arguments: &[&str]) -> String {
        let ran = catchall(self.folder.path()).args(arguments).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// A figure of the running process, by the start of its line.
    pub fn metric(&self, name: &str) -> u64 {
        let address = self.process.as_ref().unwrap().address();
        let text = self.runtime.block_on(async {
            reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap()
        });
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub fn figures(&self) -> String {
        format!(
            "{} events and {} malformed messages sent, 0 lost, 0 doubled; faults met: {:?}",
            self.events.len(),
            self.malformed.len(),
            self.proxy.met()
        )
    }

    /// Each message is one row or one dead letter, nothing waits, no gap was made up, and the queue is empty.
    pub fn judge(&self) {
        eventually("all is stored and the queue is empty", || {
            let reader = vmdb_rows::open(&self.place)?;
            let stored = reader.texts("SELECT event_uid AS value FROM event_streams")?;
            let found: BTreeSet<_> = stored.iter().cloned().collect();
            let letters = reader.texts("SELECT native AS value FROM dead_letters")?;
            let work = reader.number("SELECT CAST(count(*) AS TEXT) AS value FROM miq_queue")?;
            let lost: Vec<_> = self.events.difference(&found).take(3).collect();
            let counts = self.counts();
            assert!(
                found.len() == stored.len() && found.is_subset(&self.events),
                "doubled or made up: {stored:?}"
            );
            assert!(letters.iter().all(|letter| self.malformed.contains(letter)), "{letters:?}");
            let waits = (lost.len(), self.malformed.len() - letters.len(), counts, work);
            if waits == (0, 0, (0, 0), 0) {
                Ok(())
            } else {
                let log = self.log();
                let end: Vec<_> = log.lines().rev().take(8).collect();
                Err(format!("lost {lost:?}, (lost, letters, queue, work) {waits:?}; {end:#?}"))
            }
        });
        let letters = self.texts("SELECT transport_id AS value FROM dead_letters");
        assert_eq!(letters.len(), self.malformed.len(), "each once, with its MessageId");
        assert!(self.texts("SELECT reason AS value FROM event_gaps").is_empty(), "no gap was made up");
    }
}
