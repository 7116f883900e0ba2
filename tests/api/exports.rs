//! The exports: whole, in three forms, by the timeline's own query.

use crate::filled::{Event, Fresh, event, on_both};
use crate::house::{House, filled};
use reqwest::{Method, StatusCode};
use serde_json::Value;

on_both! {
    an_export_is_what_the_timeline_shows_in_three_forms
    an_export_of_many_pages_is_whole
}

async fn read(house: &House, path: &str) -> (String, String) {
    let (status, headers, body) = house.ask(Method::GET, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"events."));
    (headers["content-type"].to_str().unwrap().to_owned(), body)
}

async fn an_export_is_what_the_timeline_shows_in_three_forms(fresh: Fresh) {
    let (fresh, events) = filled(fresh).await;
    fresh.event(Event { message: Some("=HYPERLINK(\"x\")"), ..event("vm.stop", 90) }).await;
    fresh.event(event("vm.stop", 25 * 60)).await;
    let house = House::open(&fresh.vmdb);

    let (content_type, text) = read(&house, "/export.csv?level=critical&ems=demo+%3Ccloud%3E").await;
    assert!(content_type.starts_with("text/csv"), "{content_type}");
    let header = csv::Reader::from_reader(text.as_bytes()).headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|header| header == name).unwrap();
    let (id, message, vms) = (at("id"), at("message"), at("vms"));
    let rows: Vec<_> = csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3, "of one EMS, of the last day, critical: {text}");
    assert_eq!((&rows[0][id], &rows[0][vms]), (events[0].to_string().as_str(), "gone"));
    assert_eq!(&rows[2][message], "'=HYPERLINK(\"x\")");

    let (content_type, text) = read(&house, "/export.json").await;
    assert_eq!(content_type, "application/json");
    let array: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (_, lines) = read(&house, "/export.ndjson").await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(array, lines);
    assert_eq!(array.len(), 9);
    assert_eq!(array[0]["group"], "power");
    assert_eq!(read(&house, "/export.json?ems=nobody").await.1.trim(), "[\n]");
    house.close().await;
}

async fn an_export_of_many_pages_is_whole(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let newest = fresh.event(event("a", 1)).await;
    fresh
        .batch(
            "INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp) \
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2200) \
             SELECT 'EmsEvent', 1, 'many-' || n, 'noise', e.timestamp FROM numbers, event_streams AS e",
        )
        .await;
    let house = House::open(&fresh.vmdb);
    let (_, lines) = read(&house, "/export.ndjson").await;
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_i64().unwrap();
    let mut found: Vec<i64> = lines.lines().map(id).collect();
    found.sort_unstable();
    assert_eq!(found, (newest..newest + 2201).collect::<Vec<_>>());
    house.close().await;
}
