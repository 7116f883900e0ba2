//! What Catchall runs itself where ManageIQ has Ruby: the methods of its handlers, and one state machine. Only their
//! addresses stand here; what they do is [`crate::automate`]'s.

use super::handler_names::HANDLERS;

/// The state machine that refreshes a target, waits for it, and raises a policy event; one call.
pub const REFRESH_STATE_MACHINE: &str = "/System/Event/StateMachines/Refresh/default";
/// Tells the event's VM how its import ended; one call.
pub const UPDATE_VM_IMPORT_STATUS: &str = "/System/Event/EmsEvent/RHEVM/update_vm_import_status";

const HANDLER_CLASS: &str = "System/event_handlers";

/// The address of the call that a method of this class makes; `None` for a method that is not run here.
pub(super) fn native_method(class: &str, method: &str) -> Option<String> {
    let method = method.trim();
    if class.eq_ignore_ascii_case(HANDLER_CLASS) {
        let handler = HANDLERS.iter().find(|handler| handler.eq_ignore_ascii_case(method))?;
        return Some(format!("/{HANDLER_CLASS}/{handler}"));
    }
    is_address(UPDATE_VM_IMPORT_STATUS, class, method).then(|| UPDATE_VM_IMPORT_STATUS.to_owned())
}

/// The address of the call that the states of this instance make; `None` for a state machine that is not run here.
pub(super) fn native_state_machine(class: &str, instance: &str) -> Option<&'static str> {
    is_address(REFRESH_STATE_MACHINE, class, instance).then_some(REFRESH_STATE_MACHINE)
}

fn is_address(address: &str, class: &str, name: &str) -> bool {
    address
        .trim_start_matches('/')
        .rsplit_once('/')
        .is_some_and(|(path, last)| path.eq_ignore_ascii_case(class) && last.eq_ignore_ascii_case(name))
}
