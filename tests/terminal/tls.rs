//! Commands reach a Catchall that speaks HTTPS, also after its certificate was renewed and SIGHUP told it so.

use crate::house::House;
use crate::process::eventually;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

fn with_certificate(house: &House, certificate: &str, key: &str) {
    for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
        std::fs::copy(data(from), house.path().join(to)).unwrap();
    }
}

fn asks_over_tls(house: &House) {
    eventually("status hears the process", || {
        let told: Value = serde_json::from_str(&house.printed(&["status", "--json"])).unwrap();
        if told["told_by"] == "process" { Ok(()) } else { Err(told.to_string()) }
    });
    let healthy = house.output(&["healthcheck"]);
    assert!(healthy.status.success(), "{healthy:?}");
}

#[test]
fn commands_speak_https_and_a_renewed_certificate_is_shown_after_sighup() {
    let house = House::on_sqlite();
    let settings = house.path().join("settings.yml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let tls = "token: only-for-us, tls: {certificate: server.crt, key: server.key}";
    std::fs::write(&settings, text.replace("token: only-for-us", tls)).unwrap();
    with_certificate(&house, "server.crt", "server.key");
    let mut catchall = house.run_until_stored(2);
    asks_over_tls(&house);

    with_certificate(&house, "renewed.crt", "renewed.key");
    let early = house.printed(&["status"]);
    assert!(early.starts_with("Told by the VMDB alone"), "the process shows the old one still: {early}");
    catchall.signal("HUP");
    asks_over_tls(&house);
    assert!(catchall.terminate().success());
}
