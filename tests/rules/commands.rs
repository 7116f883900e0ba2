//! `catchall check`, `rules` and `replay`, as people run them, over a VMDB with stored events.

use crate::house::text;
use crate::process::catchall;
use crate::support::{batch, event};
use catchall::provider::{EmsEvent, Secret};
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, Connection, Vmdb, event_commit};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Output, Stdio};
use tempfile::TempDir;

const STOP: &str = "com.awesome-cloud.vm.stop";
const SETTINGS: &str = r#"
vmdb: {url: "sqlite://catchall.db"}
http: {listen: off}
webhooks: {ops: {url: http://example.com}}
ext_management_systems:
  - {name: demo cloud, type: awesome_cloud, endpoints: {default: {url: "http://127.0.0.1:1"}}}
rules:
  production:
    on: {event_types: [com.awesome-cloud.vm.stop]}
    when: "vm.name.startsWith('prod-')"
    do: [webhook: ops]
  logins:
    on: {event_types: ["*.login"]}
    do: [log: "somebody logged in"]
    at_most: 1 per 1.hours
"#;

/// A folder with settings, and a VMDB with two VMs.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("settings.yml"), SETTINGS).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Stores these events; of types and what is said about them.
    async fn store(&self, events: Vec<EmsEvent>) {
        let url = format!("sqlite://{}/catchall.db", self.0.path().display());
        let settings = VmdbSettings { url: Secret::new(url), schema: "catchall".to_owned() };
        let vmdb = Vmdb::open(&settings, Access::Run).await.unwrap();
        vmdb.migrate().await.unwrap();
        let inventory = "
            INSERT INTO ext_management_systems (id, name, type, enabled) VALUES (1, 'demo cloud', 'X', true);
            INSERT INTO vms (id, name, ems_id, ems_ref) VALUES (1, 'prod-1', 1, 'vm-1'), (2, 'test-1', 1, 'vm-2');";
        let named = events.into_iter().enumerate().map(|(number, said)| {
            let mut named = event(&format!("event-{number}"), "X");
            named.event = said;
            named
        });
        let batches = vec![batch(named.collect())];
        let store = move |connection: &mut Connection| {
            connection.batch(inventory)?;
            event_commit::commit(connection, &batches).map(drop)
        };
        vmdb.write(store).await.unwrap();
        vmdb.close().await;
    }

    fn run(&self, arguments: &[&str]) -> Output {
        catchall(self.0.path()).args(arguments).output().unwrap()
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// With this on stdin.
    fn told(&self, arguments: &[&str], input: &str) -> String {
        let mut command = catchall(self.0.path());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn said(event_type: &str, vm: &str) -> EmsEvent {
    EmsEvent {
        event_type: event_type.to_owned(),
        source: "AWESOME_CLOUD".to_owned(),
        timestamp: Utc::now(),
        vm_ems_ref: text(vm),
        ..EmsEvent::default()
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_wrong_rule_stops_check_with_its_line() {
    let desk = Desk::new();
    desk.file("more.yml", "rules:\n  production:\n    when: vm.name.startsWith(\n");
    let output = desk.run(&["--settings", "more.yml", "check"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{stderr}");
    assert!(stderr.contains("more.yml:3: rules.production.when: no CEL expression was found"), "{stderr}");
    assert!(stderr.contains("\n| vm.name.startsWith(\n"), "{stderr}");
    assert!(desk.run(&["check"]).status.success());
}

#[tokio::test]
async fn rules_test_says_for_a_stored_event_which_rules_fire_and_why() {
    let desk = Desk::new();
    desk.store(vec![said(STOP, "vm-1"), said(STOP, "vm-2"), said(STOP, "vm-9")]).await;
    let first = desk.said(&["rules", "test", "--event-id", "1"]);
    for part in [
        "com.awesome-cloud.vm.stop of demo cloud",
        "\nproduction\n  on     met\n  when   met: vm.name.startsWith('prod-')\n         vm.name is \"prod-1\"\n  fires  webhook ops\n",
        "\nlogins\n  on     not met: its type is com.awesome-cloud.vm.stop, not *.login\n",
    ] {
        assert!(first.contains(part), "{first}");
    }
    let second = desk.said(&["rules", "test", "--event-id", "2", "--rule", "production", "--json"]);
    assert_eq!(
        lines(&second),
        [
            json!({"rule": "production", "on": true, "state": "not met", "reason": null, "seen": {"vm.name": "test-1"},
                "key": null, "actions": []})
        ]
    );
    let third = desk.said(&["rules", "test", "--event-id", "3", "--rule", "production"]);
    assert!(
        third.contains("vm.name is not there\n  skipped its condition cannot be told: there is no name"),
        "{third}"
    );
    let missing = desk.run(&["rules", "test", "--event-id", "99"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("there is no event 99"), "{missing:?}");
}

#[test]
fn rules_test_asks_about_an_event_that_somebody_wrote_or_a_provider_sent() {
    let desk = Desk::new();
    let written = json!({"event": {"event_type": STOP, "source": "AWESOME_CLOUD"}, "vm": {"name": "prod-7"}});
    let told = desk.told(&["rules", "test", "--event", "-", "--json"], &written.to_string());
    assert_eq!(lines(&told)[0]["state"], "done");
    assert_eq!(lines(&told)[0]["actions"], json!([{"action": "webhook ops", "left_out": null}]));
    let old = json!({"event_type": STOP, "timestamp": "2020-01-01T00:00:00Z"});
    desk.file("old.json", &json!({"event": old, "vm": {"name": "prod-7"}}).to_string());
    let told = desk.said(&["rules", "test", "--event", "old.json", "--rule", "production"]);
    assert!(told.contains("skipped") && told.contains("max_action_age"), "{told}");
    let native = NATIVE.replace("TYPE", "com.awesome-cloud.login");
    let told = desk.told(&["rules", "test", "--event", "-", "--provider", "awesome_cloud"], &native);
    assert!(told.contains("\nlogins\n  on     met\n  fires  log info"), "{told}");
    let bad = desk.run(&["rules", "test", "--event", "settings.yml"]);
    assert!(String::from_utf8_lossy(&bad.stderr).contains("the event is no JSON"), "{bad:?}");
}

const NATIVE: &str =
    r#"{"id": "ev-1", "event_name": "TYPE", "time": "2026-11-22T10:26:01Z", "username": "alice"}"#;

#[tokio::test]
async fn replay_shows_what_other_rules_would_have_done_and_does_nothing() {
    let desk = Desk::new();
    let old =
        EmsEvent { timestamp: Utc::now() - TimeDelta::days(2), ..said("com.awesome-cloud.login", "vm-1") };
    let login = || said("com.awesome-cloud.login", "vm-1");
    desk.store(vec![old, said(STOP, "vm-1"), said(STOP, "vm-2"), login(), login()]).await;
    desk.file(
        "new.yml",
        "rules:\n  production: {when: \"vm.name.startsWith('test-')\"}\n  logins: {at_most: 5 per 1.hours}\n",
    );
    let replay = ["replay", "--dry-run", "--since", "24.hours", "--with", "new.yml"];
    let told = desk.said(&replay);
    let diff: Vec<&str> = told.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(diff.len(), 3, "{told}");
    assert!(
        diff[0].starts_with('-')
            && diff[0].ends_with("event 2 com.awesome-cloud.vm.stop of demo cloud  production: webhook ops"),
        "{told}"
    );
    assert!(diff[1].starts_with('+') && diff[1].contains("event 3 "), "{told}");
    assert!(
        diff[2].starts_with('+') && diff[2].contains("event 5 ") && diff[2].contains("logins: log info"),
        "{told}"
    );
    assert!(told.contains("4 events: 2 actions more, 1 fewer. Nothing was done.\n"), "{told}");
    assert!(told.contains("logins          1           2          0"), "{told}");

    let json = lines(&desk.said(&[&replay[..], &["--json", "--limit", "1"]].concat()));
    assert_eq!((json.len(), &json[0]["sign"], &json[0]["event_id"]), (2, &json!("-"), &json!(2)));
    let totals = &json[1];
    assert_eq!((&totals["added"], &totals["removed"]), (&json!(2), &json!(1)));
    assert!(!desk.run(&replay[..4]).status.success(), "--with is needed");
    assert_eq!(totals["events"], 4, "{totals}");
}

#[tokio::test]
async fn replay_only_takes_the_rules_of_one_file_for_all() {
    let desk = Desk::new();
    desk.store(vec![said(STOP, "vm-1"), said("com.awesome-cloud.login", "vm-1")]).await;
    desk.file(
        "new.yml",
        "rules: {logins: {on: {event_types: [\"*.login\"]}, do: [log: \"somebody logged in\"]}}\n",
    );
    let told = desk.said(&["replay", "--dry-run", "--since", "1.hours", "--with", "new.yml", "--only"]);
    let diff: Vec<&str> = told.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert!(
        matches!(diff[..], [line] if line.starts_with("- ") && line.contains("production: webhook ops")),
        "{told}"
    );
    assert!(told.contains("production      1        none       none"), "{told}");
}

#[tokio::test]
async fn rules_list_shows_them_with_and_without_a_vmdb() {
    let desk = Desk::new();
    let listed = desk.said(&["rules", "list"]);
    assert!(listed.contains("production     0        0           0        0  webhook ops"), "{listed}");
    desk.store(vec![said(STOP, "vm-1")]).await;
    let listed = lines(&desk.said(&["rules", "list", "--json"]));
    assert_eq!(listed[1]["rule"], "logins");
    assert_eq!(listed[1]["do"], json!(["log info \"somebody logged in\""]));
}
