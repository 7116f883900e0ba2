//! Refreshes that only the VMDB can name: of the first event of a chain, of a policy event's record, for a rule. And the tasks of
//! those that somebody follows.

use super::calls::{Ended, first_of_chain, param};
use super::handler_name::HandlerName;
use super::named_refresh::{References, refresh_target};
use super::scene::Scene;
use crate::switchboard::Call;
use crate::vmdb::event_records::{self, EventRecord, Inventory};
use crate::vmdb::{VmdbError, miq_tasks};

pub(super) fn run(
    scene: &mut Scene<'_>,
    event: &EventRecord,
    call: &Call,
    handler: HandlerName,
) -> Result<Ended, VmdbError> {
    let named = matches!(handler, HandlerName::RefreshTarget | HandlerName::RefreshTargetSync);
    let followed = matches!(handler, HandlerName::RefreshSync | HandlerName::RefreshTargetSync);
    // Without a name it is what the event is about.
    let name = if named { param(call, "target") } else { "src_vm" };
    let delivery = scene.delivery;
    if let (true, Some(work_id), false) = (followed, event.work_id, name.starts_with("first_chained_")) {
        // The refresh itself was queued with the event.
        miq_tasks::put(scene.connection, delivery.ems_id, &delivery.ems_name, work_id)?;
        return Ok(Ended::done().with_work(work_id));
    }
    scene.followed |= followed;
    request(scene, event, name)
}

/// Asks for a refresh of what `name` means for the event.
pub(super) fn request(scene: &mut Scene<'_>, event: &EventRecord, name: &str) -> Result<Ended, VmdbError> {
    if name.is_empty() {
        return Ok(Ended::skipped("target is blank"));
    }
    let Some(meaning) = refresh_target(name) else {
        return Ok(Ended::failed(format!(
            "no target of a refresh is called {name:?}; later calls were not made"
        )));
    };
    let delivery = scene.delivery;
    let settings = delivery.automation.ems.iter().find(|ems| ems.name == delivery.ems_name);
    if !settings.is_some_and(|ems| ems.refresh.enabled && ems.provider.has_collector()) {
        return Ok(Ended::skipped("the EMS is not refreshed: it is off, or its provider has no collector"));
    }
    let first = if meaning.first_chained { Some(first_of_chain(scene, event)?) } else { None };
    let references = references(scene, first.as_ref().unwrap_or(event))?;
    scene.refresh.add(meaning.of(&references), event.id, &event.event_type, event.timestamp);
    Ok(Ended::done().with_work(scene.refresh.work_id()))
}

/// The `ems_ref`s of a stored event: its own, else those of the records that it was related to.
fn references(scene: &mut Scene<'_>, event: &EventRecord) -> Result<References, VmdbError> {
    let id = |name| event.related.get(name).copied();
    let (vm, dest_vm, host, dest_host) =
        (id("vm_or_template"), id("dest_vm_or_template"), id("host"), id("dest_host"));
    let vms: Vec<_> = [vm, dest_vm].into_iter().flatten().collect();
    let hosts: Vec<_> = [host, dest_host].into_iter().flatten().collect();
    let vms = event_records::ems_refs(scene.connection, Inventory::Vms, vms)?;
    let hosts = event_records::ems_refs(scene.connection, Inventory::Hosts, hosts)?;
    let of = |refs: &std::collections::HashMap<i64, String>, id: Option<i64>| refs.get(&id?).cloned();
    Ok(References {
        vm: event.vm_ems_ref.clone().or_else(|| of(&vms, vm)),
        dest_vm: event.dest_vm_ems_ref.clone().or_else(|| of(&vms, dest_vm)),
        host: of(&hosts, host),
        dest_host: of(&hosts, dest_host),
    })
}
