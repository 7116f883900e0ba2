//! `catchall tail` as a process: what it tells, and how it ends.

use crate::house::House;
use crate::postgres;
use crate::postgres_outage::Outage;
use crate::process::{catchall, eventually};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

struct Tail {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    errors: ChildStderr,
}

impl Tail {
    fn start(house: &House, arguments: &[&str]) -> Self {
        let mut command = catchall(house.path());
        command.arg("tail").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let errors = child.stderr.take().unwrap();
        Self { child, lines, errors }
    }

    fn next(&mut self) -> String {
        self.lines.next().expect("a line").unwrap()
    }

    fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().unwrap();
        panic!("tail did not end");
    }

    fn said(&mut self) -> String {
        let mut said = String::new();
        self.errors.read_to_string(&mut said).unwrap();
        said
    }
}

#[test]
fn a_tail_tells_each_event_once_and_ends_quietly_when_it_is_interrupted() {
    tells_each_event_once(&House::on_sqlite());
}

#[test]
fn a_tail_tells_each_event_once_on_postgresql() {
    if let Some(house) = House::on_postgres("terminal_tail") {
        tells_each_event_once(&house);
    }
}

fn tells_each_event_once(house: &House) {
    let _running = house.run_until_stored(12);
    let mut tail = Tail::start(house, &["--json", "-n", "3"]);
    let mut ids = BTreeSet::new();
    let mut told = |tail: &mut Tail, count: usize| {
        for _ in 0..count {
            let line = tail.next();
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(event["ems"], "demo cloud", "{line}");
            assert!(ids.insert(event["id"].as_i64().unwrap()), "told twice: {line}");
        }
    };
    told(&mut tail, 3);
    for _ in 0..3 {
        house.cloud.happen(4);
        told(&mut tail, 4);
    }
    tail.interrupt();
    assert!(tail.ended().success());
    assert_eq!(tail.said(), "");
    assert!(tail.lines.next().is_none(), "nothing else was told");

    let mut people = Tail::start(house, &["--ems", "demo cloud"]);
    let lines: Vec<String> = (0..10).map(|_| people.next()).collect();
    assert!(lines.iter().all(|line| line.contains("  demo cloud  com.awesome-cloud.")), "{lines:?}");
    people.interrupt();
    assert!(people.ended().success());
}

#[test]
fn a_tail_ends_quietly_when_nobody_reads_any_more() {
    let house = House::on_sqlite();
    let _running = house.run_until_stored(2);
    let Tail { mut child, lines, errors } = Tail::start(&house, &["-n", "0"]);
    drop(lines);
    let ended = eventually("it ends", || {
        house.cloud.happen(1);
        std::thread::sleep(Duration::from_millis(200));
        child.try_wait().unwrap().ok_or_else(|| "it runs".to_owned())
    });
    assert!(ended.success(), "{ended}");
    let mut said = String::new();
    BufReader::new(errors).read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn a_tail_waits_for_a_vmdb_that_is_away_and_says_so_once() {
    if postgres::server().is_none() {
        return;
    }
    let server = postgres::start().unwrap();
    let house = House::at(&server.url, "catchall");
    let _running = house.run_until_stored(2);
    let mut tail = Tail::start(&house, &["--json", "-n", "1"]);
    tail.next();
    let mut outage = Outage::of(&server);
    outage.begin();
    std::thread::sleep(Duration::from_secs(3));
    house.cloud.happen(3);
    outage.end();
    (0..3).for_each(|_| drop(tail.next()));
    tail.interrupt();
    assert!(tail.ended().success());
    let said = tail.said();
    assert_eq!(said.matches("waiting until it is back").count(), 1, "{said}");
    assert!(said.ends_with("the VMDB is back\n"), "{said}");
}

#[test]
fn what_a_tail_cannot_mean_is_wrong_use() {
    let house = House::on_sqlite();
    assert!(house.output(&["migrate"]).status.success());
    for (arguments, status, says) in [
        (&["tail", "--type", "/(/"][..], 2, "is no regular expression"),
        (&["tail", "--since", "noon"], 2, "wanted a time"),
        (&["tail", "--level", "loud"], 2, "critical, warning, detail"),
        (&["tail", "--ems", "demo clodu"], 1, "there is no EMS \"demo clodu\""),
        (&["events", "--dead", "--level", "critical"], 2, "cannot be used with"),
    ] {
        let output = house.output(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(status) && said.contains(says), "{arguments:?}: {said}");
    }
}
