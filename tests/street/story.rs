//! The trace of an event beside a running process: `events show`, and how long its steps took in `/metrics`.

use super::cloud::Cloud;
use super::process::{Catchall, catchall, eventually};
use super::{http, judge, vmdb_rows, write_settings};
use catchall::simulator::Faults;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

fn show(folder: &Path, arguments: &[&str]) -> Output {
    catchall(folder).args(["events", "show"]).args(arguments).output().unwrap()
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = show(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_event_tells_its_story_and_how_long_each_step_took() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(61, 5, Faults::default());
    let place = write_settings(folder.path(), &cloud, &[]);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    cloud.happen(30);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    let reader = vmdb_rows::open(&place).unwrap();
    let sql = "SELECT event_uid FROM event_streams e JOIN ems_refreshes r ON r.work_id = e.work_id \
               WHERE event_type LIKE '%vm.st%' AND r.finished_on IS NOT NULL LIMIT 1";
    let uid = eventually("an event is refreshed", || {
        reader.texts(sql)?.pop().ok_or_else(|| "none is refreshed".to_owned())
    });

    let text = printed(folder.path(), &[&uid]);
    for part in [
        "ems                  test cloud\n",
        "Related to:\n  VM ",
        "  calls /System/event_handlers/refresh\n",
        "Done for it besides refreshing: nothing\n",
        "refreshed          2",
        "  in all ",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let json: Value = serde_json::from_str(&printed(folder.path(), &[&uid, "--json"])).unwrap();
    assert_eq!(json["event"]["columns"]["event_uid"], *uid);
    assert_eq!(json["event"]["full_data"]["id"], *uid, "full_data is JSON in JSON");
    let steps: Vec<_> = json["steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, ["happened", "committed", "refresh requested", "refresh started", "refreshed"]);
    let by_id = printed(folder.path(), &[&json["event"]["id"].to_string(), "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&by_id).unwrap(), json, "the id finds the same");

    let unknown = show(folder.path(), &["999999"]);
    assert_eq!(unknown.status.code(), Some(1));
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.contains("there is no event with the id or event_uid \"999999\""), "{said}");

    let (_, metrics) = http::get(&format!("http://{}/metrics", catchall.address()));
    for series in ["catchall_event_committed_seconds_count", "catchall_event_refreshed_seconds_count"] {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{series}{{ems=\"test cloud\"}} ")));
        let count: u64 = line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0);
        assert!(count > 0, "{series} in\n{metrics}");
    }
    assert!(
        metrics.contains("catchall_refreshes_total{ems=\"test cloud\",kind=\"targeted\",result=\"done\"} "),
        "{metrics}"
    );
    assert!(catchall.terminate().success(), "{}", catchall.log());
}
