//! The real program with a socket of ours in systemd's place: what it says, and when it falls silent.

use super::cloud::Cloud;
use super::process::{Catchall, within};
use catchall::fail_points::HANG_AT;
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::simulator::Faults;
use catchall::vmdb::{Access, Vmdb};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// So long systemd would wait; Catchall speaks three times meanwhile.
const WATCHDOG: Duration = Duration::from_secs(6);

/// Listens as systemd does.
struct Systemd {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Systemd {
    fn listen(folder: &Path) -> Self {
        let socket = UnixDatagram::bind(folder.join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self { socket, heard: Vec::new() }
    }

    /// What was said since the last time, line by line.
    fn hear(&mut self) -> Vec<String> {
        let (mut lines, mut message) = (Vec::new(), [0; 4096]);
        while let Ok(length) = self.socket.recv(&mut message) {
            let text = std::str::from_utf8(&message[..length]).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
        self.heard.extend_from_slice(&lines);
        lines
    }

    /// Waits until a line begins so.
    fn hears(&mut self, line: &str) {
        within(Duration::from_secs(60), line, || {
            let found = self.hear().iter().any(|heard| heard.starts_with(line));
            if found { Ok(()) } else { Err(format!("{:?}", self.heard)) }
        });
    }

    /// How often the watchdog is fed from now on.
    fn fed_within(&mut self, time: Duration) -> usize {
        self.hear();
        let (end, mut fed) = (Instant::now() + time, 0);
        while Instant::now() < end {
            fed += self.hear().iter().filter(|line| *line == "WATCHDOG=1").count();
        }
        fed
    }
}

fn start(folder: &Path, cloud: &Cloud, more: &[(&str, &str)]) -> Catchall {
    let settings = format!(
        "vmdb: {{url: \"sqlite://{}/catchall.db\"}}\n\
         http: {{listen: off}}\n\
         ext_management_systems:\n\
         \x20 - name: test cloud\n\
         \x20   type: awesome_cloud\n\
         \x20   endpoints: {{default: {{url: \"{}\"}}}}\n\
         \x20   authentications: {{default: {{userid: demo, password: demo}}}}\n\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.05}}}}}}}}\n",
        folder.display(),
        cloud.url()
    );
    std::fs::write(folder.join("settings.yml"), settings).unwrap();
    let (socket, watchdog) = (folder.join("notify"), WATCHDOG.as_micros().to_string());
    let mut environment = vec![("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", &watchdog)];
    environment.extend_from_slice(more);
    Catchall::start_with(folder, &["run"], &environment)
}

#[test]
fn systemd_hears_of_readiness_life_reloads_and_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(71, 3, Faults::default());
    let mut systemd = Systemd::listen(folder.path());
    let mut catchall = start(folder.path(), &cloud, &[]);
    systemd.hears("READY=1");
    systemd.hears("STATUS=1 of 1 event catchers running");
    assert!(systemd.fed_within(WATCHDOG) >= 2, "{:?}", systemd.heard);

    catchall.signal("HUP");
    systemd.hears("RELOADING=1");
    systemd.hears("STATUS=the new settings are in force");
    let since: Vec<_> = systemd.heard.iter().skip_while(|line| *line != "RELOADING=1").collect();
    assert!(since[1].starts_with("MONOTONIC_USEC="), "{since:?}");
    assert!(since.iter().any(|line| *line == "READY=1"), "{since:?}");

    std::fs::write(folder.path().join("settings.yml"), "vmdb: {uri: nonsense}\n").unwrap();
    catchall.signal("HUP");
    systemd.hears("STATUS=the new settings are wrong; the old ones stay in force");
    assert!(systemd.fed_within(WATCHDOG) >= 2, "{:?}", systemd.heard);

    catchall.signal("TERM");
    systemd.hears("STOPPING=1");
    assert_eq!(catchall.wait(Duration::from_secs(20)).code(), Some(0), "{}", catchall.log());
    assert!(!systemd.heard.iter().any(|line| line.starts_with("EXTEND_TIMEOUT_USEC")), "{:?}", systemd.heard);
}

#[test]
fn the_watchdog_is_fed_no_longer_when_the_event_handler_hangs_though_all_else_lives() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(72, 3, Faults::default());
    let mut systemd = Systemd::listen(folder.path());
    let catchall = start(folder.path(), &cloud, &[(HANG_AT, "handler.committed")]);
    systemd.hears("READY=1");
    assert!(systemd.fed_within(WATCHDOG) >= 2, "{:?}", systemd.heard);
    cloud.happen(1);
    catchall.logs("the event handler did not answer");
    assert_eq!(systemd.fed_within(2 * WATCHDOG), 0, "{:?}", systemd.heard);
}

/// Holds the VMDB's file locked until it is dropped.
struct Locked {
    _release: Sender<()>,
    _runtime: tokio::runtime::Runtime,
}

fn lock(folder: &Path) -> Locked {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = format!("sqlite://{}/catchall.db", folder.display());
    let settings = VmdbSettings { url: Secret::new(&url), schema: "catchall".to_owned() };
    let vmdb = runtime.block_on(Vmdb::open(&settings, Access::Worker)).unwrap();
    let ((locked, is_locked), (release, released)) = (channel(), channel::<()>());
    let holding = vmdb.write(move |connection| {
        connection.transaction(|_| {
            locked.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        })
    });
    runtime.spawn(holding);
    is_locked.recv().unwrap();
    Locked { _release: release, _runtime: runtime }
}

#[test]
fn a_vmdb_that_takes_no_commits_is_no_hang() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(73, 3, Faults::default());
    let mut systemd = Systemd::listen(folder.path());
    let _catchall = start(folder.path(), &cloud, &[]);
    systemd.hears("STATUS=1 of 1 event catchers running");
    let locked = lock(folder.path());
    cloud.happen(5);
    systemd.hears("STATUS=1 of 1 event catchers running; waiting for the VMDB");
    assert!(systemd.fed_within(WATCHDOG) >= 2, "{:?}", systemd.heard);
    systemd.heard.clear();
    drop(locked);
    within(Duration::from_secs(60), "the status is as before", || {
        let calm = systemd.hear().iter().any(|line| line == "STATUS=1 of 1 event catchers running");
        if calm { Ok(()) } else { Err(format!("{:?}", systemd.heard)) }
    });
}
