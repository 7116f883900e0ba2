//! From the commit of an event to what its rules did: through miq_queue, as the automate worker does it.

use crate::house::{House, text};
use crate::support::{Fresh, batch, event, on_both};
use catchall::automate::delivery;
use catchall::vmdb::{AutomateRequest, Connection, automate_claim, event_commit};

on_both! {
    an_events_rules_call_handlers_and_queue_webhooks_in_the_transaction_of_their_row
    a_rule_that_the_vmdb_refuses_takes_no_other_with_it
    what_a_policy_event_meets_is_done_too_and_comes_to_an_end
}

/// Commits an event of a VM with the rules that it meets, and works on what that queued.
async fn deliver(house: &House, event_type: &str) -> delivery::Written {
    let mut said = event("delivered", event_type);
    said.event.timestamp = catchall::clock::now();
    said.event.vm_ems_ref = text("vm-1");
    let mut batches = batch(vec![said]);
    let rules = house.automation.rules.candidates("demo cloud", &batches.events[0].event.event);
    batches.events[0].automate = AutomateRequest { rules, ..AutomateRequest::default() };
    house.fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[batches])).await.unwrap();
    let automation = house.automation.clone();
    let work = move |connection: &mut Connection| {
        let works = automate_claim::claim(connection, 1, 10)?;
        assert_eq!(works.len(), 1);
        let delivery = delivery::of(&works[0], automation, "demo cloud".to_owned());
        delivery::deliver(connection, &delivery, &works[0])
    };
    house.fresh.write(work).await
}

async fn an_events_rules_call_handlers_and_queue_webhooks_in_the_transaction_of_their_row(fresh: Fresh) {
    let rules = "
webhooks: {ops: {url: http://example.com}}
rules:
  all:
    on: {event_types: [X]}
    when: vm.name == 'prod-1'
    do:
      - change_event_target_state: {target: src_vm, param: suspended}
      - webhook: ops
      - cloudevents: ops
      - log: {level: warn, message: \"{vm.name}\"}
";
    let house = House::new(fresh, rules).await;
    let written = deliver(&house, "X").await;
    assert!(written.fired.webhooks);
    assert_eq!(written.fired.lines.len(), 1);
    let counts = [
        ("SELECT count(*) FROM miq_queue WHERE queue_name = 'generic'", 0),
        ("SELECT count(*) FROM miq_queue WHERE queue_name = 'webhooks' AND state = 'ready'", 2),
        (
            "SELECT count(*) FROM event_actions WHERE kind = 'rule' AND name = 'all' AND state = 'done' AND event_id = 1",
            1,
        ),
        (
            "SELECT count(*) FROM event_actions WHERE kind = 'webhook' AND rule = 'all' AND state = 'waiting'",
            2,
        ),
        (
            "SELECT count(*) FROM event_actions WHERE kind = 'log' AND rule = 'all' AND reason = 'rule all: prod-1'",
            1,
        ),
        ("SELECT count(*) FROM event_actions WHERE kind = 'handler' AND rule = 'all' AND state = 'done'", 1),
        ("SELECT count(*) FROM vms WHERE id = 1 AND raw_power_state = 'suspended'", 1),
    ];
    for (sql, count) in counts {
        assert_eq!(house.fresh.count(sql).await, count, "{sql}");
    }
}

async fn a_rule_that_the_vmdb_refuses_takes_no_other_with_it(fresh: Fresh) {
    let rules = "
webhooks: {a: {url: http://example.com}, b: {url: http://example.com}, c: {url: http://example.com}}
rules:
  first: {on: {event_types: [X]}, do: [webhook: a]}
  second: {on: {event_types: [X]}, do: [webhook: b, webhook: a]}
  third: {on: {event_types: [X]}, do: [webhook: c]}
";
    let house = House::new(fresh, rules).await;
    let index = "CREATE UNIQUE INDEX one_of_each ON miq_queue (tracking_label) WHERE queue_name = 'webhooks'";
    house.fresh.write(move |c| c.batch(index)).await;
    let written = deliver(&house, "X").await;
    assert!(written.fired.webhooks);
    let rows = |sql: &'static str| {
        house.fresh.write(move |c| {
            let rows = c.rows(sql, &[])?;
            Ok(rows.iter().filter_map(|row| row.string(0)).collect::<Vec<_>>())
        })
    };
    assert_eq!(rows("SELECT tracking_label FROM miq_queue ORDER BY id").await, ["a", "c"]);
    let done = "SELECT name FROM event_actions WHERE kind = 'rule' AND state = 'done' ORDER BY id";
    assert_eq!(rows(done).await, ["first", "third"]);
    let failed = "SELECT name FROM event_actions WHERE kind = 'rule' AND state = 'failed'";
    assert_eq!(rows(failed).await, ["second"]);
}

async fn what_a_policy_event_meets_is_done_too_and_comes_to_an_end(fresh: Fresh) {
    let rules = "
rules:
  raises: {on: {event_types: [X]}, do: [event_action_policy: {target: src_vm, policy_event: vm_poweroff}]}
  again: {on: {sources: [POLICY]}, do: [event_action_policy: {target: src_vm, policy_event: vm_poweroff}, log: \"{vm.name}\"]}
";
    let house = House::new(fresh, rules).await;
    let written = deliver(&house, "X").await;
    assert!(!written.fired.lines.is_empty() && written.fired.lines.len() < 5, "{written:?}");
    assert!(written.fired.lines.iter().all(|(_, line)| line == "rule again: prod-1"), "{written:?}");
}
