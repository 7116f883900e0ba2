//! What of the container can be seen without one: its settings, its health check, and that its last stage is as promised.

use super::process::{Catchall, catchall};
use super::project;
use std::fs;
use std::path::Path;
use std::process::Output;

/// A command with the container's settings, in a folder of the test's own instead of /var/lib/catchall.
fn in_container(folder: &Path, command: &str, token: Option<&str>) -> Output {
    let settings = project("deploy/container/settings.yml");
    let mut command = {
        let mut process = catchall(folder);
        process.arg(command);
        process
    };
    command.arg("--settings").arg(settings).env_remove("CATCHALL_TOKEN");
    command.envs(token.map(|token| ("CATCHALL_TOKEN", token))).output().unwrap()
}

#[test]
fn the_containers_settings_are_good_and_ask_for_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let checked = in_container(folder.path(), "check", Some("a long and secret token"));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let refused = in_container(folder.path(), "check", None);
    assert_eq!(refused.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("CATCHALL_TOKEN"));
}

#[test]
fn an_empty_folder_of_settings_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let checked = catchall(folder.path()).args(["check", "--settings", "."]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn the_health_check_is_good_while_it_runs_and_bad_when_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "vmdb: {{url: \"sqlite://catchall.db\"}}\nhttp: {{listen: \"0.0.0.0:{free}\", token: t0ken-t0ken-t0ken}}\n"
    );
    fs::write(folder.path().join("settings.yml"), settings).unwrap();
    let healthy = || catchall(folder.path()).arg("healthcheck").output().unwrap();
    let mut running = Catchall::start(folder.path(), &["run"]);
    super::process::eventually("it is healthy", || {
        let asked = healthy();
        if asked.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&asked.stderr).into_owned()) }
    });
    running.terminate();
    let asked = healthy();
    assert_eq!(asked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&asked.stderr).contains("/readyz?vmdb"), "{asked:?}");
}

#[test]
fn the_image_has_no_root_and_nothing_but_what_is_laid_out() {
    let dockerfile = fs::read_to_string(project("Dockerfile")).unwrap();
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("scratch\n"), "{last}");
    assert!(last.contains("\nUSER 65532:65532\n") && last.contains("\nHEALTHCHECK "), "{last}");
    let copied: Vec<_> =
        last.lines().filter(|line| line.starts_with("COPY") || line.starts_with("ADD")).collect();
    let laid_out = ["COPY --from=build /image/ /", "COPY --from=build --chown=65532:65532 /state/ /var/lib/"];
    assert_eq!(copied, laid_out);
}
