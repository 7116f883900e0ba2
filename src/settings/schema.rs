//! The keys that there are: one line each, and the list of ManageIQ's keys that are passed over.
//!
//! `TYPE` is the type of a provider in this build, `NAME` any key of the user's, `[]` an item of a list.

use super::kind::Kind;
use std::sync::LazyLock;

const MANY: u64 = 1_000_000;

/// Every key of Catchall. `docs/settings.md` explains each.
pub const KEYS: &[(&str, Kind)] = &[
    ("vmdb.url", Kind::VmdbUrl),
    ("vmdb.schema", Kind::Schema),
    ("http.listen", Kind::Listen),
    ("http.token", Kind::Secret),
    ("http.tls.certificate", Kind::Text),
    ("http.tls.key", Kind::Text),
    ("ext_management_systems.[].name", Kind::Text),
    ("ext_management_systems.[].type", Kind::Text),
    ("ext_management_systems.[].id", Kind::Number(1, i64::MAX as u64)),
    ("ext_management_systems.[].zone", Kind::Text),
    ("ext_management_systems.[].enabled", Kind::Boolean),
    ("ext_management_systems.[].provider_region", Kind::Text),
    ("ext_management_systems.[].endpoints.NAME.url", Kind::Url),
    ("ext_management_systems.[].endpoints.NAME.hostname", Kind::Text),
    ("ext_management_systems.[].endpoints.NAME.port", Kind::Number(1, 65_535)),
    ("ext_management_systems.[].endpoints.NAME.path", Kind::Text),
    ("ext_management_systems.[].endpoints.NAME.security_protocol", Kind::Text),
    ("ext_management_systems.[].endpoints.NAME.verify_ssl", Kind::Boolean),
    ("ext_management_systems.[].endpoints.NAME.certificate_authority", Kind::Certificate),
    ("ext_management_systems.[].authentications.NAME.userid", Kind::Text),
    ("ext_management_systems.[].authentications.NAME.password", Kind::Secret),
    ("ext_management_systems.[].authentications.NAME.auth_key", Kind::Secret),
    ("ext_management_systems.[].settings", Kind::Settings),
    ("ems.ems_TYPE.blacklisted_event_names", Kind::EventTypes),
    ("ems.ems_TYPE.event_handling.event_groups.NAME.name", Kind::Text),
    ("ems.ems_TYPE.event_handling.event_groups.NAME.critical", Kind::EventTypes),
    ("ems.ems_TYPE.event_handling.event_groups.NAME.warning", Kind::EventTypes),
    ("ems.ems_TYPE.event_handling.event_groups.NAME.detail", Kind::EventTypes),
    ("event_handling.event_groups.NAME.name", Kind::Text),
    ("event_handling.event_groups.NAME.critical", Kind::EventTypes),
    ("event_handling.event_groups.NAME.warning", Kind::EventTypes),
    ("event_handling.event_groups.NAME.detail", Kind::EventTypes),
    ("event_handling.task_final_events.NAME", Kind::EventTypes),
    ("event_streams.history.keep_events", Kind::Duration),
    ("ems_refresh.refresh_interval", Kind::Duration),
    ("ems_refresh.full_refresh_threshold", Kind::Number(1, MANY)),
    ("ems_refresh.max_concurrent", Kind::Number(1, 1_000)),
    ("ems_refresh.TYPE.enabled", Kind::Boolean),
    ("ems_refresh.TYPE.allow_targeted_refresh", Kind::Boolean),
    ("ems_refresh.TYPE.refresh_interval", Kind::Duration),
    ("ems_refresh.TYPE.full_refresh_threshold", Kind::Number(1, MANY)),
    ("workers.worker_base.event_catcher.defaults.poll", Kind::Wait),
    ("workers.worker_base.event_catcher.defaults.flooding_monitor_enabled", Kind::Boolean),
    ("workers.worker_base.event_catcher.defaults.flooding_events_per_minute", Kind::Number(1, MANY)),
    ("workers.worker_base.event_catcher.defaults.ems_event_page_size", Kind::Number(1, 100_000)),
    ("workers.worker_base.event_catcher.defaults.ems_event_thread_shutdown_timeout", Kind::Wait),
    ("workers.worker_base.event_catcher.defaults.initial_history", Kind::History),
    ("workers.worker_base.event_catcher.event_catcher_TYPE.poll", Kind::Wait),
    ("workers.worker_base.event_catcher.event_catcher_TYPE.flooding_monitor_enabled", Kind::Boolean),
    (
        "workers.worker_base.event_catcher.event_catcher_TYPE.flooding_events_per_minute",
        Kind::Number(1, MANY),
    ),
    ("workers.worker_base.event_catcher.event_catcher_TYPE.ems_event_page_size", Kind::Number(1, 100_000)),
    ("workers.worker_base.event_catcher.event_catcher_TYPE.ems_event_thread_shutdown_timeout", Kind::Wait),
    ("workers.worker_base.event_catcher.event_catcher_TYPE.initial_history", Kind::History),
    ("automate.domains", Kind::Paths),
    ("automate.abort_on_error", Kind::Boolean),
    ("max_action_age", Kind::Duration),
    ("rules.NAME.on.event_types", Kind::EventPatterns),
    ("rules.NAME.on.groups", Kind::Names),
    ("rules.NAME.on.levels", Kind::Names),
    ("rules.NAME.on.ems", Kind::Names),
    ("rules.NAME.on.sources", Kind::Names),
    ("rules.NAME.when", Kind::Text),
    ("rules.NAME.do", Kind::Option),
    ("rules.NAME.at_most", Kind::Text),
    ("rules.NAME.group_within", Kind::Text),
    ("rules.NAME.enabled", Kind::Boolean),
    ("webhooks.NAME.url", Kind::WebhookUrl),
    ("webhooks.NAME.secret", Kind::Secret),
    ("webhooks.NAME.allow_private_addresses", Kind::Boolean),
    ("webhooks.NAME.allow_link_local", Kind::Boolean),
    ("webhooks.NAME.timeout", Kind::Wait),
    ("webhooks.NAME.max_attempts", Kind::Number(1, 1_000)),
    ("event_streams.history.purge_window_size", Kind::Number(1, 100_000)),
];

/// Known keys with their steps, ours first.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let ours = KEYS.iter().map(|(path, kind)| Rule { steps: path.split('.').collect(), kind: *kind });
    let passed_over = include_str!("manageiq_keys.txt")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|path| Rule { steps: path.split('.').collect(), kind: Kind::PassedOver });
    ours.chain(passed_over).collect()
});

struct Rule {
    steps: Vec<&'static str>,
    kind: Kind,
}

/// The rules that still apply at some place of the tree: what is left of their paths.
#[derive(Clone)]
pub struct Rules(Vec<(&'static [&'static str], Kind)>);

impl Rules {
    /// At the top.
    pub fn top() -> Self {
        Self(RULES.iter().map(|rule| (rule.steps.as_slice(), rule.kind)).collect())
    }

    /// One step down: behind `key` of a section, or behind `[]`.
    pub fn below(&self, key: &str, types: &[&'static str]) -> Self {
        let matching = self.0.iter().filter_map(|(steps, kind)| {
            let (step, rest) = steps.split_first()?;
            matches(step, key, types).then_some((rest, *kind))
        });
        Self(matching.collect())
    }

    /// The kind of the value here, when a rule ends here.
    pub fn kind(&self) -> Option<Kind> {
        self.0.iter().find(|(steps, _)| steps.is_empty()).map(|(_, kind)| *kind)
    }

    /// Whether no rule applies.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key of ours is expected below.
    pub fn leads_to_ours(&self) -> bool {
        self.0.iter().any(|(steps, kind)| !steps.is_empty() && *kind != Kind::PassedOver)
    }

    /// Whether a list is expected here.
    pub fn is_list(&self) -> bool {
        self.0.iter().any(|(steps, _)| steps.first() == Some(&"[]"))
    }

    /// The keys that may stand here, as people write them; ManageIQ's that are passed over are left out.
    pub fn known_keys(&self, types: &[&'static str]) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for (steps, kind) in &self.0 {
            let Some(step) = steps.first() else { continue };
            if *kind == Kind::PassedOver || matches!(*step, "NAME" | "[]") {
                continue;
            }
            let names = match step.strip_suffix("TYPE") {
                Some(start) => types.iter().map(|ems_type| format!("{start}{ems_type}")).collect(),
                None => vec![(*step).to_owned()],
            };
            for name in names {
                if !keys.contains(&name) {
                    keys.push(name);
                }
            }
        }
        keys
    }
}

fn matches(step: &str, key: &str, types: &[&'static str]) -> bool {
    match step {
        "NAME" => key != "[]",
        _ => match step.strip_suffix("TYPE") {
            Some(start) => key.strip_prefix(start).is_some_and(|ems_type| types.contains(&ems_type)),
            None => step == key,
        },
    }
}
