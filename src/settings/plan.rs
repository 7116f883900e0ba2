//! What SIGHUP changes: old settings against new ones.

use super::Settings;
use std::fmt;

/// What has to be started, restarted and stopped. `Display` is `+1 ~1 -0`, with what else changes behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Names of EMSs that are new.
    pub added: Vec<String>,
    /// Names of EMSs of which anything changed.
    pub changed: Vec<String>,
    /// Names of EMSs that left the settings.
    pub removed: Vec<String>,
    /// Other automate domains. Files within the same domains are not looked at: read them again in any case.
    pub automate_changed: bool,
    /// Other groups or levels.
    pub event_groups_changed: bool,
    /// Other rules, or other webhooks for them.
    pub rules_changed: bool,
    /// Another `keep_events`.
    pub keep_events_changed: bool,
    /// Another address or token.
    pub http_changed: bool,
    /// Another VMDB; only a restart of the process can follow.
    pub vmdb_changed: bool,
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares the two.
pub fn plan(old: &Settings, new: &Settings) -> Plan {
    let (before, after) = (&old.ext_management_systems, &new.ext_management_systems);
    let mut plan = Plan {
        automate_changed: old.automate_domains != new.automate_domains,
        event_groups_changed: old.event_groups != new.event_groups,
        rules_changed: old.rules != new.rules
            || old.webhooks != new.webhooks
            || old.max_action_age != new.max_action_age,
        keep_events_changed: old.keep_events != new.keep_events,
        http_changed: old.http != new.http,
        vmdb_changed: old.vmdb != new.vmdb,
        ..Plan::default()
    };
    for ems in after {
        match before.iter().find(|known| known.name == ems.name) {
            None => plan.added.push(ems.name.clone()),
            Some(known) if known != ems => plan.changed.push(ems.name.clone()),
            Some(_) => {}
        }
    }
    let left = before.iter().filter(|ems| !after.iter().any(|known| known.name == ems.name));
    plan.removed = left.map(|ems| ems.name.clone()).collect();
    plan
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} ~{} -{}", self.added.len(), self.changed.len(), self.removed.len())?;
        let also = [
            (self.automate_changed, "automate domains"),
            (self.event_groups_changed, "event groups"),
            (self.rules_changed, "rules"),
            (self.keep_events_changed, "keep_events"),
            (self.http_changed, "http"),
            (self.vmdb_changed, "vmdb (after a restart)"),
        ];
        let also: Vec<&str> = also.iter().filter(|(changed, _)| *changed).map(|(_, name)| *name).collect();
        if also.is_empty() { Ok(()) } else { write!(f, ", {}", also.join(", ")) }
    }
}
