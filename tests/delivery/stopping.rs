//! Stopping at the worst time: while the VMDB is away, while it is slow, while a provider refuses. And a disk that is full.

use super::cloud::Cloud;
use super::postgres_outage::Outage;
use super::process::{Catchall, catchall, eventually, within};
use super::vmdb_rows::Place;
use super::{http, judge, plain_settings, postgres, rows_are, write_settings};
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::simulator::{Faults, Mishap};
use catchall::vmdb::{Access, Vmdb};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// Another process's long write: nobody else can commit until it is dropped.
struct LockedFile {
    _release: Sender<()>,
    _runtime: tokio::runtime::Runtime,
}

fn lock(place: &Place) -> LockedFile {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = VmdbSettings { url: Secret::new(&place.url), schema: place.schema.clone() };
    let vmdb = runtime.block_on(Vmdb::open(&settings, Access::Worker)).unwrap();
    let ((locked, has_locked), (release, released)) = (channel(), channel::<()>());
    let holding = vmdb.write(move |connection| {
        connection.transaction(|_| {
            locked.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        })
    });
    runtime.spawn(holding);
    has_locked.recv().unwrap();
    LockedFile { _release: release, _runtime: runtime }
}

/// An event catcher asks every 50 ms, but for one that waits for its commit.
fn a_batch_waits(cloud: &Cloud) {
    let asked = || cloud.simulator().stats().requests["events"];
    let mut before = 0;
    eventually("the event catcher waits for its commit", || {
        let known = std::mem::replace(&mut before, asked());
        std::thread::sleep(Duration::from_millis(500));
        if known == asked() { Ok(()) } else { Err(known.to_string()) }
    });
}

#[test]
fn sigterm_while_the_vmdb_is_away_ends_in_time_and_loses_nothing() {
    if postgres::server().is_none() {
        return;
    }
    let server = postgres::start().expect("a PostgreSQL of this test's own");
    let mut outage = Outage::of(&server);
    let place = Place { url: server.url.clone(), schema: "stopping".to_owned() };
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(111, 10, Faults::default());
    let short = super::catcher_setting("ems_event_thread_shutdown_timeout: 1.seconds");
    write_settings(&place, folder.path(), &cloud, (&[&short], &[]));
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(20);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    outage.begin();
    cloud.happen(50);
    catchall.logs("the VMDB takes nothing; the event catchers wait, nothing is acknowledged");
    let asked = Instant::now();
    assert!(catchall.terminate().success(), "{}", catchall.log());
    assert!(asked.elapsed() < Duration::from_secs(8), "SIGTERM took {:?}", asked.elapsed());
    outage.end();
    let _again = Catchall::start(folder.path(), &["run"]);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
}

#[test]
fn a_second_sigterm_while_a_commit_takes_too_long_ends_at_once_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(112, 10, Faults::default());
    let place = plain_settings(folder.path(), &cloud);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(20);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    let locked = lock(&place);
    cloud.happen(50);
    a_batch_waits(&cloud);
    catchall.signal("TERM");
    catchall.logs("stopping in order");
    let asked = Instant::now();
    catchall.signal("TERM");
    assert!(catchall.wait(Duration::from_secs(20)).success(), "{}", catchall.log());
    assert!(asked.elapsed() < Duration::from_secs(3), "it took {:?}", asked.elapsed());
    drop(locked);
    let _again = Catchall::start(folder.path(), &["run"]);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
}

#[test]
fn sigterm_while_a_commit_takes_too_long_ends_in_time_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(113, 10, Faults::default());
    let place = Place::sqlite(folder.path());
    let short = super::catcher_setting("ems_event_thread_shutdown_timeout: 1.seconds");
    write_settings(&place, folder.path(), &cloud, (&[&short], &[]));
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(20);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    let locked = lock(&place);
    cloud.happen(50);
    a_batch_waits(&cloud);
    let asked = Instant::now();
    assert!(catchall.terminate().success(), "{}", catchall.log());
    assert!(asked.elapsed() < Duration::from_secs(8), "SIGTERM took {:?}", asked.elapsed());
    drop(locked);
    let _again = Catchall::start(folder.path(), &["run"]);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
}

/// By then the next try is some 8 to 16 s away.
fn refused_often(cloud: &Cloud) {
    eventually("it was refused again and again", || {
        let stats = cloud.simulator().stats();
        let asked = stats.requests.get("events").copied().unwrap_or_default();
        if asked >= 3 { Ok(()) } else { Err(asked.to_string()) }
    });
}

#[test]
fn a_stop_interrupts_a_back_off_and_sighup_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults { events_requests: vec![Mishap::Unauthorized; 100], ..Faults::default() };
    let cloud = Cloud::start(114, 5, faults);
    cloud.happen(10);
    let place = plain_settings(folder.path(), &cloud);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    refused_often(&cloud);
    let asked = Instant::now();
    assert!(catchall.terminate().success(), "{}", catchall.log());
    assert!(asked.elapsed() < Duration::from_secs(2), "SIGTERM took {:?}", asked.elapsed());

    let catchall = Catchall::start(folder.path(), &["run"]);
    let before = cloud.simulator().stats().requests["events"];
    eventually("it was refused again and again", || {
        let asked = cloud.simulator().stats().requests["events"];
        if asked >= before + 3 { Ok(()) } else { Err(asked.to_string()) }
    });
    cloud.simulator().with(|cloud| cloud.faults.events_requests.clear());
    within(Duration::from_secs(3), "it is asked at once", || {
        // Again and again: one that comes while the last refusal is still on its way ends no back-off.
        catchall.signal("HUP");
        std::thread::sleep(Duration::from_millis(300));
        match super::count(&place, "event_streams")? {
            10 => Ok(()),
            rows => Err(rows.to_string()),
        }
    });
}

/// The process may write no file larger than `bytes` from now on: what a full disk is to it.
fn limit_files(pid: &str, bytes: &str) {
    let limits = [format!("--pid={pid}"), format!("--fsize={bytes}:unlimited")];
    let limited = Command::new("prlimit").args(limits).status().expect("prlimit runs");
    assert!(limited.success());
}

#[test]
fn while_the_disk_is_full_readyz_says_so_and_once_there_is_room_nothing_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(115, 10, Faults::default());
    let place = plain_settings(folder.path(), &cloud);
    let mut command = Command::new("sh");
    let run = "trap '' XFSZ; echo $$ >pid; exec \"$0\" run"; // a write beyond the limit fails instead of killing
    command.args(["-c", run]).arg(catchall(folder.path()).get_program()).current_dir(folder.path());
    let mut catchall = Catchall::spawn(folder.path(), "run", command);
    cloud.happen(20);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    let ready = format!("http://{}/readyz", catchall.address());
    assert_eq!(http::get(&ready).0, 200);
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    limit_files(pid.trim(), "4096");
    cloud.happen(50);
    eventually("readyz says that nothing is committed", || match http::get(&ready) {
        (503, body) if body.contains("takes no commits") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    let rows = super::count(&place, "event_streams").unwrap();
    assert_eq!(rows, 20, "nothing was committed");
    assert_eq!(super::count(&place, "dead_letters"), Ok(0), "no event is to blame");
    limit_files(pid.trim(), "unlimited");
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    eventually("readyz is well again", || match http::get(&ready) {
        (200, _) => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    assert!(catchall.terminate().success(), "{}", catchall.log());
    rows_are(&place, "event_streams", cloud.events().len());
}
