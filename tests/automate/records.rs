//! Handlers that write to the records that an event is about.

use crate::support::{House, about_nothing, call, event, on_both};

on_both! {
    a_vm_gets_the_state_that_the_event_tells
    a_state_that_is_newer_than_the_event_stays
    a_host_gets_its_state_and_others_have_none
    a_vm_becomes_a_template_and_back
    the_records_of_snapshots_go
    an_import_leaves_its_status_at_the_vm
    a_scan_is_kept_as_unsupported_and_never_as_done
}

const VM: &str =
    "SELECT raw_power_state, power_state, previous_state, template, type, location FROM vms WHERE id = 21";

async fn a_vm_gets_the_state_that_the_event_tells(house: House) {
    let to = |state: &str| vec![call(&format!("change_event_target_state?target=src_vm&param={state}"))];
    house.happen(event("a", "x"), to("poweredOn")).await;
    assert_eq!(house.rows(VM).await, ["poweredOn on off 0 Tiny::Vm web/web.vmx"]);
    let changed = "SELECT id FROM vms WHERE id = 21 AND state_changed_on = '2026-11-24 11:00:00'";
    assert_eq!(house.rows(changed).await, ["21"], "when the event says, not when it was worked on");
    house.happen(event("b", "x"), to("suspended")).await;
    assert_eq!(house.rows(VM).await, ["suspended suspended on 0 Tiny::Vm web/web.vmx"]);
    house.happen(about_nothing("c", "x"), to("poweredOff")).await;
    assert_eq!(
        house.actions().await[2],
        "change_event_target_state skipped the event's src_vm is not in inventory"
    );
}

async fn a_state_that_is_newer_than_the_event_stays(house: House) {
    house.write(|c| c.batch("UPDATE vms SET state_changed_on = '2026-11-24 11:00:01'")).await;
    house
        .happen(event("a", "x"), vec![call("change_event_target_state?target=src_vm&param=poweredOn")])
        .await;
    assert_eq!(house.rows(VM).await, ["poweredOff off - 0 Tiny::Vm web/web.vmx"]);
    assert!(house.actions().await[0].starts_with("change_event_target_state skipped its state is known"));
}

async fn a_host_gets_its_state_and_others_have_none(house: House) {
    house
        .happen(event("a", "x"), vec![call("change_event_target_state?target=src_host&param=maintenance")])
        .await;
    assert_eq!(house.rows("SELECT power_state FROM hosts WHERE id = 11").await, ["maintenance"]);
    house.happen(event("b", "x"), vec![call("change_event_target_state?target=ems&param=on")]).await;
    house.happen(event("c", "x"), vec![call("change_event_target_state?target=src_host")]).await;
    assert_eq!(
        house.actions().await[1..],
        [
            "change_event_target_state failed a ExtManagementSystem has no state to change",
            "change_event_target_state failed param is missing: it is the state",
        ]
    );
}

async fn a_vm_becomes_a_template_and_back(house: House) {
    house.happen(event("a", "x"), vec![call("src_vm_as_template?flag=true")]).await;
    assert_eq!(house.rows(VM).await, ["never never off 1 Tiny::Template web/web.vmtx"]);
    house.happen(event("b", "x"), vec![call("src_vm_as_template?flag=false")]).await;
    assert_eq!(house.rows(VM).await, ["unknown unknown never 0 Tiny::Vm web/web.vmx"]);
    house.happen(event("c", "x"), vec![call("src_vm_as_template?flag=")]).await;
    let last = house.actions().await.pop().unwrap();
    assert_eq!(last, "src_vm_as_template failed flag is \"\", and has to be true or false");
}

async fn the_records_of_snapshots_go(house: House) {
    let snapshots = "INSERT INTO snapshots (vm_or_template_id, name) VALUES (21, 'a'), (21, 'b'), (22, 'c')";
    house.write(|c| c.batch(snapshots)).await;
    let calls = vec![call("src_vm_destroy_all_snapshots"), call("src_vm_disconnect_storage")];
    house.happen(event("a", "x"), calls).await;
    assert_eq!(house.rows("SELECT name FROM snapshots").await, ["c"]);
    let actions = house.actions().await;
    assert_eq!(actions[0], "src_vm_destroy_all_snapshots done 2 snapshots");
    assert!(actions[1].starts_with("src_vm_disconnect_storage done"), "{actions:?}");
}

async fn an_import_leaves_its_status_at_the_vm(house: House) {
    let method = || vec![call("/System/Event/EmsEvent/RHEVM/update_vm_import_status")];
    let status = "SELECT resource_type, resource_id, name, value, source FROM custom_attributes";
    house.happen(event("a", "IMPORTEXPORT_IMPORT_VM_FAILED"), method()).await;
    assert_eq!(house.rows(status).await, ["VmOrTemplate 21 import_status failure EVM"]);
    house.happen(event("b", "IMPORTEXPORT_IMPORT_VM"), method()).await;
    assert_eq!(house.rows(status).await, ["VmOrTemplate 21 import_status success EVM"]);
    house.happen(about_nothing("c", "IMPORTEXPORT_IMPORT_VM"), method()).await;
    assert!(house.actions().await[2].starts_with("update_vm_import_status failed the event's VM is not"));
}

async fn a_scan_is_kept_as_unsupported_and_never_as_done(house: House) {
    for uid in ["a", "b"] {
        house.happen(event(uid, "x"), vec![call("event_action_scan?target=src_host")]).await;
    }
    let queue = "SELECT queue_name, class_name, instance_id, method_name, state FROM miq_queue";
    assert_eq!(house.rows(queue).await, ["generic Host 11 scan unsupported"], "one for each record");
    let actions = "SELECT a.state, q.method_name FROM event_actions a JOIN miq_queue q ON q.id = a.queue_id";
    assert_eq!(house.rows(actions).await, ["unsupported scan", "unsupported scan"]);
    house.happen(event("c", "x"), vec![call("/Acme/Tools/reboot?now=1")]).await;
    let last = house.actions().await.pop().unwrap();
    assert_eq!(last, "/Acme/Tools/reboot unsupported Catchall has no handler /Acme/Tools/reboot");
}
