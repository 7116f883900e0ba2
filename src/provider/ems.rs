//! What a provider is told of one EMS: its identity, endpoints, credentials and catcher settings.

use super::ByteBudget;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// `ext_management_systems.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct EmsId(pub i64);

impl fmt::Display for EmsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One configured cloud manager, as its stream and collector see it.
#[derive(Clone, Debug)]
pub struct Ems {
    /// Its row's id.
    pub id: EmsId,
    /// Its unique name.
    pub name: String,
    /// `ext_management_systems.provider_region`, such as `us-east-1`.
    pub provider_region: Option<String>,
    /// By role; `default` is the main one.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// By role; `default` is the main one.
    pub authentications: BTreeMap<String, Authentication>,
    /// The catcher's settings for this EMS, all layers merged.
    pub catcher: CatcherSettings,
    /// Where a stream asks for room before it holds a page.
    pub budget: ByteBudget,
}

impl Ems {
    /// The endpoint of `role`.
    ///
    /// # Errors
    /// Names the EMS and the missing settings key.
    pub fn endpoint(&self, role: &str) -> Result<&Endpoint, ProviderError> {
        self.endpoints
            .get(role)
            .ok_or_else(|| ProviderError::missing(&self.name, &format!("endpoints.{role}")))
    }

    /// The credentials of `role`.
    ///
    /// # Errors
    /// Names the EMS and the missing settings key.
    pub fn authentication(&self, role: &str) -> Result<&Authentication, ProviderError> {
        self.authentications
            .get(role)
            .ok_or_else(|| ProviderError::missing(&self.name, &format!("authentications.{role}")))
    }
}

/// One row of `endpoints`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    /// Whole address; stands alone or is made of the three below.
    pub url: Option<String>,
    /// Host name.
    pub hostname: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Path below the host.
    pub path: Option<String>,
    /// ManageIQ's `ssl`, `ssl-with-validation`, `non-ssl` and the like.
    pub security_protocol: Option<String>,
    /// Whether the peer's certificate is checked.
    pub verify_ssl: bool,
    /// PEM of an own certificate authority.
    pub certificate_authority: Option<String>,
    /// Keys that only the provider knows ([`super::Provider::endpoint_options`]).
    pub options: BTreeMap<String, serde_json::Value>,
}

/// One set of credentials. Never stored in the VMDB.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Authentication {
    /// User, access key id, client id.
    pub userid: Option<String>,
    /// Password, token, secret access key.
    pub password: Option<Secret>,
    /// A private key or service account file's text.
    pub auth_key: Option<Secret>,
}

/// A text that cannot be printed: `Debug` and `Display` show stars.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

/// `workers.worker_base.event_catcher`: `defaults`, then the provider's section, then the EMS's own settings.
#[derive(Clone, Debug, PartialEq)]
pub struct CatcherSettings {
    /// Wait between two polls that brought nothing new.
    pub poll: Duration,
    /// Events asked for in one page.
    pub ems_event_page_size: u32,
    /// ManageIQ's flood monitor.
    pub flooding_monitor_enabled: bool,
    /// Its threshold.
    pub flooding_events_per_minute: u32,
    /// How long an orderly stop may take.
    pub ems_event_thread_shutdown_timeout: Duration,
    /// What a new EMS reads first.
    pub initial_history: InitialHistory,
}

impl Default for CatcherSettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            ems_event_page_size: 100,
            flooding_monitor_enabled: false,
            flooding_events_per_minute: 30,
            ems_event_thread_shutdown_timeout: Duration::from_secs(10),
            initial_history: InitialHistory::All,
        }
    }
}

/// What an EMS without a cursor is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialHistory {
    /// The oldest event that the provider keeps.
    All,
    /// Only what comes from now on (by the provider's clock).
    None,
    /// So far back (by the provider's clock).
    Last(Duration),
}

/// The settings of an EMS do not make a stream or a collector. Told once; tried again after SIGHUP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{ems}: {message}")]
pub struct ProviderError {
    /// The EMS's name.
    pub ems: String,
    /// What is wrong, where, and what to do.
    pub message: String,
}

impl ProviderError {
    /// `key` is not set, and the provider needs it.
    pub fn missing(ems: &str, key: &str) -> Self {
        Self::new(ems, format!("{key} is not set; add it to this EMS in the settings"))
    }

    /// Anything else.
    pub fn new(ems: &str, message: impl Into<String>) -> Self {
        Self { ems: ems.to_owned(), message: message.into() }
    }
}
