//! Refreshes that are asked for off the commit path: of the first event of a chain, of a policy event's record, for a rule. And
//! the tasks of those that somebody follows.

use super::calls::{Ended, first_of_chain, param};
use super::handler_name::HandlerName;
use super::handlers::{self, HandlerContext};
use super::named_refresh::{References, refresh_target};
use super::scene::Scene;
use crate::settings::EmsSettings;
use crate::switchboard::Call;
use crate::vmdb::event_records::{self, EventRecord, Inventory};
use crate::vmdb::{VmdbError, Work, miq_tasks, stored_event};

pub(super) fn run(
    scene: &mut Scene<'_>,
    event: &EventRecord,
    call: &Call,
    handler: HandlerName,
) -> Result<Ended, VmdbError> {
    let followed = matches!(handler, HandlerName::RefreshSync | HandlerName::RefreshTargetSync);
    let chained = param(call, "target").starts_with("first_chained_");
    let delivery = scene.delivery;
    if let (true, Some(work_id), false) = (followed, event.work_id, chained) {
        // The refresh itself was queued with the event.
        miq_tasks::put(scene.connection, delivery.ems_id, &delivery.ems_name, work_id)?;
        return Ok(Ended::done().with_work(work_id));
    }
    let ended = request(scene, event, call)?;
    scene.followed |= followed && ended.work_id.is_some();
    Ok(ended)
}

/// Asks for the refresh that `call` means for the event.
pub(super) fn request(scene: &mut Scene<'_>, event: &EventRecord, call: &Call) -> Result<Ended, VmdbError> {
    let name = param(call, "target");
    let named = call.params.contains_key("target");
    let meaning = refresh_target(name);
    if named && name.is_empty() {
        return Ok(Ended::skipped("target is blank"));
    }
    if named && meaning.is_none() {
        return Ok(Ended::failed(format!("no target of a refresh is called {name:?}")));
    }
    let delivery = scene.delivery;
    let ems = delivery.automation.ems.iter().find(|ems| ems.name == delivery.ems_name);
    let Some(ems) = ems.filter(|ems| ems.refresh.enabled && ems.provider.has_collector()) else {
        return Ok(Ended::skipped("the EMS is not refreshed: it is off, or its provider has no collector"));
    };
    let first_chained = meaning.is_some_and(|meaning| meaning.first_chained);
    let first = if first_chained { Some(first_of_chain(scene, event)?) } else { None };
    let work = match first.as_ref().unwrap_or(event) {
        policy if policy.class == "MiqEvent" => of_policy_event(scene, policy, name)?,
        provider => match of_providers_event(scene, provider, call, ems)? {
            Ok(work) => work,
            Err(reason) => return Ok(Ended::failed(reason)),
        },
    };
    let mut ask = |target| scene.refresh.add(target, event.id, &event.event_type, event.timestamp);
    match work {
        Work::None => return Ok(Ended::skipped("the provider knows nothing to refresh for the event")),
        Work::FullRefresh => ask(None),
        Work::Refresh(targets) => targets.into_iter().for_each(|target| ask(Some(target))),
    }
    Ok(Ended::done().with_work(scene.refresh.work_id()))
}

/// As it would have been when the event came, had it been this event's call then.
fn of_providers_event(
    scene: &mut Scene<'_>,
    event: &EventRecord,
    call: &Call,
    ems: &EmsSettings,
) -> Result<Result<Work, String>, VmdbError> {
    let Some(mut stored) = stored_event::load(scene.connection, event.id)? else {
        return Ok(Err("the event was purged".to_owned()));
    };
    // This is the first event of its chain already.
    stored.chain_id = None;
    let context = HandlerContext { provider: ems.provider, refresh: &ems.refresh, event: &stored };
    let plan = handlers::plan(std::slice::from_ref(call), &context);
    Ok(plan.map(|plan| plan.work).map_err(|error| error.to_string()))
}

/// The record that the policy event is about; without a name too.
fn of_policy_event(scene: &mut Scene<'_>, event: &EventRecord, name: &str) -> Result<Work, VmdbError> {
    let related = |name| event.related.get(name).copied();
    let (vm, host) = (related("vm_or_template"), related("host"));
    let vms = event_records::ems_refs(scene.connection, Inventory::Vms, vm.into_iter().collect())?;
    let hosts = event_records::ems_refs(scene.connection, Inventory::Hosts, host.into_iter().collect())?;
    let references = References {
        vm: vm.and_then(|id| vms.get(&id).cloned()),
        host: host.and_then(|id| hosts.get(&id).cloned()),
        ..References::default()
    };
    let meaning = refresh_target(if name.is_empty() { "src_vm" } else { name });
    let target = meaning.and_then(|meaning| meaning.of(&references));
    Ok(target.map_or(Work::FullRefresh, |target| Work::Refresh(vec![target])))
}
