//! What changes in the inventory is told once, with the event that it followed from.

use crate::support::{Fresh, batch, event, on_both};
use catchall::clock;
use catchall::provider::{Attribute, EmsId, Row, Target};
use catchall::vmdb::inventory_history::Because;
use catchall::vmdb::inventory_save::InventorySave;
use catchall::vmdb::refresh_work::{RefreshWork, claim_refresh};
use catchall::vmdb::resource::ResourceKind;
use catchall::vmdb::state_changes::{self, StateChange};
use catchall::vmdb::{Connection, ReadyEvent, VmdbError, Work, event_commit, target_state};
use chrono::TimeDelta;

on_both! {
    what_a_refresh_changes_is_told_once_with_its_event
    what_comes_goes_and_comes_back_is_told_and_so_is_what_referred_to_it
    the_first_full_refresh_tells_nothing
    a_save_that_is_undone_tells_nothing_and_its_repetition_tells_once
    of_several_works_each_change_has_the_one_that_named_it
    what_a_handler_changes_is_told_with_its_event
}

type Rows = Vec<(&'static str, Vec<Row>)>;

fn vm(ems_ref: &str, power_state: &str, host: Option<&str>) -> Row {
    let attributes = vec![
        ("name", Attribute::Text(format!("name of {ems_ref}"))),
        ("power_state", Attribute::Text(power_state.to_owned())),
        ("raw_power_state", Attribute::Text(power_state.to_uppercase())),
        ("host_id", Attribute::reference("hosts", host)),
    ];
    Row { ems_ref: ems_ref.to_owned(), attributes }
}

fn host(ems_ref: &str, maintenance: bool) -> Row {
    let attributes = vec![
        ("name", Attribute::Text(format!("name of {ems_ref}"))),
        ("maintenance", Attribute::Boolean(maintenance)),
    ];
    Row { ems_ref: ems_ref.to_owned(), attributes }
}

fn save_here(
    c: &mut Connection,
    because: Option<Because>,
    rows: Rows,
    gone: Vec<(&'static str, Vec<String>)>,
) -> Result<(), VmdbError> {
    let mut save = InventorySave::new((EmsId(1), because), rows, gone);
    while !save.is_done() {
        save.advance(c)?;
    }
    Ok(())
}

async fn save(fresh: &Fresh, because: Option<Because>, rows: Rows) {
    fresh.write(move |c| save_here(c, because, rows, vec![])).await;
}

/// Two hosts, and a VM on the first of them.
async fn first_refresh(fresh: &Fresh) {
    let rows = vec![
        ("hosts", vec![host("h-1", false), host("h-2", false)]),
        ("vms", vec![vm("vm-1", "on", Some("h-1"))]),
    ];
    save(fresh, None, rows).await;
}

/// An event about a VM, which asks for its refresh; the work, claimed.
async fn asked(fresh: &Fresh, uid: &str, vms: &[&str]) -> Vec<RefreshWork> {
    for vm in vms {
        let mut parsed = event(&format!("{uid} {vm}"), "VM_CHANGED");
        parsed.event.timestamp = clock::now();
        parsed.event.vm_ems_ref = Some((*vm).to_owned());
        let mut batch = batch(vec![]);
        batch.events.push(ReadyEvent::new(parsed, Work::Refresh(vec![Target::by_ems_ref("vms", *vm)])));
        fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[batch])).await.unwrap();
    }
    fresh.write(|c| claim_refresh(c, EmsId(1), 1, 100)).await
}

async fn changes(fresh: &Fresh, kind: ResourceKind, id: i64) -> Vec<StateChange> {
    let now = clock::now();
    let window = (now - TimeDelta::days(1), now + TimeDelta::days(1));
    fresh.vmdb.read(move |c| state_changes::of(c, (kind, id), window, 100)).await.unwrap()
}

/// `attribute: before → after`, oldest first.
fn told(changes: &[StateChange]) -> Vec<String> {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let line = |change: &StateChange| {
        format!("{}: {} → {}", change.attribute, side(&change.before), side(&change.after))
    };
    changes.iter().rev().map(line).collect()
}

async fn what_a_refresh_changes_is_told_once_with_its_event(fresh: Fresh) {
    first_refresh(&fresh).await;
    let work = asked(&fresh, "e", &["vm-1"]).await;
    let because = Some(Because::of(&work));
    for _ in 0..2 {
        let rows = vec![("vms", vec![vm("vm-1", "off", Some("h-2"))])];
        save(&fresh, because.clone(), rows).await;
    }
    let changes = changes(&fresh, ResourceKind::Vm, 1).await;
    assert_eq!(told(&changes), ["power_state: on → off", "host: name of h-1 → name of h-2"]);
    let event = fresh.count("SELECT id FROM event_streams").await;
    for change in &changes {
        assert_eq!(change.work_id, work[0].work_id);
        assert_eq!(change.event, Some((event, "VM_CHANGED".to_owned())));
        assert_eq!((change.resource_type.as_str(), change.resource_id), ("VmOrTemplate", 1));
    }
    let work_ids: Vec<i64> = work.iter().filter_map(|work| work.work_id).collect();
    let of_refresh =
        fresh.vmdb.read(move |c| state_changes::for_refresh(c, EmsId(1), &work_ids, 10)).await.unwrap();
    assert_eq!(of_refresh.iter().rev().cloned().collect::<Vec<_>>(), changes);
    let other = fresh.vmdb.read(|c| state_changes::for_refresh(c, EmsId(1), &[1], 10)).await.unwrap();
    assert_eq!(other, []);
}

async fn what_comes_goes_and_comes_back_is_told_and_so_is_what_referred_to_it(fresh: Fresh) {
    first_refresh(&fresh).await;
    let because = || Some(Because::default());
    save(
        &fresh,
        because(),
        vec![("hosts", vec![host("h-1", true)]), ("vms", vec![vm("vm-2", "on", Some("h-1"))])],
    )
    .await;
    fresh.write(move |c| save_here(c, because(), vec![], vec![("vms", vec!["vm-2".to_owned()])])).await;
    fresh.write(move |c| save_here(c, because(), vec![], vec![("hosts", vec!["h-1".to_owned()])])).await;
    save(&fresh, because(), vec![("vms", vec![vm("vm-2", "off", Some("h-2"))])]).await;
    let of_host = changes(&fresh, ResourceKind::Host, 1).await;
    assert_eq!(told(&of_host), ["maintenance: false → true", "inventory: active → archived"]);
    let of_first = changes(&fresh, ResourceKind::Vm, 1).await;
    assert_eq!(told(&of_first), ["host: name of h-1 → -"], "its host is gone");
    let of_second = changes(&fresh, ResourceKind::Vm, 2).await;
    assert_eq!(
        told(&of_second),
        [
            "inventory: - → active",
            "inventory: active → archived",
            "inventory: archived → active",
            "power_state: on → off",
            "host: - → name of h-2"
        ]
    );
    assert_eq!(changes(&fresh, ResourceKind::Ems, 1).await.len(), 8, "an EMS has those of all its resources");
    assert_eq!(changes(&fresh, ResourceKind::Ems, 2).await, []);
}

async fn the_first_full_refresh_tells_nothing(fresh: Fresh) {
    first_refresh(&fresh).await;
    let rows = vec![("vms", vec![vm("vm-1", "off", None)])];
    fresh.write(move |c| save_here(c, None, rows, vec![("hosts", vec!["h-1".to_owned()])])).await;
    assert_eq!(fresh.count("SELECT count(*) FROM state_changes").await, 0);
}

async fn a_save_that_is_undone_tells_nothing_and_its_repetition_tells_once(fresh: Fresh) {
    first_refresh(&fresh).await;
    let because = Some(Because::default());
    let rows = || vec![("vms", vec![vm("vm-1", "off", Some("h-1"))])];
    let (before_kill, first) = (rows(), because.clone());
    let undone = fresh.vmdb.write(move |c| {
        c.transaction(|c| {
            save_here(c, first, before_kill, vec![("hosts", vec!["h-2".to_owned()])])?;
            Err::<(), _>(VmdbError::Bug("killed here".to_owned()))
        })
    });
    assert!(undone.await.is_err());
    assert_eq!(fresh.count("SELECT count(*) FROM state_changes").await, 0);
    save(&fresh, because, rows()).await;
    assert_eq!(told(&changes(&fresh, ResourceKind::Vm, 1).await), ["power_state: on → off"]);
}

async fn of_several_works_each_change_has_the_one_that_named_it(fresh: Fresh) {
    let rows = || [vm("vm-1", "on", None), vm("vm-2", "on", None), vm("vm-3", "on", None)];
    save(&fresh, None, vec![("vms", rows().to_vec())]).await;
    let work = asked(&fresh, "e", &["vm-1", "vm-2"]).await;
    assert_eq!(work.len(), 2);
    let off = ["vm-1", "vm-2", "vm-3"].map(|ems_ref| vm(ems_ref, "off", None));
    save(&fresh, Some(Because::of(&work)), vec![("vms", off.to_vec())]).await;
    for (id, work_id) in [(1, work[0].work_id), (2, work[1].work_id), (3, None)] {
        let changes = changes(&fresh, ResourceKind::Vm, id).await;
        assert_eq!(told(&changes), ["power_state: on → off"]);
        assert_eq!(changes[0].work_id, work_id);
        assert_eq!(changes[0].event.is_some(), work_id.is_some());
    }
}

async fn what_a_handler_changes_is_told_with_its_event(fresh: Fresh) {
    first_refresh(&fresh).await;
    asked(&fresh, "e", &["vm-1"]).await;
    let event = fresh.count("SELECT id FROM event_streams").await;
    fresh
        .write(move |c| {
            for _ in 0..2 {
                let later = clock::now() + TimeDelta::seconds(1);
                target_state::set_vm_state(c, 1, "poweredOff", (event, later))?;
                target_state::set_host_state(c, 1, "off", event)?;
            }
            target_state::set_template(c, 1, true, event)
        })
        .await;
    let of_vm = changes(&fresh, ResourceKind::Vm, 1).await;
    assert_eq!(told(&of_vm), ["power_state: on → off", "template: false → true"]);
    assert!(of_vm.iter().all(|change| change.event == Some((event, "VM_CHANGED".to_owned()))));
    assert_eq!(told(&changes(&fresh, ResourceKind::Host, 1).await), ["power_state: - → off"]);
}
