//! What a record holds, and ManageIQ's own timeline as it asks.

use crate::filled::{Fresh, on_both};
use crate::house::{House, filled, ids};
use catchall::clock;
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::json;

on_both! {
    manageiqs_timeline_is_answered_as_it_asks
    every_collection_of_the_entry_point_can_be_read_whole_and_record_by_record
    what_is_large_is_sent_when_it_is_asked_for
    related_records_are_sent_within_others
}

async fn manageiqs_timeline_is_answered_as_it_asks(fresh: Fresh) {
    let (fresh, events) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    let (status, _, body) = house.ask(Method::OPTIONS, "/api/event_streams").await;
    assert_eq!(status, StatusCode::OK);
    let options: serde_json::Value = serde_json::from_str(&body).unwrap();
    let timeline = &options["data"]["timeline_events"];
    assert_eq!(timeline["EmsEvent"]["description"], "Management Events");
    let names = json!({"power": "Power Activity", "addition": "Creation/Addition", "other": "Other"});
    assert_eq!(timeline["EmsEvent"]["group_names"], names);
    let levels = json!({"critical": "Critical", "warning": "Warning", "detail": "Detail"});
    assert_eq!(timeline["EmsEvent"]["group_levels"], levels);
    assert_eq!(timeline["MiqEvent"]["description"], "Policy Events");

    let (since, until) = (clock::now() - TimeDelta::days(7), clock::now());
    let iso = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let page = house
        .get(&format!(
            "/api/event_streams?limit=5000&offset=0&expand=resources&attributes=group,group_level,group_name,id,\
             event_type,ems_id,type,timestamp,created_on,host,source,message,vm,ext_management_system\
             &filter[]=ems_id=1&filter[]=type=EmsEvent&filter[]=group=[power,addition]&filter[]=group_level=[critical,detail]\
             &filter[]=timestamp%3E{}&filter[]=timestamp%3C{}",
            iso(since),
            iso(until)
        ))
        .await;
    assert_eq!(ids(&page), [events[0], events[1], events[5], events[6], events[7]]);
    assert_eq!(page["subcount"], 5);
    assert_eq!(page["count"], 9);
    let newest = &page["resources"][0];
    assert_eq!(newest["id"], json!(events[0].to_string()));
    assert_eq!(newest["ems_id"], "1");
    assert_eq!(
        (&newest["group"], &newest["group_level"], &newest["group_name"]),
        (&json!("power"), &json!("critical"), &json!("Power Activity"))
    );
    assert_eq!((&newest["vm"]["id"], &newest["vm"]["name"]), (&json!("11"), &json!("gone")));
    assert_eq!(newest["ext_management_system"]["type"], "ManageIQ::Providers::AwesomeCloud::CloudManager");
    assert!(newest["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(newest.get("vm_name").is_none() && newest.get("host").is_none(), "{newest}");
    assert_eq!(page["resources"][1]["host"]["name"], "host-7");
    house.close().await;
}

async fn every_collection_of_the_entry_point_can_be_read_whole_and_record_by_record(fresh: Fresh) {
    let (fresh, _) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    let entry = house.get("/api").await;
    assert_eq!(entry["version"], env!("CARGO_PKG_VERSION"));
    let mut found = Vec::new();
    for collection in entry["collections"].as_array().unwrap() {
        let href = collection["href"].as_str().unwrap();
        let plain = house.get(href).await;
        assert_eq!(plain["name"], collection["name"]);
        let whole = house.get(&format!("{href}?expand=resources")).await;
        assert_eq!(ids_or_none(&plain), ids_or_none(&whole), "{href}");
        for resource in whole["resources"].as_array().unwrap() {
            let one = house.get(resource["href"].as_str().unwrap()).await;
            assert_eq!(&one, resource, "one record and the same in its collection");
        }
        found.push((collection["name"].as_str().unwrap().to_owned(), whole["subcount"].as_i64().unwrap()));
    }
    let counts = [
        ("event_streams", 9),
        ("vms", 2),
        ("hosts", 2),
        ("providers", 2),
        ("miq_queue", 1),
        ("gaps", 1),
        ("dead_letters", 1),
        ("rules", 0),
    ];
    assert_eq!(found, counts.map(|(name, count)| (name.to_owned(), count)));
    house.close().await;
}

fn ids_or_none(page: &serde_json::Value) -> Vec<i64> {
    if page["name"] == "rules" { Vec::new() } else { ids(page) }
}

async fn what_is_large_is_sent_when_it_is_asked_for(fresh: Fresh) {
    let (fresh, events) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    let letter = &house.get("/api/dead_letters?expand=resources").await["resources"][0];
    assert_eq!(letter["reason"], "no JSON");
    assert!(letter.get("native").is_none(), "{letter}");
    let letter = &house.get("/api/dead_letters?expand=resources&attributes=native").await["resources"][0];
    assert_eq!(letter["native"], "{\"broken\"");
    let path = format!("/api/event_streams/{}", events[0]);
    assert!(house.get(&path).await.get("full_data").is_none());
    assert_eq!(house.get(&format!("{path}?attributes=full_data")).await["full_data"], json!({"a": [1, 2]}));
    house.close().await;
}

async fn related_records_are_sent_within_others(fresh: Fresh) {
    let (fresh, events) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    let path =
        format!("/api/event_streams/{}?attributes=dest_vm,vm.name,ext_management_system.name", events[4]);
    let event = house.get(&path).await;
    assert_eq!(event["dest_vm"]["power_state"], "on");
    assert_eq!(event["vm"], json!({"href": "/api/vms/11", "id": "11", "name": "gone"}));
    let provider = json!({"href": "/api/providers/1", "id": "1", "name": "demo <cloud>"});
    assert_eq!(event["ext_management_system"], provider);
    assert!(event.get("event_type").is_none(), "only what was asked for: {event}");
    let vm = house.get("/api/vms/10?attributes=host,name").await;
    assert_eq!((&vm["host"]["name"], &vm["template"]), (&json!("host-7"), &json!(null)));
    house.close().await;
}
