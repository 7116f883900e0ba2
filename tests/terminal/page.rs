//! `docs/commands.md` and the command line: the same commands, and examples that do what they say.

use crate::house::House;
use crate::process::eventually;
use crate::pty::Pty;
use catchall::cli::arguments::Arguments;
use clap::{Command as Definition, CommandFactory};
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PAGE: &str = include_str!("../../docs/commands.md");
const NATIVE: &str = include_str!("../../src/providers/awesome_cloud/fixtures/events.jsonl");
/// Until they are interrupted.
const ENDLESS: [&str; 5] =
    ["run", "run-single-worker", "simulate-queue-worker", "tail", "simulate awesome-cloud"];
/// They have tests of their own: one takes minutes, the other wants a process that serves.
const NOT_HERE: [&str; 2] = ["prove", "healthcheck"];

/// The commands of the page, in order, each with its example.
fn explained() -> Vec<(String, String)> {
    let sections = PAGE.split("\n### `catchall ").skip(1);
    let example = |section: &str| {
        let (command, text) = section.split_once('`').unwrap();
        let example = text.split("```sh\n").nth(1).and_then(|rest| rest.split("\n```").next());
        (command.to_owned(), example.unwrap_or_else(|| panic!("{command} has no example")).to_owned())
    };
    sections.map(example).collect()
}

fn commands(definition: &Definition, path: &str, into: &mut BTreeSet<String>) {
    for command in definition.get_subcommands() {
        let path = format!("{path}{}", command.get_name());
        if !command.is_subcommand_required_set() {
            into.insert(path.clone());
        }
        commands(command, &format!("{path} "), into);
    }
}

#[test]
fn the_page_explains_every_command_and_no_other() {
    let mut known = BTreeSet::new();
    commands(&Arguments::command(), "", &mut known);
    let explained: BTreeSet<String> = explained().into_iter().map(|(command, _)| command).collect();
    assert_eq!(explained, known);
}

#[test]
fn every_option_says_what_it_is() {
    fn look(definition: &Definition, silent: &mut Vec<String>) {
        for option in definition.get_arguments().filter(|option| option.get_help().is_none()) {
            silent.push(format!("{} {}", definition.get_name(), option.get_id()));
        }
        definition.get_subcommands().for_each(|command| look(command, silent));
    }
    let mut silent = Vec::new();
    look(&Arguments::command(), &mut silent);
    silent.retain(|option| !option.ends_with(" help") && !option.ends_with(" version"));
    assert_eq!(silent, [""; 0]);
}

#[test]
fn every_example_of_the_page_works() {
    works(&House::on_sqlite());
}

#[test]
fn every_example_of_the_page_works_on_postgresql() {
    if let Some(house) = House::on_postgres("terminal_page") {
        works(&house);
    }
}

fn works(house: &House) {
    std::fs::write(
        house.path().join("changed.yml"),
        "rules: {all: {on: {event_types: ['*']}, do: [log: seen]}}\n",
    )
    .unwrap();
    std::fs::write(house.path().join("events.jsonl"), NATIVE).unwrap();
    house.cloud.happen(5);
    for (command, example) in explained() {
        match command.as_str() {
            elsewhere if NOT_HERE.contains(&elsewhere) => {}
            "top" => {
                let mut top =
                    Pty::start(house.path(), (80, 24), &format!("PATH={}:$PATH {example}", folder()));
                top.shows("demo cloud");
                top.type_keys("q");
                assert!(top.ended().0);
            }
            endless if ENDLESS.contains(&endless) => ends_when_interrupted(house, endless, &example),
            other => ends(house, other, &example),
        }
    }
    let parsed = std::fs::read_to_string(house.path().join("parsed.jsonl")).unwrap();
    assert_eq!(parsed.lines().count(), NATIVE.lines().count());
}

/// Where the program is.
fn folder() -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_catchall"));
    program.parent().unwrap().display().to_string()
}

fn shell(house: &House, example: &str) -> Command {
    let path = format!("{}:{}", folder(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", example]).current_dir(house.path()).env("PATH", path).env_remove("RUST_LOG");
    command.stdin(Stdio::null());
    command
}

fn ends(house: &House, command: &str, example: &str) {
    let listed: &[&str] = match command.starts_with("queue ") {
        true => &["queue", "list", "--json"],
        false => &["events", "--json", "--limit", "1"],
    };
    let id = match example.contains("4711") {
        true => serde_json::from_str::<serde_json::Value>(house.printed(listed).lines().next().unwrap())
            .unwrap()["id"]
            .to_string(),
        false => String::new(),
    };
    let output = shell(house, &example.replace("4711", &id)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example}: {said}");
}

fn ends_when_interrupted(house: &House, command: &str, example: &str) {
    let mut child: Child = shell(house, &format!("exec {example}")).stdout(Stdio::null()).spawn().unwrap();
    if command == "run" {
        eventually("events are stored", || {
            let asked = house.output(&["events", "--json"]);
            let stored = asked.stdout.iter().filter(|byte| **byte == b'\n').count();
            if stored >= 5 { Ok(()) } else { Err(format!("{stored}")) }
        });
    }
    // A signal that comes before it is listened to would end it in another way.
    eventually("it listens to SIGINT", || {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("{example} ended by itself: {status}");
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
        let listens = u64::from_str_radix(caught, 16).unwrap() & 0b10 != 0;
        // The shell that becomes it listens, too.
        let is_it = std::fs::read_link(format!("/proc/{}/exe", child.id())).unwrap().ends_with("catchall");
        if listens && is_it { Ok(()) } else { Err(status) }
    });
    std::thread::sleep(Duration::from_millis(500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ended = eventually("it ends", || child.try_wait().unwrap().ok_or_else(|| "it runs".to_owned()));
    assert!(ended.success(), "{example}: {ended}");
}
