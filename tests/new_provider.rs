//! `make new-provider`: in a copy of the house a provider is made, filled from a fixture, and caught from. One new folder and
//! one line of the registry are all that changed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod copied_house;
mod tiny_cloud;

use copied_house::{CopiedHouse, output};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tiny_cloud::Cloud;

/// What somebody recorded at their cloud.
const RECORDED: &str = r#"{"id":"q-1","type":"vm.created","time":"2026-11-22T11:00:00Z","vm":{"id":"vm-7","name":"seven"}}
{"id":"q-2","type":"vm.started","time":"2026-11-22T11:00:01Z","vm":{"id":"vm-7","name":"seven"}}
{"id":"q-3","type":"vm.started","time":"2026-11-22T11:00:01Z","vm":{"id":"vm-8","name":"eight"}}
"#;
const VMS: [(&str, &str); 2] = [
    ("vm-7", r#"{"id":"vm-7","name":"seven","state":"running"}"#),
    ("vm-8", r#"{"id":"vm-8","name":"eight","state":"stopped"}"#),
];

#[test]
fn a_new_provider_is_one_folder_and_one_line_and_it_catches() {
    let house = CopiedHouse::new("new_provider");
    output(Command::new(house.root.join("scripts/new-provider")).arg("quiet_cloud"));
    let fixtures = house.root.join("src/providers/quiet_cloud/fixtures");
    fs::write(fixtures.join("events.jsonl"), RECORDED).unwrap();
    let vms: Vec<Value> = VMS.iter().map(|(_, vm)| serde_json::from_str(vm).unwrap()).collect();
    fs::write(fixtures.join("inventory.json"), json!({ "vms": vms }).to_string()).unwrap();

    keeps_the_contract(&house);
    parses(&house);
    catches(&house);

    assert_eq!(
        house.git(&["status", "--porcelain"]),
        " M src/providers/mod.rs\n?? src/providers/quiet_cloud/\n"
    );
    assert_eq!(house.git(&["diff", "--numstat"]), "1\t0\tsrc/providers/mod.rs\n");
    assert!(house.git(&["diff"]).contains("\n+    quiet_cloud::QuietCloud,\n"));
}

#[test]
fn a_name_that_is_none_is_refused_and_changes_nothing() {
    let house = CopiedHouse::new("refused_provider");
    for (name, complaint) in [
        ("", "make new-provider NAME="),
        ("Quiet", "lower-case words"),
        ("quiet__cloud", "lower-case words"),
        ("awesome_cloud", "exists already"),
    ] {
        let refused = Command::new(house.root.join("scripts/new-provider")).arg(name).output().unwrap();
        assert!(!refused.status.success(), "{name:?}");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains(complaint), "{name:?}: {said}");
    }
    assert_eq!(house.git(&["status", "--porcelain"]), "");
}

/// Builds the copy, and runs the tests that look at every provider of its registry.
fn keeps_the_contract(house: &CopiedHouse) {
    let started = Instant::now();
    let tests = ["test", "--locked", "--offline", "--test", "provider_contract", "--test", "architecture"];
    let run = house.cargo(&tests);
    let said = [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(run.status.success(), "{}\n{}", said[0], said[1]);
    println!("built and checked within {:?}", started.elapsed());
    println!("compiled: {}", said[1].lines().filter(|line| line.contains("Compiling")).collect::<String>());
}

fn parses(house: &CopiedHouse) {
    let mut parse = Command::new(house.catchall())
        .args(["parse", "--provider", "quiet_cloud"])
        .current_dir(house.root.join("src"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    parse.stdin.take().unwrap().write_all(RECORDED.as_bytes()).unwrap();
    let answer = parse.wait_with_output().unwrap();
    assert!(answer.status.success());
    let lines = String::from_utf8(answer.stdout).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert_eq!(first["event"]["event_type"], "vm.created");
    assert_eq!(first["event"]["source"], "QUIET_CLOUD");
    assert_eq!(first["event_uid"], "q-1");
    assert_eq!(first["targets"][0]["manager_ref"], json!({"ems_ref": "vm-7"}));
    assert_eq!(first["actions"][0]["uri"], "/System/event_handlers/refresh");
}

/// A `catchall run` that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn catches(house: &CopiedHouse) {
    let mut cloud = Cloud::default();
    cloud.add_events(RECORDED);
    cloud.vms = VMS.map(|(id, vm)| (id.to_owned(), vm.to_owned())).to_vec();
    let cloud = Arc::new(Mutex::new(cloud));
    let url = tiny_cloud::serve(cloud.clone());
    let address = free_address();
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({
        "vmdb": {"url": "sqlite://catchall.db"},
        "http": {"listen": address},
        "ext_management_systems": [{
            "name": "quiet", "type": "quiet_cloud",
            "endpoints": {"default": {"url": url}},
            "authentications": {"default": {"userid": "me", "password": "token"}},
            "settings": {"workers": {"worker_base": {"event_catcher": {"event_catcher_quiet_cloud": {"poll": "0.2.seconds"}}}}},
        }],
    });
    fs::write(folder.path().join("settings.yml"), settings.to_string()).unwrap();
    let log = folder.path().join("log");
    let _running = Running(
        Command::new(house.catchall())
            .arg("run")
            .current_dir(folder.path())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap(),
    );
    let caught = |total: u32| {
        let line = format!("catchall_events_total{{ems=\"quiet\"}} {total}");
        eventually(&log, &line, || get(&address, "/metrics").lines().any(|found| found == line));
    };
    caught(3);
    let pages = || [1, 2].map(|id| get(&address, &format!("/vms/{id}"))).concat();
    eventually(&log, "both VMs are inventory", || pages().contains("seven") && pages().contains("eight"));
    cloud.lock().unwrap().add_events(
        r#"{"id":"q-4","type":"vm.stopped","time":"2026-11-22T11:00:02Z","vm":{"id":"vm-8","name":"eight"}}"#,
    );
    caught(4);
    assert!(pages().contains("vm.stopped"), "the VM's timeline shows it");
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The answer of a plain HTTP request, or nothing.
fn get(address: &str, path: &str) -> String {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().unwrap_or_default()
}

fn eventually(log: &Path, what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        let said = || fs::read_to_string(log).unwrap_or_default();
        assert!(Instant::now() < deadline, "not within 30 s: {what}; the log:\n{}", said());
        std::thread::sleep(Duration::from_millis(50));
    }
}
