//! Limits, ages and changed settings on a real VMDB.

use crate::house::{House, automation, text};
use crate::support::{Fresh, on_both};
use chrono::{TimeDelta, Utc};

on_both! {
    an_old_event_fires_no_webhook_and_the_trace_says_so
    limits_outlive_the_process_and_new_settings
    a_rule_that_left_the_settings_is_skipped
    every_column_that_a_condition_may_name_can_be_read
}

const BOTH: &str = "
webhooks: {ops: {url: http://example.com}}
rules:
  both: {on: {event_types: [X]}, do: [webhook: ops, log: seen]}
  only: {on: {event_types: [X]}, do: [cloudevents: ops]}
";

async fn an_old_event_fires_no_webhook_and_the_trace_says_so(fresh: Fresh) {
    let house = House::new(fresh, BOTH).await;
    let did = house.event("X", |event| event.timestamp = Utc::now() - TimeDelta::hours(3)).await;
    assert_eq!(did.rules, ["both done", "only skipped"]);
    assert!(did.webhooks.is_empty() && did.lines == ["info rule both: seen"], "{did:?}");
    assert!(did.reasons[1].contains("max_action_age is 60 min"), "{did:?}");
    let sql = "SELECT count(*) FROM event_actions WHERE kind = 'webhook' AND name = 'ops' AND rule = 'both' \
               AND state = 'skipped' AND reason LIKE '%max_action_age%'";
    assert_eq!(house.fresh.count(sql).await, 1);
    assert_eq!(house.event("X", |_| {}).await.webhooks, ["webhook ops", "cloudevents ops"]);
}

async fn limits_outlive_the_process_and_new_settings(fresh: Fresh) {
    let rule =
        |more: &str| format!("rules: {{limited: {{on: {{event_types: [X]}}, do: [log: seen], {more}}}}}");
    let mut house = House::new(fresh, &rule("at_most: 1 per 1.hours by vm")).await;
    let of = |vm: &'static str| move |event: &mut catchall::provider::EmsEvent| event.vm_ems_ref = text(vm);
    assert_eq!(house.event("X", of("vm-1")).await.rules, ["limited done"]);
    // Nothing is kept but the VMDB: another automation knows as much as the one before.
    house.automation = automation(&rule("at_most: 1 per 2.hours by vm"));
    assert_eq!(house.event("X", of("vm-1")).await.rules, ["limited suppressed"]);
    assert_eq!(house.event("X", of("vm-2")).await.rules, ["limited done"]);
    house.automation = automation(&rule("at_most: 2 per 2.hours by vm"));
    assert_eq!(house.event("X", of("vm-1")).await.rules, ["limited done"]);
    let told = "SELECT count(*) FROM event_actions WHERE params = '{\"grouped\":0,\"suppressed\":1}' AND limit_key = 'vm=1'";
    assert_eq!(house.fresh.count(told).await, 1);
}

async fn a_rule_that_left_the_settings_is_skipped(fresh: Fresh) {
    let mut house = House::new(fresh, BOTH).await;
    house.event("X", |_| {}).await;
    house.automation = automation("rules: {both: {on: {event_types: [X]}, do: [log: seen], enabled: false}}");
    let did = house.fire(1, vec!["both".to_owned(), "only".to_owned()]).await;
    assert_eq!(did.rules[2..], ["both skipped", "only skipped"]);
    assert!(did.reasons[3].contains("no longer in the settings"), "{did:?}");
}

async fn every_column_that_a_condition_may_name_can_be_read(fresh: Fresh) {
    let columns = [
        ("event", catchall::rules::EVENT_COLUMNS),
        ("vm", catchall::rules::VM_COLUMNS),
        ("host", catchall::rules::HOST_COLUMNS),
        ("ems", &["id", "name", "type", "zone", "provider_region", "enabled"]),
    ];
    let asks: Vec<String> = columns
        .iter()
        .flat_map(|(section, names)| names.iter().map(move |name| format!("has({section}.{name})")))
        .collect();
    let rule = |(at, half): (usize, &[String])| {
        format!(
            "  all-{at}: {{on: {{event_types: [X]}}, when: \"{}\", do: [log: seen]}}\n",
            half.join(" || ")
        )
    };
    let rules: String = asks.chunks(40).enumerate().map(rule).collect();
    let house = House::new(fresh, &format!("rules:\n{rules}")).await;
    let did = house
        .event("X", |event| (event.vm_ems_ref, event.host_ems_ref) = (text("vm-1"), text("host-1")))
        .await;
    assert_eq!(did.rules.len(), asks.chunks(40).len(), "{did:?}");
    assert!(did.rules.iter().all(|rule| rule.ends_with("done")), "{did:?}");
}
