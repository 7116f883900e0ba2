//! `catchall check --connect`, and what wrong settings end with.

use super::cloud::Cloud;
use super::process::catchall;
use super::write_settings;
use catchall::simulator::{Faults, Mishap};
use std::path::Path;

/// Exit status and both outputs.
fn check(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = catchall(folder).arg("check").args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn check_connect_says_what_fails_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(61, 5, Faults::default());
    write_settings(folder.path(), &cloud, &[]);
    let (status, said) = check(folder.path(), &["--connect"]);
    assert!(status == Some(0) && said.contains("test cloud: reached"), "{said}");
    cloud.simulator().with(|cloud| cloud.faults.events_requests = vec![Mishap::Unauthorized; 4]);
    let (status, said) = check(folder.path(), &["--connect"]);
    assert!(status == Some(1) && said.contains("test cloud: ") && said.contains("401"), "{said}");
    let url = cloud.url();
    drop(cloud);
    let (status, said) = check(folder.path(), &["--connect"]);
    assert!(status == Some(1) && said.contains(&url), "{said}");
}

#[test]
fn the_guides_slip_ends_with_78_and_names_file_line_and_the_likely_key() {
    let folder = tempfile::tempdir().unwrap();
    let text = ":ems_refres:\n  :awesome_cloud:\n    :refresh_interval: 24.hours\n";
    std::fs::write(folder.path().join("settings.yml"), text).unwrap();
    let (status, said) = check(folder.path(), &[]);
    assert_eq!(status, Some(78), "{said}");
    assert!(said.contains("settings.yml:1") && said.contains("ems_refresh"), "{said}");
    std::fs::write(folder.path().join("settings.yml"), text.replace("refres:", "refresh:")).unwrap();
    let (status, said) = check(folder.path(), &["--print"]);
    assert!(status == Some(0) && said.contains("refresh_interval: 24.hours"), "{said}");
}
