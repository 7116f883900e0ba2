//! `catchall status` beside a running Catchall, and without one.

use crate::house::House;
use crate::process::eventually;
use serde_json::Value;

#[test]
fn status_asks_the_process_that_runs_and_the_vmdb_once_it_is_gone() {
    asks_the_process_that_runs(&House::on_sqlite());
}

#[test]
fn status_asks_the_process_that_runs_on_postgresql() {
    if let Some(house) = House::on_postgres("terminal_status") {
        asks_the_process_that_runs(&house);
    }
}

fn asks_the_process_that_runs(house: &House) {
    let mut catchall = house.run_until_stored(5);
    let told = eventually("the event catcher runs", || {
        let told: Value = serde_json::from_str(&house.printed(&["status", "--json"])).unwrap();
        let ems = &told["ems"][0];
        let runs = told["told_by"] == "process" && ems["state"] == "running" && ems["events_total"] == 5;
        if runs { Ok(told) } else { Err(told.to_string()) }
    });
    assert_eq!(told["ems"][0]["name"], "demo cloud");
    assert_eq!(told["ems"][0]["restarts"], 0);
    assert_eq!(told["ems"][0]["events_of_last_day"], 5);
    let memory = told["process"]["resident_memory_bytes"].as_u64();
    assert!(memory > Some(1 << 20), "{told}");
    assert!(told["actors"].as_array().unwrap().iter().any(|actor| actor["actor"] == "stream"), "{told}");
    let text = house.printed(&["status"]);
    assert!(text.starts_with(concat!("Catchall ", env!("CARGO_PKG_VERSION"), " runs, for ")), "{text}");
    assert!(text.contains("1 EMS: 1 running\n") && !text.contains('\u{1b}'), "{text}");

    let wrong = house.output(&["status", "--settings", "other.yml"]);
    assert_eq!(wrong.status.code(), Some(78));
    std::fs::write(house.path().join("other.yml"), "http: {token: another}\n").unwrap();
    let other = house.printed(&["status", "--settings", "other.yml"]);
    assert!(other.contains("has another http.token than these settings"), "{other}");
    assert!(!other.contains("only-for-us") && !other.contains("another\""), "{other}");

    assert!(catchall.terminate().success());
    let alone = house.printed(&["status"]);
    assert!(alone.starts_with("Told by the VMDB alone: no Catchall answers at 127.0.0.1:"), "{alone}");
    assert!(alone.contains("1 EMS: 1 enabled\n"), "{alone}");
}
