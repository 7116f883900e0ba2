//! One Catchall on the cloud, and the ledger beside it: takes steps, and judges after each.

use crate::cloud::Cloud;
use crate::judge::{self, Counts};
use crate::ledger::{EXCHANGES, Ledger};
use crate::process::{Catchall, within};
use crate::steps;
use crate::vmdb_rows::{self, Place};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Within this, all must be right after a step. Two cores that also run the cloud are slow.
const DEADLINE: Duration = Duration::from_secs(90);

/// One thing that is done to the cloud.
pub struct Step<'a> {
    pub name: &'a str,
    pub act: &'a mut dyn FnMut(&Cloud),
}

pub struct Scene {
    pub cloud: Cloud,
    name: String,
    queue: String,
    folder: PathBuf,
    place: Place,
    ledger: Ledger,
    catchall: Catchall,
    restarts: Vec<Instant>,
    /// Steps with a kill so far.
    kills: u64,
    table: Vec<String>,
}

impl Scene {
    /// Catchall with a VMDB at `place`, listening to `topics` if they are not the default ones.
    pub fn start(folder: &Path, place: &Place, name: &str, topics: Option<&str>) -> Self {
        let cloud = Cloud::open();
        let ledger = Ledger::start(cloud.broker_port(), topics.is_none());
        // Of its own in each run: one that a failed run left behind holds what is none of this one's affair.
        let queue = format!("catchall.live.{name}.{}", std::process::id());
        let topics = topics.map(|topics| format!(", topics: {topics}")).unwrap_or_default();
        let text = format!(
            "vmdb: {{url: \"{}\", schema: {}}}\n\
             http: {{listen: \"127.0.0.1:0\"}}\n\
             ext_management_systems:\n\
             \x20 - name: {name}\n\
             \x20   type: openstack\n\
             \x20   endpoints:\n\
             \x20     default: {{url: \"{}\", project: admin, project_domain: Default, user_domain: Default}}\n\
             \x20     amqp: {{hostname: 127.0.0.1, port: {}, queue: {queue}{topics}}}\n\
             \x20   authentications:\n\
             \x20     default: {{userid: admin, password: secret}}\n\
             \x20     amqp: {{userid: guest, password: guest}}\n\
             workers: {{worker_base: {{event_catcher: {{event_catcher_openstack: {{poll: 0.2}}}}}}}}\n",
            place.url,
            place.schema,
            cloud.keystone(),
            cloud.broker_port(),
        );
        std::fs::write(folder.join("settings.yml"), text).unwrap();
        steps::wake(&cloud);
        within(DEADLINE, "the ledger listens to all exchanges", || {
            if ledger.is_bound_to(&EXCHANGES) { Ok(()) } else { Err("not yet".to_owned()) }
        });
        let mut scene = Self {
            catchall: Catchall::start(folder, &["run"]),
            folder: folder.to_owned(),
            cloud,
            name: name.to_owned(),
            queue,
            place: place.clone(),
            ledger,
            restarts: Vec::new(),
            kills: 0,
            table: Vec::new(),
        };
        scene.catchall.logs("the event catcher is running");
        // What was carried before its queue was there is none of its affair.
        scene.ledger.forget();
        scene.take(Step { name: "the first inventory", act: &mut |_| () });
        scene
    }

    /// Does it, and judges.
    pub fn take(&mut self, step: Step<'_>) {
        let started = Instant::now();
        (step.act)(&self.cloud);
        self.judge(step.name, started);
    }

    /// Does it while Catchall is killed and started again, and judges.
    pub fn take_with_kill(&mut self, step: Step<'_>) {
        let started = Instant::now();
        // Each time at another moment of the step.
        let moment = Duration::from_millis(self.kills * 370 % 2600);
        self.kills += 1;
        let Self { catchall, cloud, folder, .. } = self;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(moment);
                catchall.kill();
                *catchall = Catchall::start(folder, &["run"]);
            });
            (step.act)(cloud);
        });
        self.judge(&format!("{} (killed after {moment:?})", step.name), started);
    }

    /// RabbitMQ goes down and comes again before Catchall's eyes.
    pub fn restart_broker(&mut self) {
        let started = Instant::now();
        let gaps = self.gaps();
        self.stop_and_start_broker();
        self.tells_a_gap_after(gaps);
        self.judge("RabbitMQ restarted", started);
    }

    /// Nobody is there to see it: Catchall is dead while `step` is done and RabbitMQ goes down and comes again. What was carried
    /// before that waits in the queue, which outlives a restart of the broker.
    pub fn restart_broker_while_dead(&mut self, step: Step<'_>) {
        let started = Instant::now();
        let gaps = self.gaps();
        self.catchall.kill();
        (step.act)(&self.cloud);
        self.is_quiet();
        self.stop_and_start_broker();
        self.catchall = Catchall::start(&self.folder, &["run"]);
        self.tells_a_gap_after(gaps);
        self.judge(&format!("{}; RabbitMQ restarted", step.name), started);
    }

    fn stop_and_start_broker(&mut self) {
        self.restarts.push(Instant::now());
        self.cloud.broker("stop");
        self.cloud.broker("start");
        self.cloud.hosts_report();
    }

    fn tells_a_gap_after(&self, gaps: i64) {
        within(DEADLINE, "the lost bindings are told as a gap", || {
            if self.gaps() > gaps { Ok(()) } else { Err(format!("still {gaps}; {}", self.tail())) }
        });
    }

    /// Gaps so far.
    pub fn gaps(&self) -> i64 {
        let gaps = "SELECT CAST(count(*) AS TEXT) AS value FROM event_gaps";
        vmdb_rows::open(&self.place).unwrap().number(gaps).unwrap()
    }

    fn judge(&mut self, name: &str, started: Instant) {
        let acted = started.elapsed();
        let (counts, vms) = within(DEADLINE, &format!("all is right after {name}"), || {
            let counts = judge::events(&self.place, &self.ledger.carried(), &self.restarts);
            let vms = judge::inventory(&self.place, &self.cloud);
            std::thread::sleep(Duration::from_millis(200));
            let right = counts.and_then(|counts| Ok((counts, vms?)));
            right.map_err(|wrong| format!("{wrong}\n{}", self.tail()))
        });
        self.table.push(row(name, acted, started.elapsed(), counts, vms));
        println!("{}", self.table.last().unwrap());
    }

    /// The last lines of Catchall's log.
    fn tail(&self) -> String {
        let log = self.catchall.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Waits until nothing more is carried.
    fn is_quiet(&self) {
        let mut last = usize::MAX;
        within(DEADLINE, "the cloud is quiet", || {
            let now = self.ledger.carried().len();
            let quiet = now == std::mem::replace(&mut last, now);
            std::thread::sleep(Duration::from_secs(2));
            if quiet { Ok(()) } else { Err(format!("{now} notifications")) }
        });
    }

    /// Judges once more when all is quiet, stops Catchall and prints the table.
    pub fn end(&mut self) {
        self.is_quiet();
        self.judge("the end", Instant::now());
        let reader = vmdb_rows::open(&self.place).unwrap();
        let letters = reader.texts("SELECT reason AS value FROM dead_letters").unwrap();
        assert!(letters.is_empty(), "dead letters: {letters:?}");
        assert!(self.catchall.terminate().success(), "{}", self.catchall.log());
        let head = "step                                       acted  right  carried  rows  filtered  twins  lost  vms";
        println!("\n{}\n{head}\n{}\ngaps: {}\n", self.name, self.table.join("\n"), self.gaps());
    }
}

/// A failure keeps Catchall's log beside those of the cloud.
impl Drop for Scene {
    fn drop(&mut self) {
        self.catchall.kill();
        self.ledger.delete_queue(&self.queue);
        if std::thread::panicking() {
            let _ = std::fs::write(self.cloud.log(&self.name), self.catchall.log());
        }
    }
}

fn row(name: &str, acted: Duration, right: Duration, counts: Counts, vms: usize) -> String {
    format!(
        "{name:<41}{:>6.1}s{:>6.1}s{:>9}{:>6}{:>10}{:>7}{:>6}{vms:>5}",
        acted.as_secs_f64(),
        right.as_secs_f64(),
        counts.carried,
        counts.rows,
        counts.filtered,
        counts.twins,
        counts.lost,
    )
}
