//! Policy events: `event_action_policy`, and what policy events do themselves.

use crate::support::{House, about_nothing, asking, call, event, on_both, switchboard};

on_both! {
    a_policy_event_is_an_event_of_its_own_about_the_record
    the_source_may_be_what_the_record_belongs_to
    what_is_not_there_is_skipped_and_what_is_not_known_fails
    many_events_raise_their_policy_events_together
    a_policy_event_has_calls_of_its_own_but_not_for_ever
    what_a_policy_prevented_is_not_done
}

const POLICY: &str = "event_action_policy?target=src_vm&policy_event=vm_start&param=";

async fn a_policy_event_is_an_event_of_its_own_about_the_record(house: House) {
    house.happen(event("a", "vm.started"), vec![call(POLICY)]).await;
    let rows = house
        .rows(
            "SELECT event_uid, event_type, source, target_type, target_id, ems_id, generating_ems_id, message \
             FROM event_streams WHERE type = 'MiqEvent'",
        )
        .await;
    assert_eq!(
        rows,
        [
            "policy:1:1 vm_start POLICY VmOrTemplate 21 - 1 vm_start: VmOrTemplate web, since vm.started (event 1)"
        ]
    );
    let data = house.rows("SELECT full_data FROM event_streams WHERE type = 'MiqEvent'").await;
    let data: serde_json::Value = serde_json::from_str(&data[0]).unwrap();
    let source = serde_json::json!({"type": "ExtManagementSystem", "id": 1});
    assert_eq!(data, serde_json::json!({"source_event_id": 1, "policy_source": source}));
    let actions = house.rows("SELECT event_id, ems_id, kind, name, state, params FROM event_actions").await;
    let params = r#"{"miq_event_id":2,"param":"","policy_event":"vm_start","target":"src_vm"}"#;
    assert_eq!(
        actions,
        [
            format!("1 1 handler event_action_policy done {params}"),
            "2 1 handler event_enforce_policy done -".to_owned()
        ]
    );
    assert_eq!(house.rows("SELECT count(*) FROM miq_queue").await, ["0"], "the row is done");
    assert_eq!(
        house.handling.observe.ems("tiny").actions.all(),
        [(("handler".to_owned(), "done".to_owned()), 2)]
    );
}

async fn the_source_may_be_what_the_record_belongs_to(house: House) {
    let with =
        |param: &str| vec![call(&format!("event_action_policy?target=src_vm&policy_event=p&param={param}"))];
    house.happen(event("a", "x"), with("host")).await;
    let data = house.rows("SELECT full_data FROM event_streams WHERE type = 'MiqEvent'").await;
    assert!(data[0].contains(r#""policy_source":{"id":11,"type":"Host"}"#), "{data:?}");
    house.happen(event("b", "x"), with("ems_cluster")).await;
    house.happen(event("c", "x"), with("moon")).await;
    let actions = house.actions().await;
    assert_eq!(
        actions[1],
        "event_action_policy skipped its ems_cluster, whose policies are asked, is not known"
    );
    assert_eq!(actions[2], "event_action_policy failed a VM has no \"moon\" to take policies from");
}

async fn what_is_not_there_is_skipped_and_what_is_not_known_fails(house: House) {
    let of = |query: &str| vec![call(&format!("event_action_policy?{query}"))];
    house.happen(about_nothing("a", "x"), of("target=src_vm&policy_event=p")).await;
    house.happen(event("b", "x"), of("target=nobody&policy_event=p")).await;
    house.happen(event("c", "x"), of("target=src_vm&policy_event=")).await;
    house.happen(event("d", "as.it.is"), of("target=src_host")).await;
    assert_eq!(
        house.actions().await,
        [
            "event_action_policy skipped the event's src_vm is not in inventory",
            "event_action_policy failed no target is called \"nobody\"",
            "event_action_policy skipped policy_event is empty, and ManageIQ knows no such policy event",
            "event_action_policy done -",
        ]
    );
    let raised = "SELECT event_type, target_type, target_id FROM event_streams WHERE type = 'MiqEvent'";
    assert_eq!(house.rows(raised).await, ["as.it.is Host 11"]);
}

async fn many_events_raise_their_policy_events_together(house: House) {
    let events = (0..300).map(|n| asking(event(&format!("e{n}"), "x"), vec![call(POLICY), call(POLICY)]));
    house.commit(events.collect()).await;
    assert_eq!(house.work().await, 1);
    let count = "SELECT count(*), count(DISTINCT event_uid) FROM event_streams WHERE type = 'MiqEvent'";
    assert_eq!(house.rows(count).await, ["600 600"]);
    assert_eq!(house.rows("SELECT count(*) FROM event_actions WHERE state = 'done'").await, ["1200"]);
}

async fn a_policy_event_has_calls_of_its_own_but_not_for_ever(house: House) {
    let again = "/System/event_handlers/event_enforce_policy \
                 /System/event_handlers/event_action_policy?target=target&policy_event=vm_start&param=";
    house.automate(|automation| {
        automation.switchboard = switchboard(&[("MiqEvent/POLICY", "vm_start", again)])
    });
    house.happen(event("a", "x"), vec![call(POLICY), call("event_enforce_policy")]).await;
    let raised = "SELECT event_uid, target_id FROM event_streams WHERE type = 'MiqEvent' ORDER BY id";
    assert_eq!(house.rows(raised).await, ["policy:1:1 21", "policy:2:2 21", "policy:3:2 21"]);
    let actions = house.rows("SELECT event_id, name, state FROM event_actions ORDER BY id").await;
    assert_eq!(
        actions,
        [
            "1 event_action_policy done",
            "1 event_enforce_policy skipped",
            "2 event_enforce_policy done",
            "2 event_action_policy done",
            "3 event_enforce_policy done",
            "3 event_action_policy done",
            "4 event_enforce_policy done",
            "4 event_action_policy skipped",
        ]
    );
}

async fn what_a_policy_prevented_is_not_done(house: House) {
    let sql = "INSERT INTO event_streams (type, event_type, source, event_uid, timestamp, generating_ems_id, target_type, \
               target_id, full_data) VALUES ('MiqEvent', 'request_vm_retire', 'POLICY', 'policy:0:1', \
               '2026-11-24 11:00:00', 1, 'VmOrTemplate', 21, '{\"policy\": {\"prevented\": true}}')";
    house.write(move |c| c.execute(sql, &[])).await;
    let args = serde_json::json!([{"event_id": 1, "calls": [
        {"uri": "/System/event_handlers/check_policy_prevent", "params": {}},
        {"uri": "/System/event_handlers/src_vm_destroy_all_snapshots", "params": {}},
    ]}]);
    let sql = format!(
        "INSERT INTO miq_queue (queue_name, class_name, state, target_id, args) \
         VALUES ('generic', 'MiqAeEngine', 'ready', 1, '{args}')"
    );
    house.write(move |c| c.execute(&sql, &[])).await;
    assert_eq!(house.work().await, 1);
    assert_eq!(
        house.actions().await,
        [
            "check_policy_prevent done a policy prevented it",
            "src_vm_destroy_all_snapshots skipped a policy prevented what comes after check_policy_prevent",
        ]
    );
}
