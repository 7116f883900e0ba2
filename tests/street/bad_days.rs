//! The VMDB goes away, is away at the start, or cannot be: catchers wait, probes answer, nothing is lost.

use super::cloud::Cloud;
use super::postgres_outage::Outage;
use super::process::{Catchall, eventually};
use super::vmdb_rows::Place;
use super::{http, judge, postgres, write_settings_at};
use catchall::simulator::Faults;
use std::time::{Duration, Instant};

const MOST_MEMORY: u64 = 300 << 20;

/// What /metrics says of the process's memory.
fn resident(address: &str) -> u64 {
    let (_, metrics) = http::get(&format!("http://{address}/metrics"));
    let line = metrics.lines().find(|line| line.starts_with("process_resident_memory_bytes "));
    let bytes = line.and_then(|line| line.split(' ').next_back()).expect("the series of memory");
    bytes.parse().expect("whole bytes")
}

#[test]
fn postgresql_crashes_under_load_and_comes_back_and_nothing_is_lost() {
    if postgres::server().is_none() {
        return;
    }
    let server = postgres::start().expect("a PostgreSQL of this test's own");
    let mut outage = Outage::of(&server);
    let place = Place { url: server.url.clone(), schema: "bad_days".to_owned() };
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(41, 20, Faults::default());
    write_settings_at(&place, folder.path(), &cloud, &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("the event catcher is running");
    let address = catchall.address().to_string();
    cloud.happen(200);
    outage.begin();
    for _ in 0..50 {
        cloud.happen(40);
        let asked = Instant::now();
        let (status, body) = http::get(&format!("http://{address}/readyz"));
        assert!(asked.elapsed() < Duration::from_secs(2), "readyz took {:?}", asked.elapsed());
        assert_eq!(status, 503, "{body}");
        assert_eq!(http::get(&format!("http://{address}/healthz")).0, 200);
        assert!(resident(&address) < MOST_MEMORY, "{} bytes", resident(&address));
        std::thread::sleep(Duration::from_millis(40));
    }
    outage.end();
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    eventually("readyz is well again", || match http::get(&format!("http://{address}/readyz")) {
        (200, _) => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn a_vmdb_that_is_away_at_the_start_is_waited_for_while_healthz_answers() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let cloud = Cloud::start(42, 5, Faults::default());
    write_settings_at(&Place { url, schema: "away".to_owned() }, folder.path(), &cloud, &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("waiting for the VMDB");
    let address = catchall.address();
    assert_eq!(http::get(&format!("http://{address}/healthz")).0, 200);
    assert_eq!(http::get(&format!("http://{address}/readyz")).0, 503);
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

#[test]
fn a_sqlite_file_that_cannot_be_made_is_named_and_ends_the_run_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(43, 5, Faults::default());
    let missing = folder.path().join("no such folder/catchall.db");
    let place = Place { url: format!("sqlite://{}", missing.display()), schema: "catchall".to_owned() };
    write_settings_at(&place, folder.path(), &cloud, &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    assert_eq!(catchall.wait(Duration::from_secs(20)).code(), Some(1));
    let log = catchall.log();
    assert!(log.contains("no such folder/catchall.db") && log.contains("vmdb.url"), "{log}");
}
