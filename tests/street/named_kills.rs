//! `kill -9` at each named place of the street: every one is passed, the process dies there, and its successor makes all good.

use super::cloud::Cloud;
use super::process::{Catchall, within};
use super::vmdb_rows::{self, Place};
use super::{judge, postgres_schema, write_settings_at};
use catchall::fail_points::{KILL_AT, NAMES};
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::simulator::Faults;
use catchall::vmdb::{Access, Vmdb};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const KILLED: i32 = 9;
/// They belong to the two-process form.
const OF_TWO_PROCESSES: &[&str] = &["queue.put", "queue.claimed"];

/// Answers every post, and remembers its `Webhook-Id` and the event it tells of.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<(String, String)>>>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let got = Arc::<Mutex<Vec<_>>>::default();
        let shared = got.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let shared = shared.clone();
                std::thread::spawn(move || answer(connection.unwrap(), &shared));
            }
        });
        Self { url, got }
    }
}

/// One post to a connection; a post that broke off was not received.
fn answer(mut connection: std::net::TcpStream, got: &Mutex<Vec<(String, String)>>) {
    let (mut text, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let Ok(read @ 1..) = connection.read(&mut piece) else { return };
        text.extend_from_slice(&piece[..read]);
        let said = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = said.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| {
            let line = head.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap_or_default();
            line.split_once(':').map_or("", |(_, value)| value.trim()).to_owned()
        };
        if body.len() < header("content-length").parse::<usize>().unwrap() {
            continue;
        }
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        let event = json["event"]["event_uid"].as_str().unwrap().to_owned();
        got.lock().unwrap().push((header("webhook-id"), event));
        let _ = connection.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        return;
    }
}

fn add_rule(folder: &Path, receiver: &Receiver) {
    let rule = format!(
        "webhooks: {{ops: {{url: \"{}\", allow_private_addresses: true}}}}\n\
         rules: {{all: {{on: {{event_types: [/.*/]}}, do: [webhook: ops]}}}}\n",
        receiver.url
    );
    let file = folder.join("settings.yml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, settings + &rule).unwrap();
}

/// Runs `arguments` until the process has died at this passing of the place, while things happen.
fn dies_at(folder: &Path, cloud: &Cloud, arguments: &[&str], place: &str, passing: u32) {
    let mut catchall = Catchall::start_with(folder, arguments, &[(KILL_AT, &format!("{place}:{passing}"))]);
    let status = within(Duration::from_secs(60), &format!("the process passes {place}"), || {
        cloud.happen(2);
        std::thread::sleep(Duration::from_millis(80)); // else a slow machine heaps up more than it can store
        catchall.ended().ok_or_else(|| catchall.log())
    });
    assert_eq!(status.signal(), Some(KILLED), "{place}: {status}; {}", catchall.log());
}

fn every_place(folder: &Path, place: &Place, passings: &[u32]) {
    let cloud = Cloud::start(4, 25, Faults { page_limit: 20, ..Faults::default() });
    let receiver = Receiver::start();
    write_settings_at(place, folder, &cloud, &[]);
    add_rule(folder, &receiver);
    for name in NAMES.iter().filter(|name| !OF_TWO_PROCESSES.contains(name)) {
        for passing in passings {
            dies_at(folder, &cloud, &["run"], name, *passing);
        }
    }
    let mut last = Catchall::start(folder, &["run"]);
    judge::nothing_lost_nothing_doubled(&cloud, place);
    judge::inventory_is_true(&cloud, place);
    // Every event's rule ran, once: whatever was posted twice had the same id.
    let got: BTreeSet<(String, String)> = receiver.got.lock().unwrap().iter().cloned().collect();
    let ids: BTreeSet<&String> = got.iter().map(|(id, _)| id).collect();
    let events: BTreeSet<&String> = got.iter().map(|(_, event)| event).collect();
    assert_eq!((ids.len(), events.len()), (cloud.events().len(), cloud.events().len()));
    let fired = "SELECT CAST(count(*) AS TEXT) AS value FROM event_actions WHERE kind = 'webhook'";
    let fired = vmdb_rows::open(place).unwrap().number(fired).unwrap();
    assert_eq!(usize::try_from(fired).unwrap(), cloud.events().len(), "an action was done twice");
    assert!(last.terminate().success(), "{}", last.log());
}

#[test]
fn a_kill_at_any_named_place_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    every_place(folder.path(), &Place::sqlite(folder.path()), &[2]);
}

#[test]
fn a_kill_at_any_named_place_loses_nothing_and_doubles_nothing_on_postgresql() {
    let Some(place) = postgres_schema("named_kills") else { return };
    let folder = tempfile::tempdir().unwrap();
    every_place(folder.path(), &place, &[2]);
}

#[test]
fn a_kill_between_the_two_halves_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let cloud = Cloud::start(5, 20, Faults::default());
    write_settings_at(&place, folder.path(), &cloud, &["id: 2"]);
    const CATCHER: &[&str] = &["run-single-worker", "--role=event", "--ems-id=2"];
    const HANDLER: &[&str] = &["simulate-queue-worker"];
    for passing in [1, 2, 4] {
        dies_at(folder.path(), &cloud, CATCHER, "queue.put", passing);
        let mut catcher = Catchall::start(folder.path(), CATCHER);
        dies_at(folder.path(), &cloud, HANDLER, "queue.claimed", passing);
        catcher.kill();
    }
    let mut halves = [Catchall::start(folder.path(), CATCHER), Catchall::start(folder.path(), HANDLER)];
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    assert!(halves.iter_mut().all(|half| half.terminate().success()));
}

/// A database server may carry out what a process asked for after that process is dead, and after its claims were given back.
#[test]
fn a_claim_of_a_dead_process_that_comes_late_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let cloud = Cloud::start(6, 5, Faults::default());
    write_settings_at(&place, folder.path(), &cloud, &["id: 1"]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    judge::inventory_is_true(&cloud, &place);
    let late = "INSERT INTO miq_queue (queue_name, class_name, method_name, state, handler_id, args, work_id, created_on, \
                updated_on) VALUES ('ems_1', 'EmsRefresh', 'refresh', 'dequeue', 999999999, '[{\"full\":true}]', 1, \
                '2026-01-01 00:00:00', '2026-01-01 00:00:00')";
    let settings = VmdbSettings { url: Secret::new(&place.url), schema: place.schema.clone() };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let vmdb = Vmdb::open(&settings, Access::Worker).await.unwrap();
        assert_eq!(vmdb.write(|connection| connection.execute(late, &[])).await.unwrap(), 1);
        vmdb.close().await;
    });
    judge::inventory_is_true(&cloud, &place); // no work waits
    assert!(catchall.log().contains("is dead came late"), "{}", catchall.log());
    assert!(catchall.terminate().success());
}
