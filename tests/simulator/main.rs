//! The simulated cloud itself, over HTTP: what each kind of fault does to who asks, and what the cloud tells a judge.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "../support/cloud.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod cloud;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod process;
#[path = "../support/vmdb_rows.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod vmdb_rows;

mod judge;
mod street;
mod wire;

use catchall::simulator::{FaultKind, Faults, Simulator, SimulatorOptions, start};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use wire::{Wire, ask};

async fn cloud(faults: Faults) -> Simulator {
    catchall::provider::http::install_crypto_provider();
    start(SimulatorOptions { faults, epoch: Some("e".into()), ..SimulatorOptions::default() }).await.unwrap()
}

async fn told(cloud: &Simulator, what: &str) -> Value {
    let text =
        reqwest::get(format!("{}/v1/_simulator/{what}", cloud.url())).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn post(cloud: &Simulator, what: &str, body: &Value) {
    let request = reqwest::Client::new().post(format!("{}/v1/_simulator/{what}", cloud.url())).json(body);
    assert_eq!(request.send().await.unwrap().status(), 204, "{what} {body}");
}

fn ids(list: &Value) -> BTreeSet<String> {
    let id = |item: &Value| item.as_str().or(item["id"].as_str()).unwrap().to_owned();
    list.as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn each_kind_of_fault_that_is_on_alone_shows_at_the_wire_and_in_the_statistics() {
    for kind in FaultKind::ALL {
        let faults =
            Faults { hang_seconds: 0.4, drip_seconds: 0.4, late_seconds: 0.4, ..Faults::of(&[kind], 3) };
        let cloud = cloud(faults).await;
        let mut wire = Wire::default();
        for _ in 0..60 {
            cloud.happen(20);
            wire.read_events(&cloud.url()).await;
            wire.read_vms(&cloud.url()).await;
            if wire.shows(kind) {
                break;
            }
        }
        assert!(wire.shows(kind), "{kind} does not show: {wire:?}");
        let stats = told(&cloud, "stats").await;
        assert!(stats["faults_met"][kind.name()].as_u64() > Some(0), "{kind}: {stats}");
        let met: Vec<_> = stats["faults_met"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(met, [kind.name()], "nothing else goes wrong");
    }
}

#[tokio::test]
async fn the_same_seed_draws_the_same_faults_in_the_same_order() {
    let kinds = [FaultKind::ServerErrors, FaultKind::Throttled, FaultKind::Unauthorized, FaultKind::NotJson];
    let mut stories = Vec::new();
    for seed in [5, 5, 6] {
        let cloud = cloud(Faults::of(&kinds, seed)).await;
        let mut story = Vec::new();
        for _ in 0..120 {
            let answer = ask(&format!("{}/v1/events", cloud.url())).await;
            story.push((answer.status, answer.body.starts_with(b"<html>")));
        }
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1]);
    assert_ne!(stories[0], stories[2]);
}

#[tokio::test]
async fn empty_faults_heal_everything_but_a_clock_that_was_drawn_does_not_jump_back() {
    let cloud = cloud(Faults { hang_seconds: 0.1, ..Faults::of(&FaultKind::ALL, 9) }).await;
    cloud.happen(50);
    let away = cloud.with(|cloud| cloud.now());
    post(&cloud, "faults", &json!({})).await;
    let kept = cloud.with(|cloud| cloud.now());
    assert!((kept - away).num_seconds().abs() < 20, "the clock jumped from {away} to {kept}");
    for _ in 0..40 {
        let answer = ask(&format!("{}/v1/events?limit=7", cloud.url())).await;
        assert_eq!((answer.status, answer.is_json()), (Some(200), true), "{:?}", answer.error);
    }
}

#[tokio::test]
async fn the_ledger_holds_what_was_ever_visible_and_says_what_is_gone() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(10);
    let first = told(&cloud, "ledger").await;
    assert_eq!(first["events"].as_array().unwrap().len(), 10);
    // These are forgotten before they are visible: they never were.
    cloud.set_faults(Faults { late_share: 1.0, late_seconds: 120.0, ..Faults::default() });
    cloud.happen(5);
    assert_eq!(told(&cloud, "ledger").await["hidden"], 5);
    cloud.set_faults(Faults { history_lost_share: 1.0, ..Faults::default() });
    cloud.happen(1);
    let ledger = told(&cloud, "ledger").await;
    assert_eq!(ids(&ledger["gone"]), ids(&first["events"]));
    assert!(ids(&ledger["events"]).is_superset(&ids(&first["events"])));
    assert_eq!((ids(&ledger["events"]).len(), &ledger["hidden"]), (11, &json!(0)));
    let answer = ask(&format!("{}/v1/events?since=2000-01-01T00:00:00Z", cloud.url())).await;
    assert_eq!(answer.status, Some(410));
}

#[tokio::test]
async fn the_inventory_is_told_as_it_is_whatever_goes_wrong_and_the_rate_can_be_set() {
    let cloud = cloud(Faults::of(&[FaultKind::ServerErrors, FaultKind::HalfOpen], 1)).await;
    let before = told(&cloud, "inventory").await;
    assert_eq!(before["vms"].as_array().unwrap().len(), 20);
    cloud.with(|cloud| cloud.world.delete("vm-3"));
    for _ in 0..30 {
        let inventory = told(&cloud, "inventory").await;
        assert_eq!(ids(&before["vms"]).difference(&ids(&inventory["vms"])).collect::<Vec<_>>(), ["vm-3"]);
        assert_eq!(ids(&inventory["flavors"]).len(), 3);
    }
    post(&cloud, "rate", &json!({"rate": 500.0})).await;
    let begun = std::time::Instant::now();
    while told(&cloud, "ledger").await["events"].as_array().unwrap().len() < 50 {
        assert!(begun.elapsed().as_secs() < 20, "nothing happens");
    }
    post(&cloud, "rate", &json!({"rate": 0.0})).await;
}

#[test]
fn a_slip_in_the_menu_of_the_command_line_is_told_the_nearest_name() {
    let command = |faults: &str| {
        Command::new(env!("CARGO_BIN_EXE_catchall"))
            .args(["simulate", "awesome-cloud", "--listen", "127.0.0.1:0", "--faults", faults])
            .output()
            .unwrap()
    };
    let output = command("late,half-opne");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no fault \"half-opne\"; did you mean \"half-open\"?"), "{said}");
}
