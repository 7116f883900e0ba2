//! The unit, judged by systemd itself, without one running.

use super::{project, skipped};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// systemd before 254 says so, ignores them, and waits the same time before each restart.
const KNOWN_SINCE_254: [&str; 2] = ["RestartSteps", "RestartMaxDelaySec"];

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    let ran = Command::new("systemd-analyze").args(arguments).arg(unit).output();
    ran.unwrap_or_else(|error| {
        panic!("systemd: systemd-analyze does not start: {error}; `make services` brings it")
    })
}

/// The unit as it would be installed, but for the program, which is the one under test.
fn unit(folder: &Path) -> std::path::PathBuf {
    let text = fs::read_to_string(project("deploy/systemd/catchall.service")).unwrap();
    assert!(text.contains("ExecStart=/usr/bin/catchall run"));
    let unit = folder.join("catchall.service");
    fs::write(&unit, text.replace("/usr/bin/catchall", env!("CARGO_BIN_EXE_catchall"))).unwrap();
    unit
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    if skipped("systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let verified = analyze(&["verify", "--man=no"], &unit(folder.path()));
    let said = String::from_utf8_lossy(&verified.stderr);
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("catchall.service"))
        .filter(|line| !KNOWN_SINCE_254.iter().any(|key| line.contains(&format!("'{key}'"))))
        .collect();
    assert!(complaints.is_empty() && verified.status.success(), "{said}");
}

#[test]
fn a_misspelt_line_of_the_unit_would_be_found() {
    if skipped("systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = unit(folder.path());
    fs::write(&unit, fs::read_to_string(&unit).unwrap().replace("ProtectHome", "ProtectHouse")).unwrap();
    let said = String::from_utf8(analyze(&["verify", "--man=no"], &unit).stderr).unwrap();
    assert!(said.contains("ProtectHouse"), "{said}");
}

#[test]
fn the_service_can_do_little_besides_its_work() {
    if skipped("systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let judged =
        analyze(&["security", "--offline=yes", "--threshold=20", "--no-pager"], &unit(folder.path()));
    assert!(
        judged.status.success(),
        "exposed by more than 2.0:\n{}",
        String::from_utf8_lossy(&judged.stdout)
    );
}
