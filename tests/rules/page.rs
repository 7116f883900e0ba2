//! The worked rules of docs/rules.md, read out of the page, do what the page says.

use crate::house::{Did, House, full_data, text, try_settings};
use crate::support::{Fresh, on_both};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

const PAGE: &str = include_str!("../../docs/rules.md");
const STOP: &str = "com.awesome-cloud.vm.stop";

on_both! {
    a_production_vm_that_goes_down_unplanned_is_told
    a_vm_that_goes_down_raises_a_policy_event
    critical_events_are_logged_at_most_twice
    one_outage_is_one_alarm
    power_events_of_one_ems_go_to_the_bus
    failures_are_found_whatever_they_are_called
    who_works_at_night_is_logged
    tags_in_the_native_event_find_their_team
    where_a_vm_went_is_refreshed
    a_policy_event_meets_rules
}

/// The settings below the heading that begins with `### number.`
fn worked(number: usize) -> String {
    let section = PAGE.split("\n### ").find(|section| section.starts_with(&format!("{number}. ")));
    section.and_then(yaml).unwrap_or_else(|| panic!("the page has no worked rule {number}"))
}

fn yaml(section: &str) -> Option<String> {
    Some(section.split_once("```yaml\n")?.1.split_once("```")?.0.to_owned())
}

#[test]
fn every_block_of_settings_on_the_page_is_good_and_there_are_ten_worked_rules() {
    let blocks: Vec<String> = PAGE.split("\n#").filter_map(yaml).collect();
    assert_eq!(blocks.len(), 11);
    for block in blocks {
        try_settings(&block).unwrap_or_else(|errors| panic!("{errors}\n{block}"));
    }
}

async fn a_production_vm_that_goes_down_unplanned_is_told(fresh: Fresh) {
    let house = House::new(fresh, &worked(1)).await;
    let did = house.event(STOP, |event| event.vm_ems_ref = text("vm-1")).await;
    assert_eq!(
        (did.rules, did.webhooks),
        (vec!["production-vm-down done".to_owned()], vec!["webhook ops".to_owned()])
    );
    let planned = |event: &mut catchall::provider::EmsEvent| {
        event.vm_ems_ref = text("vm-1");
        event.full_data = full_data(&json!({"reason": "planned"}));
    };
    assert_eq!(house.event(STOP, planned).await, Did::default());
    assert_eq!(house.event(STOP, |event| event.vm_ems_ref = text("vm-2")).await, Did::default());
    let unknown = house.event(STOP, |event| event.vm_ems_ref = text("vm-9")).await;
    assert_eq!(unknown.rules, ["production-vm-down skipped"]);
    assert_eq!(unknown.reasons, ["its condition cannot be told: there is no name"]);
    assert_eq!(
        house.event("com.awesome-cloud.vm.start", |event| event.vm_ems_ref = text("vm-1")).await,
        Did::default()
    );
}

async fn a_vm_that_goes_down_raises_a_policy_event(fresh: Fresh) {
    let house = House::new(fresh, &worked(2)).await;
    let did = house.event(STOP, |event| event.vm_ems_ref = text("vm-1")).await;
    let call =
        r#"/System/event_handlers/event_action_policy {"policy_event": "vm_poweroff", "target": "src_vm"}"#;
    assert_eq!(did.calls, [call]);
}

async fn critical_events_are_logged_at_most_twice(fresh: Fresh) {
    let house = House::new(fresh, &worked(3)).await;
    let did = house.event(STOP, |event| event.vm_ems_ref = text("vm-1")).await;
    assert_eq!(did.lines, [format!("error rule critical: demo cloud: {STOP} prod-1")]);
    assert_eq!(house.event(STOP, |_| {}).await.rules, ["critical done"]);
    let third = house.event(STOP, |_| {}).await;
    assert_eq!((third.rules, third.lines), (vec!["critical suppressed".to_owned()], vec![]));
    assert_eq!(third.reasons, ["it fired 2 times within 10.minutes, at most 2 are wanted"]);
    assert_eq!(house.event("com.awesome-cloud.login", |_| {}).await, Did::default(), "it is a detail");
    house.age(TimeDelta::minutes(11)).await;
    assert_eq!(house.event(STOP, |_| {}).await.rules, ["critical done"]);
}

async fn one_outage_is_one_alarm(fresh: Fresh) {
    let house = House::new(fresh, &worked(4)).await;
    let on =
        |host: &'static str| move |event: &mut catchall::provider::EmsEvent| event.host_ems_ref = text(host);
    assert_eq!(house.event(STOP, on("host-1")).await.webhooks, ["webhook ops"]);
    let second = house.event(STOP, on("host-1")).await;
    assert_eq!((second.rules, second.webhooks), (vec!["host-outage grouped".to_owned()], vec![]));
    assert_eq!(
        house.event(STOP, on("host-2")).await.rules,
        ["host-outage done"],
        "another host is another outage"
    );
    assert_eq!(
        house.event("com.awesome-cloud.host.maintenance", on("host-1")).await.rules,
        ["host-outage grouped"]
    );
    house.age(TimeDelta::seconds(31)).await;
    let next = house.event(STOP, on("host-1")).await;
    assert_eq!(next.webhooks, ["webhook ops"]);
    assert_eq!(next.params, [json!({"grouped": 2, "suppressed": 0})], "it tells what was folded meanwhile");
}

async fn power_events_of_one_ems_go_to_the_bus(fresh: Fresh) {
    let house = House::new(fresh, &worked(5)).await;
    assert_eq!(house.event(STOP, |_| {}).await.webhooks, ["cloudevents bus"]);
    assert_eq!(house.event("com.awesome-cloud.vm.create", |_| {}).await, Did::default());
    let other = house.automation.rules.candidates_of("other cloud", "AWESOME_CLOUD", STOP);
    assert!(other.is_empty());
}

async fn failures_are_found_whatever_they_are_called(fresh: Fresh) {
    let house = House::new(fresh, &worked(6)).await;
    for event_type in ["UpgradeFailed", "disk.failure", "MIGRATION_FAIL", "some.error"] {
        let did = house.event(event_type, |event| event.message = text("out of space")).await;
        assert_eq!(did.lines, [format!("warn rule failures: {event_type}: out of space")]);
    }
    assert_eq!(house.event("error.cleared", |_| {}).await, Did::default());
}

async fn who_works_at_night_is_logged(fresh: Fresh) {
    let house = House::new(fresh, &worked(7)).await;
    let at = |time: &'static str, who: &'static str| {
        move |event: &mut catchall::provider::EmsEvent| {
            event.timestamp = time.parse::<DateTime<Utc>>().unwrap();
            event.username = text(who);
        }
    };
    let did = house.event(STOP, at("2026-11-24T03:00:00Z", "joe")).await;
    assert_eq!(did.lines, [format!("info rule at-night: joe at 2026-11-24T03:00:00.000000Z: {STOP}")]);
    assert_eq!(house.event(STOP, at("2026-11-24T12:00:00Z", "joe")).await, Did::default());
    assert_eq!(house.event(STOP, at("2026-11-24T23:00:00Z", "scheduler")).await, Did::default());
}

async fn tags_in_the_native_event_find_their_team(fresh: Fresh) {
    let house = House::new(fresh, &worked(8)).await;
    let tagged = |team: &'static str| {
        move |event: &mut catchall::provider::EmsEvent| {
            event.full_data = full_data(
                &json!({"tags": [{"key": "env", "value": "prod"}, {"key": "team", "value": team}]}),
            );
        }
    };
    assert_eq!(house.event("anything", tagged("db")).await.webhooks, ["webhook database-team"]);
    assert_eq!(house.event("anything", tagged("web")).await, Did::default());
    assert_eq!(
        house.event("anything", |_| {}).await.reasons,
        ["its condition cannot be told: there is no tags"]
    );
}

async fn where_a_vm_went_is_refreshed(fresh: Fresh) {
    let house = House::new(fresh, &worked(9)).await;
    let moved = |to: &'static str| {
        move |event: &mut catchall::provider::EmsEvent| {
            (event.host_ems_ref, event.dest_host_ems_ref) = (text("host-1"), text(to));
        }
    };
    let did = house.event("com.awesome-cloud.vm.migrate", moved("host-2")).await;
    assert_eq!(did.calls, [r#"/System/event_handlers/event_action_refresh {"target": "dest_host"}"#]);
    assert_eq!(house.event("com.awesome-cloud.vm.migrate", moved("host-1")).await, Did::default());
}

async fn a_policy_event_meets_rules(fresh: Fresh) {
    let house = House::new(fresh, &worked(10)).await;
    let insert = |connection: &mut catchall::vmdb::Connection| {
        connection.batch(
            "INSERT INTO event_streams (id, event_uid, type, event_type, source, timestamp, created_on, target_type, \
             target_id, generating_ems_id) VALUES (900, 'policy:1:1', 'MiqEvent', 'vm_poweroff', 'POLICY', \
             '2026-11-24 10:00:00', '2026-11-24 10:00:00', 'VmOrTemplate', 1, 1)",
        )
    };
    house.fresh.write(insert).await;
    let rules = house.automation.rules.candidates_of("demo cloud", "POLICY", "vm_poweroff");
    assert_eq!(house.fire(900, rules).await.lines, ["info rule enforced: a policy event about prod-1"]);
    assert!(house.automation.rules.candidates_of("demo cloud", "AWESOME_CLOUD", "vm_poweroff").is_empty());
}
