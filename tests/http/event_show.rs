//! The story of an event as `catchall events show` tells it, on both databases.

use crate::filled::{Event, Fresh, event, on_both};
use catchall::cli::event_show::{self, EventShowError};
use catchall::providers::PROVIDERS;
use catchall::switchboard::{Switchboard, builtin_domain};
use serde_json::Value;

on_both! {
    a_story_tells_what_was_named_done_queued_refreshed_and_what_followed
    an_event_that_several_ems_have_is_asked_for_by_its_id
}

fn switchboard() -> Switchboard {
    Switchboard::load(builtin_domain(PROVIDERS), &[]).unwrap().0
}

async fn told(fresh: &Fresh, asked: String) -> (String, Value) {
    let switchboard = switchboard();
    let told = fresh.vmdb.read(move |connection| {
        let story = event_show::read(connection, &asked).unwrap();
        Ok((event_show::text(&story, &switchboard), event_show::json(&story, &switchboard)))
    });
    let (text, json) = told.await.unwrap();
    (text, serde_json::from_str(&json).unwrap())
}

async fn a_story_tells_what_was_named_done_queued_refreshed_and_what_followed(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let stop = Event { vm: Some(10), message: Some("a\u{1b}[2J"), work_id: Some(5), ..event("vm.stop", 5) };
    assert_eq!(fresh.event(stop).await, 1);
    fresh
        .batch(
            "UPDATE event_streams SET source = 'AWESOME_CLOUD', event_type = 'com.awesome-cloud.vm.stop', chain_id = 7, \
             host_name = 'node-9', vm_ems_ref = 'vm-10', dest_vm_ems_ref = 'vm-99', full_data = '{\"id\":\"x\"}', timestamp = '2026-11-24 10:00:00', \
             created_on = '2026-11-24 10:00:02.5' WHERE id = 1; \
             INSERT INTO event_links (event_id, ems_id, relation, manager_key, manager_ref) \
             VALUES (1, 1, 'host', 'ems_ref', 'h-9'), (2, 1, 'host', 'ems_ref', 'h-10'); \
             INSERT INTO event_actions (ems_id, event_id, kind, name, rule, params, state, reason, attempts, requested_on, \
             finished_on) VALUES (1, 1, 'rule', 'tell', 'tell', NULL, 'suppressed', 'at most 1 per minute', 0, \
             '2026-11-24 10:00:03', NULL), (1, 1, 'webhook', 'chat', 'tell', '{}', 'done', NULL, 2, \
             '2026-11-24 10:00:03', '2026-11-24 10:00:05'), \
             (1, 2, 'webhook', 'other', 'x', '{}', 'done', NULL, 1, '2026-11-24 10:00:03', NULL); \
             INSERT INTO miq_queue (queue_name, class_name, method_name, state, work_id, created_on, args) VALUES \
             ('ems_1', 'EmsRefresh', 'refresh', 'ready', 5, '2026-11-24 10:00:02.5', \
             '[{\"full\":false,\"targets\":[{\"association\":\"vms\",\"manager_ref\":{\"ems_ref\":\"vm-10\"},\"event_id\":1},\
             {\"association\":\"vms\",\"manager_ref\":{\"ems_ref\":\"vm-11\"},\"event_id\":2}]}]'), \
             ('ems_2', 'EmsRefresh', 'refresh', 'ready', 5, '2026-11-24 10:00:02.5', '[]'); \
             INSERT INTO miq_queue (queue_name, class_name, method_name, state, target_id, created_on, args) VALUES \
             ('generic', 'MiqAeEngine', 'deliver', 'dequeue', 1, '2026-11-24 10:00:02.6', '[{\"event_id\":1}]'), \
             ('generic', 'MiqAeEngine', 'deliver', 'ready', 1, '2026-11-24 10:00:02.6', '[{\"event_id\":2}]'); \
             INSERT INTO ems_refreshes (work_id, ems_id, kind, targets, requested_on, started_on, finished_on, error) VALUES \
             (5, 1, 'targeted', 2, '2026-11-24 10:00:02.5', '2026-11-24 10:00:03', '2026-11-24 10:00:04', 'refused'), \
             (5, 1, 'targeted', 2, '2026-11-24 10:00:02.5', '2026-11-24 10:00:10', '2026-11-24 10:00:12', NULL), \
             (5, 2, 'full', 0, '2026-11-24 10:00:02.5', '2026-11-24 10:00:10', '2026-11-24 10:00:12', NULL); \
             INSERT INTO event_streams (type, ems_id, event_uid, event_type, source, chain_id, timestamp, full_data) VALUES \
             ('EmsEvent', 1, 'u-2', 'StopVM_Task_Complete', 'EVM', 7, '2026-11-24 10:00:20', NULL), \
             ('EmsEvent', 2, 'u-3', 'Elsewhere', 'VC', 7, '2026-11-24 10:00:20', NULL), \
             ('MiqEvent', NULL, 'policy:1:tell:2', 'vm_poweroff', 'POLICY', NULL, '2026-11-24 10:00:20', '{\"source_event_id\":1}'), \
             ('MiqEvent', NULL, 'policy:11:1', 'vm_start', 'POLICY', NULL, '2026-11-24 10:00:20', '{\"source_event_id\":11}')",
        )
        .await;
    let (text, json) = told(&fresh, "1".to_owned()).await;
    for part in [
        "Event 1: com.awesome-cloud.vm.stop\n",
        "  ems                  demo <cloud>\n",
        "  message              a\u{FFFD}[2J\n",
        "  VM <script>alert(1)</script> (10)\n",
        "  host node-9, which inventory does not know\n",
        "linked as soon as a refresh brings it:\n  dest_vm: ems_ref vm-99\n  host: ems_ref h-9\n\n",
        "  answered by com.awesome-cloud.vm.stop of System/Event/EmsEvent/",
        "  calls /System/event_handlers/refresh\n",
        "  rule tell: suppressed (at most 1 per minute), asked for at 2026-11-24 10:00:03.000 UTC\n",
        "  webhook chat: done, by rule tell, 2 attempts, asked for at 2026-11-24 10:00:03.000 UTC, over after 2.0 s\n\n",
        "  EmsRefresh.refresh 1 waits, for vms ems_ref=vm-10, since 2026-11-24 10:00:02.500 UTC\n",
        "  MiqAeEngine.deliver 3 is under way, since 2026-11-24 10:00:02.600 UTC\n\n",
        "  targeted refresh, 2 targets, failed: refused, requested 2026-11-24 10:00:02.500 UTC",
        "  2 EmsEvent StopVM_Task_Complete at 2026-11-24 10:00:20.000 UTC, made by Catchall\n",
        "  4 MiqEvent vm_poweroff at 2026-11-24 10:00:20.000 UTC\n\n",
        "  committed          2026-11-24 10:00:02.500 UTC  after 2.5 s\n",
        "  refresh started    2026-11-24 10:00:10.000 UTC  after 7.5 s\n",
        "  refreshed          2026-11-24 10:00:12.000 UTC  after 2.0 s\n  in all 12 s\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    assert_eq!(json["relations"][0]["id"], 10);
    assert_eq!(json["refreshes"].as_array().unwrap().len(), 2, "{json:#}");
    assert_eq!(json["switchboard_now"]["calls"][0]["uri"], "/System/event_handlers/refresh");
    assert_eq!(json["steps"][1]["after_seconds"], 2.5);
    assert_eq!(json["event"]["full_data"], serde_json::json!({"id": "x"}));

    let (text, _) = told(&fresh, "u-3".to_owned()).await;
    assert!(text.starts_with("Event 3: Elsewhere\n"), "{text}");
    assert!(text.contains("Refreshes: none asked for\n"), "{text}");
}

async fn an_event_that_several_ems_have_is_asked_for_by_its_id(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh
        .batch(
            "INSERT INTO event_streams (type, ems_id, event_uid, event_type, source) VALUES \
             ('EmsEvent', 1, 'both', 'a', 'VC'), ('EmsEvent', 2, 'both', 'a', 'VC')",
        )
        .await;
    let errors = fresh.vmdb.read(|connection| {
        let mut error = |asked: &str| event_show::read(connection, asked).unwrap_err();
        Ok((error("both"), error("none")))
    });
    let (both, none) = errors.await.unwrap();
    assert!(matches!(&both, EventShowError::Several { ids, .. } if ids == "1, 2"), "{both}");
    assert!(matches!(&none, EventShowError::Unknown(asked) if asked == "none"), "{none}");
}
