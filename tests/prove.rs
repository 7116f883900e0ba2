//! `catchall prove`: a short proof on both databases with every kind of fault, and that a tampered VMDB is none.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use catchall::prove::judge::{self, Verdict};
use catchall::prove::schedule::{Means, Schedule, Style, draw};
use catchall::prove::{Cloud, facts};
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::simulator::FaultKind;
use catchall::vmdb::{Access, Vmdb};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn catchall(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catchall"));
    command.current_dir(folder).env_remove("RUST_LOG").args(arguments);
    command.output().expect("the binary starts")
}

fn schedule(seed: u64) -> Schedule {
    draw(seed, &Means { style: Style::Everything, points: &[], own_server: false })
}

/// The first seed from `from` on whose run has all kinds of faults, and folds repeats.
fn seed_with_all_faults(from: u64) -> u64 {
    let has_all = |seed: &u64| {
        let Schedule { faults, flooding, .. } = schedule(*seed);
        faults.len() == FaultKind::ALL.len() && flooding == Some(5)
    };
    (from..).find(has_all).unwrap()
}

fn a_short_proof_on(database: &str, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let seed = seed.to_string();
    let asked = ["prove", "--runs", "1", "--seed", &seed, "--vmdb", database, "--json", "--folder", "."];
    let output = catchall(folder.path(), &asked);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        let kept = folder.keep();
        panic!("not proven; logs are in {}", kept.display());
    }
    let run: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(run["proven"], true);
    let run = &run["run"];
    assert!(
        run["kills_by_time"].as_u64().unwrap() >= 3 && run["obligations"].as_u64().unwrap() > 100,
        "{run}"
    );
    let count = |of: &serde_json::Value| of.as_u64().unwrap();
    assert!(count(&run["folded"]) > 0, "{run}");
    assert!(count(&run["verdict"]["excused"]) * 2 < count(&run["obligations"]), "{run}");
    assert_eq!(run["seed"].to_string(), seed);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "a proof that holds leaves nothing behind"
    );
}

#[test]
fn a_short_proof_with_all_faults_holds_on_sqlite() {
    a_short_proof_on("sqlite", seed_with_all_faults(20));
}

#[test]
fn a_short_proof_with_all_faults_holds_on_a_postgresql_that_is_crashed() {
    if std::env::var("SKIP").is_ok_and(|skip| skip.contains("postgres")) {
        println!("SKIPPED since SKIP holds `postgres`: nothing of this test was run");
        eprintln!("SKIPPED since SKIP holds `postgres`: nothing of this test was run");
        return;
    }
    a_short_proof_on("postgres", seed_with_all_faults(30));
}

#[test]
fn wrong_use_has_status_2_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = catchall(folder.path(), &["prove", "--vmdb", "sqlite://mine.db"]);
    assert_eq!(sqlite.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&sqlite.stderr).contains("--vmdb sqlite"));
    assert_eq!(catchall(folder.path(), &["prove", "--runs", "0"]).status.code(), Some(2));
    assert_eq!(catchall(folder.path(), &["prove", "--vmdb", "mysql"]).status.code(), Some(2));
}

/// What the judge says of the VMDB now.
async fn judged(vmdb: &Vmdb, cloud: &Cloud) -> Verdict {
    let (ledger, truth) = (cloud.ledger().await.unwrap(), cloud.truth().await.unwrap());
    facts::read(vmdb, ledger, truth).await.map_or_else(
        |error| Verdict { lost: vec![error.to_string()], ..Verdict::default() },
        |facts| judge::judge(&facts),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vmdb_that_was_tampered_with_is_not_proven() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_catchall"));
    let quiet = Schedule { faults: Vec::new(), ..schedule(1) };
    let cloud = Cloud::start(program, folder.path(), &quiet).await.unwrap();
    let settings = format!(
        "vmdb: {{url: \"sqlite://catchall.db\"}}\nhttp: {{listen: \"off\"}}\next_management_systems:\n  - name: proof\n    \
         type: awesome_cloud\n    endpoints: {{default: {{url: \"{}\"}}}}\n    authentications: {{default: {{password: x}}}}\n\
         workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 0.05}}}}}}}}\n",
        cloud.url()
    );
    std::fs::write(folder.path().join("settings.yml"), settings).unwrap();
    let mut run = Command::new(program).current_dir(folder.path()).arg("run").spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while cloud.ledger().await.unwrap().events.len() < 50 {
        assert!(Instant::now() < deadline, "nothing happens");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    cloud.heal().await.unwrap();
    let url = Secret::new(format!("sqlite://{}", folder.path().join("catchall.db").display()));
    let place = VmdbSettings { url, schema: "catchall".to_owned() };
    let vmdb = loop {
        if let Ok(vmdb) = Vmdb::open(&place, Access::Worker).await
            && judged(&vmdb, &cloud).await.is_proven()
        {
            break vmdb;
        }
        assert!(Instant::now() < deadline, "it does not settle");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    run.kill().unwrap();
    run.wait().unwrap();
    let tamper = [
        "UPDATE vms SET raw_power_state = 'burning' WHERE ems_id IS NOT NULL",
        "UPDATE event_streams SET work_id = -1 WHERE event_type LIKE 'com.awesome-cloud.vm.%'",
        "INSERT INTO event_streams (ems_id, event_uid, ems_ref, event_type) SELECT ems_id, 'again', ems_ref, 'x' FROM event_streams LIMIT 1",
        "UPDATE event_streams SET folded_count = 1 WHERE id = (SELECT min(id) FROM event_streams)",
        "DELETE FROM event_streams WHERE id = (SELECT max(id) FROM event_streams WHERE event_uid <> 'again')",
    ];
    for sql in tamper {
        vmdb.write(move |connection| connection.execute(sql, &[])).await.unwrap();
    }
    let verdict = judged(&vmdb, &cloud).await;
    assert!(verdict.doubled.iter().any(|found| found.contains("folded")), "{verdict:?}");
    assert!(verdict.parts().iter().all(|(_, found)| !found.is_empty()), "{verdict:?}");
    vmdb.close().await;
}
