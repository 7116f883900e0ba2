//! The settings as the rest of the house sees them: typed, merged, checked, secrets sealed.
//!
//! The way of a value: `layers` reads and merges (`yaml`, `tree`, `environment`), `substitute` fills in `${…}`,
//! `validate` compares with the `schema`, `build` makes the types below. [`load()`] does all of it.

use crate::provider::{Authentication, CatcherSettings, Endpoint, Provider, Secret};
use crate::rules::Rules;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

mod bounded_file;
mod build;
mod ems;
mod environment;
pub mod errors;
pub mod event_groups;
pub mod event_name_filter;
mod kind;
mod layers;
mod lines;
mod listen;
mod load;
mod merged;
pub(crate) mod nearest;
pub mod plan;
mod rule_actions;
mod rules;
pub mod schema;
mod sources;
mod substitute;
mod tls;
mod tree;
mod validate;
pub mod values;
mod webhooks;
mod yaml;

pub use errors::{SettingsError, SettingsErrors};
pub use event_groups::EventGroups;
pub use event_name_filter::EventNameFilter;
pub use kind::Kind;
pub use layers::LoadOptions;
pub use load::{Loaded, load, load_for};
pub use merged::{Merged, MergedLine};
pub use plan::{Plan, plan};
pub use tls::{TlsFiles, TlsFilesError};
pub use webhooks::WebhookSettings;

/// Everything that was set, all layers merged.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the VMDB is.
    pub vmdb: VmdbSettings,
    /// Metrics, health, API, timeline.
    pub http: HttpSettings,
    /// One per EMS, in order of the settings.
    pub ext_management_systems: Vec<EmsSettings>,
    /// `ems.ems_TYPE.blacklisted_event_names` by provider, for those who ask without an EMS.
    pub blacklists: BTreeMap<String, EventNameFilter>,
    /// `event_handling.event_groups` of the core and of every provider, merged as ManageIQ does.
    pub event_groups: EventGroups,
    /// `event_streams.history.keep_events`.
    pub keep_events: Duration,
    /// `ems_refresh.max_concurrent`: EMSs that are refreshed in full at the same time.
    pub most_full_refreshes: usize,
    /// `event_streams.history.purge_window_size`: rows deleted at once.
    pub purge_window_size: usize,
    /// `event_handling.task_final_events`: final event type → the types that may begin its chain.
    pub task_final_events: BTreeMap<String, Vec<String>>,
    /// `automate.domains`, lowest first.
    pub automate_domains: Vec<PathBuf>,
    /// `automate.abort_on_error`: a handler that fails ends the calls of its event, as in ManageIQ.
    pub abort_on_error: bool,
    /// `rules`.
    pub rules: Rules,
    /// `webhooks`, by name.
    pub webhooks: BTreeMap<String, WebhookSettings>,
    /// `max_action_age`: webhooks do not fire for events that are older at their commit.
    pub max_action_age: Duration,
    /// What was met and passed over: sections of ManageIQ that Catchall does not know. Logged once at start.
    pub notices: Vec<String>,
}

impl Settings {
    /// What is filtered of this provider's events: as the EMS of this name has it, else as the provider's section has it.
    ///
    /// # Errors
    /// When there is no such EMS of this provider.
    pub fn blacklist(&self, provider: &dyn Provider, ems: Option<&str>) -> Result<EventNameFilter, String> {
        let Some(name) = ems else {
            return Ok(self.blacklists.get(provider.ems_type()).cloned().unwrap_or_default());
        };
        let of_provider = |ems: &&EmsSettings| ems.provider.ems_type() == provider.ems_type();
        let found = self.ext_management_systems.iter().filter(of_provider).find(|ems| ems.name == name);
        found
            .map(|ems| ems.blacklisted_event_names.clone())
            .ok_or_else(|| format!("the settings have no EMS {name} of type {}", provider.ems_type()))
    }
}

/// `vmdb:`
#[derive(Clone, Debug, PartialEq)]
pub struct VmdbSettings {
    /// `sqlite://PATH` or `postgres://…`; may hold a password.
    pub url: Secret,
    /// PostgreSQL's schema.
    pub schema: String,
}

/// `http:`
#[derive(Clone, Debug, PartialEq)]
pub struct HttpSettings {
    /// `None`: `off`.
    pub listen: Option<SocketAddr>,
    /// Required as soon as `listen` is not loopback.
    pub token: Option<Secret>,
    /// `http.tls`; `None`: plain HTTP.
    pub tls: Option<TlsFiles>,
}

/// One entry of `ext_management_systems`, with what the other sections say for it.
#[derive(Clone)]
pub struct EmsSettings {
    /// Unique; the EMS's identity.
    pub name: String,
    /// From `type`.
    pub provider: &'static dyn Provider,
    /// Fixes the row's id.
    pub id: Option<i64>,
    /// ManageIQ's zone.
    pub zone: String,
    /// Whether to catch from it.
    pub enabled: bool,
    /// `ext_management_systems.provider_region`.
    pub provider_region: Option<String>,
    /// By role.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// By role.
    pub authentications: BTreeMap<String, Authentication>,
    /// `workers.worker_base.event_catcher`: defaults < event_catcher_TYPE < own settings.
    pub catcher: CatcherSettings,
    /// `ems.ems_TYPE.blacklisted_event_names`.
    pub blacklisted_event_names: EventNameFilter,
    /// `ems_refresh`.
    pub refresh: RefreshSettings,
}

/// `ems_refresh` and `ems_refresh.TYPE`.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshSettings {
    /// `false`: events only.
    pub enabled: bool,
    /// `false`: every refresh is a full one.
    pub allow_targeted_refresh: bool,
    /// Between full refreshes; zero: never.
    pub refresh_interval: Duration,
    /// From so many waiting targets on, a full refresh.
    pub full_refresh_threshold: usize,
}

impl PartialEq for EmsSettings {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            name,
            provider,
            id,
            zone,
            enabled,
            provider_region,
            endpoints,
            authentications,
            catcher,
            blacklisted_event_names,
            refresh,
        } = self;
        *name == other.name
            && provider.ems_type() == other.provider.ems_type()
            && *id == other.id
            && *zone == other.zone
            && *enabled == other.enabled
            && *provider_region == other.provider_region
            && *endpoints == other.endpoints
            && *authentications == other.authentications
            && *catcher == other.catcher
            && *blacklisted_event_names == other.blacklisted_event_names
            && *refresh == other.refresh
    }
}

impl fmt::Debug for EmsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmsSettings")
            .field("name", &self.name)
            .field("type", &self.provider.ems_type())
            .finish_non_exhaustive()
    }
}
