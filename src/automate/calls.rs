//! One call of a handler: what it does to the VMDB, and how it ends.

use super::handler_name::HandlerName;
use super::policy::{self, Raised};
use super::record_target::{Record, record};
use super::scene::Scene;
use super::{awaiting, refresh_calls};
use crate::switchboard::Call;
use crate::vmdb::VmdbError;
use crate::vmdb::event_actions::ActionState;
use crate::vmdb::event_records::{self, EventRecord};
use crate::vmdb::target_state::{self, Change};

/// How a call ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) state: ActionState,
    pub(super) reason: Option<String>,
    pub(super) queue_id: Option<i64>,
    pub(super) work_id: Option<i64>,
    /// What comes after it is not done.
    pub(super) prevents: bool,
    /// Its row of `event_actions` is there already.
    pub(super) is_kept: bool,
    /// Nothing of what it did may stay.
    pub(super) panicked: bool,
    pub(super) raised: Option<Box<Raised>>,
}

impl Ended {
    fn new(state: ActionState, reason: Option<String>) -> Self {
        Self {
            state,
            reason,
            queue_id: None,
            work_id: None,
            prevents: false,
            is_kept: false,
            panicked: false,
            raised: None,
        }
    }

    pub(super) fn done() -> Self {
        Self::new(ActionState::Done, None)
    }

    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self::new(ActionState::Failed, Some(reason.into()))
    }

    pub(super) fn panicked() -> Self {
        Self {
            panicked: true,
            ..Self::failed("a panic, which is a mistake in Catchall; see the log for where")
        }
    }

    pub(super) fn skipped(reason: impl Into<String>) -> Self {
        Self::new(ActionState::Skipped, Some(reason.into()))
    }

    fn unsupported(reason: impl Into<String>) -> Self {
        Self::new(ActionState::Unsupported, Some(reason.into()))
    }

    pub(super) fn with_work(self, work_id: i64) -> Self {
        Self { work_id: Some(work_id), ..self }
    }

    fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

impl From<Change> for Ended {
    fn from(change: Change) -> Self {
        match change {
            Change::Done => Self::done(),
            Change::NoRecord => Self::skipped("the record is not in inventory any more"),
            Change::Newer => Self::skipped("its state is known to have changed after the event"),
        }
    }
}

/// What the call is known by: the last part of a handler's path, the whole path of what is none.
pub(super) fn name_of(call: &Call) -> String {
    match HandlerName::of(&call.uri) {
        Some(HandlerName::StateMachineRefresh) => "state_machine_refresh".to_owned(),
        Some(_) => call.uri.rsplit('/').next().unwrap_or_default().to_ascii_lowercase(),
        None => call.uri.clone(),
    }
}

/// Why no database could hold what the call says.
pub(super) fn unfit(call: &Call) -> Option<String> {
    let bad = call.params.iter().find(|(key, value)| key.contains('\0') || value.contains('\0'))?;
    Some(format!("{}: holds NUL, which no database takes", bad.0.replace('\0', "\u{FFFD}")))
}

/// Whether the call only adds to what is written at the end, so that it can do no harm by itself.
pub(super) fn is_harmless(call: &Call) -> bool {
    use HandlerName::{DisconnectStorage, EnforcePolicy, Policy};
    matches!(HandlerName::of(&call.uri), None | Some(DisconnectStorage | EnforcePolicy | Policy))
}

/// Runs a call for an event. `place`: the rule that makes it, and its number among the event's calls.
pub(super) fn run(
    scene: &mut Scene<'_>,
    event: &EventRecord,
    call: &Call,
    place: (Option<&str>, usize),
) -> Result<Ended, VmdbError> {
    let Some(handler) = HandlerName::of(&call.uri) else {
        return Ok(Ended::unsupported(format!("Catchall has no handler {}", call.uri)));
    };
    match handler {
        HandlerName::Refresh
        | HandlerName::RefreshSync
        | HandlerName::RefreshTarget
        | HandlerName::RefreshTargetSync => refresh_calls::run(scene, event, call, handler),
        HandlerName::Policy => policy::run(scene, event, call, place),
        HandlerName::Scan => scan(scene, event, call),
        HandlerName::EnforcePolicy => Ok(of_policy_event(event).unwrap_or_else(Ended::done)),
        HandlerName::CheckPolicyPrevent => check_policy_prevent(scene, event),
        HandlerName::TargetState => change_state(scene, event, call),
        HandlerName::AsTemplate => as_template(scene, event, call),
        HandlerName::DestroyAllSnapshots => destroy_snapshots(scene, event),
        HandlerName::DisconnectStorage => {
            Ok(Ended::done().because("nothing to do: ManageIQ keeps it for compatibility alone"))
        }
        HandlerName::StateMachineRefresh => awaiting::start(scene, event, call),
        HandlerName::VmImportStatus => import_status(scene, event),
    }
}

/// The record that `name` means, also in the first event of the chain; else how the call ends.
pub(super) fn target(
    scene: &mut Scene<'_>,
    event: &EventRecord,
    name: &str,
) -> Result<Result<Record, Ended>, VmdbError> {
    let (name, found) = match name.strip_prefix("first_chained_") {
        Some(name) => (name, record(name, &first_of_chain(scene, event)?)),
        None => (name, record(name, event)),
    };
    Ok(match found {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err(Ended::skipped(format!("the event's {name} is not in inventory"))),
        Err(unknown) => Err(Ended::failed(unknown)),
    })
}

/// The event itself, where it belongs to no chain.
pub(super) fn first_of_chain(scene: &mut Scene<'_>, event: &EventRecord) -> Result<EventRecord, VmdbError> {
    let Some(chain_id) = event.chain_id else { return Ok(event.clone()) };
    if !scene.first_of_chain.contains_key(&chain_id) {
        let first = event_records::first_of_chain(scene.connection, event.ems_id, chain_id)?;
        scene.first_of_chain.insert(chain_id, first);
    }
    Ok(scene.first_of_chain.get(&chain_id).cloned().flatten().unwrap_or_else(|| event.clone()))
}

/// A parameter without blanks around it; empty when it is missing.
pub(super) fn param<'a>(call: &'a Call, name: &str) -> &'a str {
    call.params.get(name).map_or("", |value| value.trim())
}

/// How a handler of policy events alone ends for another.
fn of_policy_event(event: &EventRecord) -> Option<Ended> {
    (event.class != "MiqEvent").then(|| Ended::skipped("the event is no policy event (MiqEvent)"))
}

fn scan(scene: &mut Scene<'_>, event: &EventRecord, call: &Call) -> Result<Ended, VmdbError> {
    let (class, id) = match target(scene, event, param(call, "target"))? {
        Ok(record) => record,
        Err(ended) => return Ok(ended),
    };
    let queue_id = target_state::keep_unsupported_scan(scene.connection, &class, id)?;
    let reason = format!("there is no scanner here; {class} {id} is to be scanned by other means");
    Ok(Ended { queue_id: Some(queue_id), ..Ended::unsupported(reason) })
}

fn check_policy_prevent(scene: &mut Scene<'_>, event: &EventRecord) -> Result<Ended, VmdbError> {
    if let Some(ended) = of_policy_event(event) {
        return Ok(ended);
    }
    if !event_records::is_prevented(scene.connection, event.id)? {
        return Ok(Ended::done());
    }
    Ok(Ended { prevents: true, ..Ended::done().because("a policy prevented it") })
}

fn change_state(scene: &mut Scene<'_>, event: &EventRecord, call: &Call) -> Result<Ended, VmdbError> {
    let state = param(call, "param");
    if state.is_empty() {
        return Ok(Ended::failed("param is missing: it is the state"));
    }
    let (class, id) = match target(scene, event, param(call, "target"))? {
        Ok(record) => record,
        Err(ended) => return Ok(ended),
    };
    match class.as_str() {
        "VmOrTemplate" => {
            target_state::set_vm_state(scene.connection, id, state, (event.id, event.timestamp))
                .map(Ended::from)
        }
        "Host" => target_state::set_host_state(scene.connection, id, state, event.id).map(Ended::from),
        other => Ok(Ended::failed(format!("a {other} has no state to change"))),
    }
}

fn as_template(scene: &mut Scene<'_>, event: &EventRecord, call: &Call) -> Result<Ended, VmdbError> {
    let flag = match param(call, "flag").to_ascii_lowercase().as_str() {
        "true" | "1" => true,
        "false" | "0" => false,
        other => return Ok(Ended::failed(format!("flag is {other:?}, and has to be true or false"))),
    };
    match target(scene, event, "src_vm")? {
        Ok((_, id)) => target_state::set_template(scene.connection, id, flag, event.id).map(Ended::from),
        Err(ended) => Ok(ended),
    }
}

fn destroy_snapshots(scene: &mut Scene<'_>, event: &EventRecord) -> Result<Ended, VmdbError> {
    match target(scene, event, "src_vm")? {
        Ok((_, id)) => {
            let count = target_state::delete_snapshots(scene.connection, id)?;
            Ok(Ended::done().because(format!("{count} snapshots")))
        }
        Err(ended) => Ok(ended),
    }
}

fn import_status(scene: &mut Scene<'_>, event: &EventRecord) -> Result<Ended, VmdbError> {
    let value = if event.event_type.ends_with("_FAILED") { "failure" } else { "success" };
    let kept = match event.related.get("vm_or_template") {
        Some(id) => target_state::set_custom_attribute(scene.connection, *id, "import_status", value)?,
        None => false,
    };
    let no_vm = || Ended::failed("the event's VM is not in inventory, so that its import has no status");
    Ok(if kept { Ended::done().because(value) } else { no_vm() })
}
