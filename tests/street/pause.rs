//! Commands and signals beside a running process: pause, resume, restart, status, events, SIGUSR1, SIGTERM, an EMS that leaves.

use super::cloud::Cloud;
use super::process::{Catchall, catchall, eventually};
use super::vmdb_rows;
use super::{judge, write_settings};
use catchall::simulator::Faults;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Runs a command beside the running process; what it printed.
fn command(folder: &Path, arguments: &[&str]) -> String {
    let output = catchall(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_paused_ems_is_not_asked_and_goes_on_from_its_cursor_when_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(51, 5, Faults::default());
    let place = write_settings(folder.path(), &cloud, &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(20);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    command(folder.path(), &["ems", "pause", "test cloud"]);
    catchall.logs("test cloud: paused");
    let asked = || cloud.simulator().stats().requests["events"];
    // A request that was under way when it was paused may still arrive.
    std::thread::sleep(Duration::from_millis(300));
    let before = asked();
    cloud.happen(30);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(asked(), before, "a paused EMS is asked for events");
    let status: Value = serde_json::from_str(&command(folder.path(), &["status", "--json"])).unwrap();
    assert_eq!(status["ems"][0]["state"], "paused", "{status}");
    let events = command(folder.path(), &["events", "--json", "--limit", "5"]);
    assert_eq!(events.lines().count(), 5, "{events}");
    command(folder.path(), &["ems", "resume", "test cloud"]);
    judge::nothing_lost_nothing_doubled(&cloud, &place);

    let running = || catchall.log().matches("the event catcher is running").count();
    let before = running();
    command(folder.path(), &["ems", "restart", "test cloud"]);
    eventually(
        "a fresh event catcher runs",
        || if running() > before { Ok(()) } else { Err(catchall.log()) },
    );
    let before = running();
    catchall.signal("USR1");
    eventually("SIGUSR1 makes a fresh one", || if running() > before { Ok(()) } else { Err(catchall.log()) });
    cloud.happen(10);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    let asked = Instant::now();
    assert!(catchall.terminate().success(), "{}", catchall.log());
    assert!(asked.elapsed() < Duration::from_secs(10), "SIGTERM took {:?}", asked.elapsed());
}

#[test]
fn an_ems_that_leaves_the_settings_keeps_its_cursor_and_comes_back_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(52, 5, Faults::default());
    let place = write_settings(folder.path(), &cloud, &[]);
    let catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(20);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    // The cloud's clock tells whole seconds: events of the running second are dated ahead of it and move no cursor yet.
    eventually("the cursor is stored", || {
        match vmdb_rows::open(&place)?.number("SELECT CAST(count(*) AS TEXT) AS value FROM ems_cursors")? {
            1 => Ok(()),
            count => Err(format!("{count} cursors")),
        }
    });
    let settings = folder.path().join("settings.yml");
    let with = fs::read_to_string(&settings).unwrap();
    let without = with.split("ext_management_systems:").next().unwrap();
    fs::write(&settings, without).unwrap();
    catchall.signal("HUP");
    catchall.logs("+0 ~0 -1");
    let kept = "SELECT CASE WHEN NOT e.enabled AND c.ems_id IS NOT NULL THEN 'kept' ELSE 'not' END AS value \
                FROM ext_management_systems e LEFT JOIN ems_cursors c ON c.ems_id = e.id";
    eventually("its row says not enabled, and its cursor is kept", || {
        let found = vmdb_rows::open(&place)?.texts(kept)?;
        if found == ["kept"] { Ok(()) } else { Err(format!("{found:?}")) }
    });
    cloud.happen(20);
    fs::write(&settings, with).unwrap();
    catchall.signal("HUP");
    catchall.logs("+1 ~0 -0");
    judge::nothing_lost_nothing_doubled(&cloud, &place);
}
