//! The handlers of `/System/event_handlers` and the targets that they may name, as names; what they do is
//! [`crate::automate`]'s.

/// ManageIQ's built-in handlers.
pub const HANDLERS: [&str; 12] = [
    "refresh",
    "refresh_sync",
    "event_action_refresh",
    "event_action_refresh_sync",
    "event_action_policy",
    "event_action_scan",
    "event_enforce_policy",
    "change_event_target_state",
    "check_policy_prevent",
    "src_vm_as_template",
    "src_vm_destroy_all_snapshots",
    "src_vm_disconnect_storage",
];

/// The names that a refresh of a named target may have.
const TARGETS: [&str; 10] = [
    "ems",
    "ems_cluster",
    "src_ems_cluster",
    "vm",
    "src_vm",
    "dest_vm",
    "host",
    "src_host",
    "dest_host",
    "src_vm_or_dest_host",
];

/// The parameters that a handler cannot do without; they may be empty.
pub(super) fn needed_parameters(handler: &str) -> &'static [&'static str] {
    match handler {
        "event_action_refresh" | "event_action_refresh_sync" | "event_action_scan" => &["target"],
        "event_action_policy" => &["target", "policy_event", "param"],
        "change_event_target_state" => &["target", "param"],
        "src_vm_as_template" => &["flag"],
        _ => &[],
    }
}

/// What kind of handler a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// The provider decides what to refresh.
    Refresh,
    /// The call's `target` names what to refresh.
    RefreshTarget,
    /// Any other.
    Other,
}

impl Handler {
    /// The handler of class `class` and name `name`, whatever their case.
    pub fn of_path(class: &str, name: &str) -> Option<Self> {
        if !class.trim_matches('/').eq_ignore_ascii_case("System/event_handlers") {
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            "refresh" | "refresh_sync" => Some(Self::Refresh),
            "event_action_refresh" | "event_action_refresh_sync" => Some(Self::RefreshTarget),
            _ => Some(Self::Other),
        }
    }
}

/// Whether a refresh can be asked for by this name; the names are compared exactly.
pub fn is_target_name(name: &str) -> bool {
    TARGETS.contains(&name.strip_prefix("first_chained_").unwrap_or(name))
}
