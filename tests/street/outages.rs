//! What the timeline shows beside events: when nobody caught, and what events changed in the inventory.

use super::cloud::Cloud;
use super::process::{Catchall, catchall, eventually, within};
use super::vmdb_rows::{self, Place};
use super::{judge, postgres_schema, write_settings_at};
use catchall::clock;
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::simulator::Faults;
use catchall::vmdb::{Access, Vmdb};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::path::Path;
use std::time::Duration;

/// As both databases write a time.
const FORMAT: &str = "%Y-%m-%d %H:%M:%S%.6f";

#[test]
fn a_stop_a_pause_and_a_kill_are_one_outage_each_with_the_right_ends() {
    let folder = tempfile::tempdir().unwrap();
    outages(folder.path(), &Place::sqlite(folder.path()));
}

#[test]
fn a_stop_a_pause_and_a_kill_are_one_outage_each_on_postgresql() {
    let Some(place) = postgres_schema("outages") else { return };
    let folder = tempfile::tempdir().unwrap();
    outages(folder.path(), &place);
}

type Outage = (DateTime<Utc>, Option<DateTime<Utc>>, String);

fn time(text: &str) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc()
}

fn rows(place: &Place) -> Result<Vec<Outage>, String> {
    let sql = "SELECT CAST(started_on AS TEXT) || '/' || coalesce(CAST(ended_on AS TEXT), '') || '/' || reason AS value \
               FROM event_catcher_outages ORDER BY started_on";
    let row = |text: &String| {
        let parts: Vec<_> = text.splitn(3, '/').collect();
        (time(parts[0]), Some(parts[1]).filter(|end| !end.is_empty()).map(time), parts[2].to_owned())
    };
    Ok(vmdb_rows::open(place)?.texts(sql)?.iter().map(row).collect())
}

/// The last of `count` outages, once it is over.
fn ended(place: &Place, count: usize) -> Outage {
    within(Duration::from_secs(60), "the outage has its end", || match rows(place)?.as_slice() {
        [.., last @ (_, Some(_), _)] if rows(place)?.len() == count => Ok(last.clone()),
        others => Err(format!("{others:?}")),
    })
}

fn is_between(what: &str, at: DateTime<Utc>, (from, to): (DateTime<Utc>, DateTime<Utc>)) {
    assert!(from <= at && at <= to, "{what} {at} is not between {from} and {to}");
}

fn write(place: &Place, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let settings = VmdbSettings { url: Secret::new(&place.url), schema: place.schema.clone() };
    let sql = sql.to_owned();
    runtime.block_on(async move {
        let vmdb = Vmdb::open(&settings, Access::Worker).await.unwrap();
        vmdb.write(move |c| c.batch(&sql)).await.unwrap();
        vmdb.close().await;
    });
}

fn outages(folder: &Path, place: &Place) {
    let cloud = Cloud::start(61, 5, Faults::default());
    write_settings_at(place, folder, &cloud, &[]);
    let mut process = Catchall::start(folder, &["run"]);
    cloud.happen(10);
    judge::nothing_lost_nothing_doubled(&cloud, place);
    assert_eq!(rows(place).unwrap(), [], "a start is no outage");

    let asked = clock::now();
    assert!(process.terminate().success(), "{}", process.log());
    let stopped = clock::now();
    let [(started_on, None, _)] = rows(place).unwrap()[..] else { panic!("a stop is written at once") };
    is_between("the beginning", started_on, (asked, stopped));
    std::thread::sleep(Duration::from_secs(20));
    let begun = clock::now();
    let mut process = Catchall::start(folder, &["run"]);
    let (of_stop, end, reason) = ended(place, 1);
    assert_eq!((of_stop, reason.as_str()), (started_on, "stopped"));
    is_between("the end", end.unwrap(), (begun, clock::now()));

    // What begins so soon after the last one would be the last one going on.
    write(place, "DELETE FROM event_catcher_outages");
    let command = |words: &[&str]| assert!(catchall(folder).args(words).status().unwrap().success());
    let paused = clock::now();
    command(&["ems", "pause", "test cloud"]);
    within(Duration::from_secs(60), "the pause is an outage", || match rows(place)?.as_slice() {
        [(_, None, reason)] if reason == "paused" => Ok(()),
        others => Err(format!("{others:?}")),
    });
    let resumed = clock::now();
    command(&["ems", "resume", "test cloud"]);
    let (from, to, _) = ended(place, 1);
    is_between("the beginning of the pause", from, (paused, paused + TimeDelta::seconds(10)));
    is_between("the end of the pause", to.unwrap(), (resumed, clock::now()));

    let beats = || match vmdb_rows::open(place)?
        .number("SELECT CAST(count(*) AS TEXT) AS value FROM process_heartbeats")?
    {
        1 => Ok(()),
        count => Err(format!("{count} heartbeats")),
    };
    eventually("one process says that it lives", beats);
    process.kill();
    // As if it had been killed ten minutes ago.
    let seen = (clock::now() - TimeDelta::minutes(10)).format(FORMAT).to_string();
    write(
        place,
        &format!(
            "UPDATE process_heartbeats SET beat_on = '{seen}'; UPDATE ems_cursors SET updated_on = '{seen}'; \
             DELETE FROM event_catcher_outages"
        ),
    );
    let begun = clock::now();
    let mut process = Catchall::start(folder, &["run"]);
    let (from, to, reason) = ended(place, 1);
    assert_eq!((from, reason.as_str()), (time(&seen), "process down"));
    is_between("the end", to.unwrap(), (begun, clock::now()));
    eventually("the row of the process that was killed is gone", beats);
    judge::nothing_lost_nothing_doubled(&cloud, place);
    assert!(process.terminate().success(), "{}", process.log());
}

#[test]
fn a_vm_that_stops_is_an_event_and_a_change_with_that_event() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(62, 5, Faults::default());
    let place = super::write_settings(folder.path(), &cloud, &[]);
    let mut process = Catchall::start(folder.path(), &["run"]);
    judge::inventory_is_true(&cloud, &place);
    let running = cloud.simulator().with(|cloud| {
        let running = cloud.world.vms.values().find(|vm| vm.state == "running");
        running.map(|vm| vm.id.clone()).expect("one of five VMs runs")
    });
    cloud.simulator().with(|cloud| {
        let now = cloud.now();
        let change = cloud.world.power(&running, "stopped", now).expect("it is there");
        cloud.enter(&change);
    });
    let sql = "SELECT attribute || ': ' || before || ' → ' || after || ', ' || e.event_type AS value FROM state_changes s \
               JOIN vms v ON v.id = s.resource_id AND s.resource_type = 'VmOrTemplate' \
               JOIN event_streams e ON e.work_id = s.work_id AND e.vm_or_template_id = v.id";
    let told = eventually("the change is told", || match vmdb_rows::open(&place)?.texts(sql)? {
        told if told.is_empty() => Err("nothing".to_owned()),
        told => Ok(told),
    });
    assert_eq!(told, ["power_state: on → off, com.awesome-cloud.vm.stop"]);
    judge::inventory_is_true(&cloud, &place);
    let all = "SELECT CAST(count(*) AS TEXT) AS value FROM state_changes";
    assert_eq!(vmdb_rows::open(&place).unwrap().number(all).unwrap(), 1, "the first refresh told nothing");
    let id = "SELECT CAST(max(id) AS TEXT) AS value FROM event_streams WHERE event_type LIKE '%vm.stop'";
    let id = vmdb_rows::open(&place).unwrap().texts(id).unwrap().remove(0);
    let story = catchall(folder.path()).args(["events", "show", &id]).output().unwrap();
    let story = String::from_utf8(story.stdout).unwrap();
    assert!(
        story.contains("Changed in the inventory:\n") && story.contains("power_state: on → off"),
        "{story}"
    );
    assert!(process.terminate().success(), "{}", process.log());
}
