//! The handlers that a call's path may name. Pure.

/// What answers for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerName {
    /// `refresh`
    Refresh,
    /// `refresh_sync`
    RefreshSync,
    /// `event_action_refresh`
    RefreshTarget,
    /// `event_action_refresh_sync`
    RefreshTargetSync,
    /// `event_action_policy`
    Policy,
    /// `event_action_scan`
    Scan,
    /// `event_enforce_policy`
    EnforcePolicy,
    /// `check_policy_prevent`
    CheckPolicyPrevent,
    /// `change_event_target_state`
    TargetState,
    /// `src_vm_as_template`
    AsTemplate,
    /// `src_vm_destroy_all_snapshots`
    DestroyAllSnapshots,
    /// `src_vm_disconnect_storage`
    DisconnectStorage,
    /// The state machine `/System/Event/StateMachines/Refresh/default`.
    StateMachineRefresh,
    /// The one method of ManageIQ's domain that is no handler: `/System/Event/EmsEvent/RHEVM/update_vm_import_status`.
    VmImportStatus,
}

const HANDLERS: [(&str, HandlerName); 12] = [
    ("refresh", HandlerName::Refresh),
    ("refresh_sync", HandlerName::RefreshSync),
    ("event_action_refresh", HandlerName::RefreshTarget),
    ("event_action_refresh_sync", HandlerName::RefreshTargetSync),
    ("event_action_policy", HandlerName::Policy),
    ("event_action_scan", HandlerName::Scan),
    ("event_enforce_policy", HandlerName::EnforcePolicy),
    ("check_policy_prevent", HandlerName::CheckPolicyPrevent),
    ("change_event_target_state", HandlerName::TargetState),
    ("src_vm_as_template", HandlerName::AsTemplate),
    ("src_vm_destroy_all_snapshots", HandlerName::DestroyAllSnapshots),
    ("src_vm_disconnect_storage", HandlerName::DisconnectStorage),
];

/// Others, by their class and the end of their path.
const OTHERS: [(&str, &str, HandlerName); 2] = [
    ("System/Event/StateMachines/Refresh", "default", HandlerName::StateMachineRefresh),
    ("System/Event/EmsEvent/RHEVM", "update_vm_import_status", HandlerName::VmImportStatus),
];

impl HandlerName {
    /// The one at this path, whatever its case.
    pub fn of(path: &str) -> Option<Self> {
        let (class, name) = path.rsplit_once('/').unwrap_or(("", path));
        let class = class.trim_matches('/');
        if class.eq_ignore_ascii_case("System/event_handlers") {
            let found = HANDLERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            return found.map(|(_, handler)| *handler);
        }
        let same = |(known_class, known, _): &&(&str, &str, _)| {
            known_class.eq_ignore_ascii_case(class) && known.eq_ignore_ascii_case(name)
        };
        OTHERS.iter().find(same).map(|(_, _, handler)| *handler)
    }
}
