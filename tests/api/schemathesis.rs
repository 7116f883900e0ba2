//! schemathesis reads the API's own description and asks everything that it allows, and much that it does not: no answer is
//! a failure of the server's, each is as described.
//!
//! The program is `CATCHALL_SCHEMATHESIS`, else `.cache/schemathesis/venv/bin/schemathesis` below the crate. Without it the
//! test fails by name, unless `SKIP` holds `schemathesis`.

use crate::filled::{Fresh, on_both};
use crate::house::{House, filled};
use std::path::PathBuf;
use std::process::Command;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance";

on_both! {
    every_answer_is_as_the_description_says
}

fn program() -> Option<PathBuf> {
    if std::env::var("SKIP").is_ok_and(|skip| skip.split(',').any(|name| name.trim() == "schemathesis")) {
        eprintln!("SKIPPED: what schemathesis asks the API, since SKIP holds `schemathesis`");
        return None;
    }
    let cached = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".cache/schemathesis/venv/bin/schemathesis");
    let program = std::env::var_os("CATCHALL_SCHEMATHESIS").map_or(cached, PathBuf::from);
    assert!(
        program.exists(),
        "schemathesis: {} is not there; `make test` brings it, CATCHALL_SCHEMATHESIS names another, SKIP=schemathesis \
         leaves it out",
        program.display()
    );
    Some(program)
}

async fn every_answer_is_as_the_description_says(fresh: Fresh) {
    let Some(program) = program() else { return };
    let (fresh, _) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", &format!("{}/api/openapi.json", house.server.url()), "--checks", CHECKS])
        .args(["--phases", "coverage,fuzzing", "--max-examples", "12", "--seed", "5", "--workers", "2"])
        .args(["--request-timeout", "20", "--suppress-health-check", "all", "--no-color"])
        .env("NO_PROXY", "*")
        .env("PYTHONIOENCODING", "utf-8")
        .current_dir(folder.path());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    println!("{told}");
    assert!(told.contains("passed") || told.contains("No issues found"), "nothing was asked: {told}");
    house.close().await;
}
