//! What is read again: overlaps after events were purged, and events that a command tries again.

use super::cloud::Cloud;
use super::process::{Catchall, catchall, eventually};
use super::vmdb_rows::Place;
use super::{count, has_begun, judge, plain_settings, rows_are, write_settings};
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::simulator::Faults;
use catchall::vmdb::{Access, Connection, Vmdb, VmdbError};
use std::time::Duration;

/// A row that is gone cannot tell a duplicate: what is old enough to be purged is too old to be stored.
#[test]
fn an_event_that_was_purged_and_is_read_again_is_neither_stored_nor_worked_again() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(131, 10, Faults::default());
    let place = plain_settings(folder.path(), &cloud);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(20);
    has_begun(&place);
    judge::inventory_is_true(&cloud, &place);
    catchall.kill();
    let refreshes = count(&place, "ems_refreshes").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    // The overlap of two minutes reads them all again, when they are just too old.
    let short = ["event_streams: {history: {keep_events: 2.seconds}}"];
    write_settings(&place, folder.path(), &cloud, (&[], &short));
    let catchall = Catchall::start(folder.path(), &["run"]);
    let metrics = format!("http://{}/metrics", catchall.address());
    eventually("they are read again, and too old", || {
        let (_, text) = super::http::get(&metrics);
        let line = text.lines().find(|line| line.contains("older_than_keep_events"));
        let line = line.ok_or("not counted yet")?.to_owned();
        if line.ends_with(" 20") { Ok(()) } else { Err(line) }
    });
    rows_are(&place, "event_streams", 0);
    assert_eq!(count(&place, "miq_queue"), Ok(0));
    assert_eq!(count(&place, "ems_refreshes WHERE kind = 'targeted'").unwrap_or(i64::MAX).min(refreshes), 0);
}

fn write(place: &Place, work: impl FnOnce(&mut Connection) -> Result<usize, VmdbError> + Send + 'static) {
    let settings = VmdbSettings { url: Secret::new(&place.url), schema: place.schema.clone() };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let vmdb = Vmdb::open(&settings, Access::Worker).await.unwrap();
        vmdb.write(work).await.unwrap();
        vmdb.close().await;
    });
}

/// Letters whose texts a newer parser can read: here they never were anything but good.
#[test]
fn dead_letters_are_events_once_though_the_command_that_tries_them_again_is_killed() {
    const LETTERS: usize = 600;
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(132, 10, Faults::default());
    let place = plain_settings(folder.path(), &cloud);
    let mut run = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "ems_refreshes WHERE kind = 'full'", 1);
    assert!(run.terminate().success(), "{}", run.log());
    let vm = cloud.simulator().with(|cloud| cloud.world.vms.values().next().unwrap().id.clone());
    let natives: Vec<String> = (0..LETTERS)
        .map(|n| {
            format!(
                "{{\"id\":\"letter-{n}\",\"time\":\"2026-11-24T10:00:00.{n:06}Z\",\"event_name\":\"com.awesome-cloud.vm.update\",\
                 \"vm\":{{\"id\":\"{vm}\",\"name\":\"x\"}},\"chain_id\":1,\"username\":\"alice\",\"message\":\"m\"}}"
            )
        })
        .collect();
    write(&place, move |c| {
        for (n, native) in natives.iter().enumerate() {
            let uid = format!("sha256:{n}");
            let sql = "INSERT INTO dead_letters (ems_id, event_uid, native, reason, created_on, attempts) \
                       SELECT id, ?, ?, 'an older parser', '2026-11-24 10:00:00', 0 FROM ext_management_systems";
            c.execute(sql, &[(&uid).into(), native.into()])?;
        }
        Ok(0)
    });
    let retry = ["events", "--dead", "--retry"];
    let mut killed = Catchall::start(folder.path(), &retry);
    eventually("some letters became events", || match count(&place, "event_streams")? {
        0 => Err("none".to_owned()),
        _ => Ok(()),
    });
    killed.kill();
    let (rows, letters) = (count(&place, "event_streams").unwrap(), count(&place, "dead_letters").unwrap());
    assert_eq!(usize::try_from(rows + letters), Ok(LETTERS), "each is one or the other");
    assert!(letters > 0, "it was to be killed on its way");
    for _ in 0..2 {
        let done = catchall(folder.path()).args(retry).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(count(&place, "dead_letters"), Ok(0));
        assert_eq!(count(&place, "event_streams").map(usize::try_from), Ok(Ok(LETTERS)));
        assert_eq!(count(&place, "event_streams WHERE work_id IS NULL"), Ok(0), "each has its work");
    }
}
