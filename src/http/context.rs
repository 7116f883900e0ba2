//! What the pages and probes look at. One for the process; a reload of the settings replaces their part of it.

use super::access::Access;
use super::probes::VmdbProbe;
use crate::observe::Observe;
use crate::provider::Secret;
use crate::settings::EventGroups;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// What the HTTP server shows. Cheap to clone; all clones show the same.
#[derive(Clone)]
pub struct HttpContext(Arc<Inner>);

struct Inner {
    observe: Observe,
    probe: VmdbProbe,
    token: Option<Secret>,
    settings: RwLock<Arc<SettingsPart>>,
}

/// What of the settings is shown; replaced when they are read again.
#[derive(Clone, Debug, Default)]
pub struct SettingsPart {
    /// Under which heading each event type stands.
    pub event_groups: EventGroups,
    /// Names of the EMSs whose event catcher should be running: enabled and not paused.
    pub event_catchers: Vec<String>,
}

impl HttpContext {
    /// `token` is what a request must bear, probes excepted; without one nothing is asked for.
    pub fn new(observe: Observe, probe: VmdbProbe, token: Option<Secret>) -> Self {
        Self(Arc::new(Inner { observe, probe, token, settings: RwLock::default() }))
    }

    /// Shows these settings from the next request on.
    pub fn set_settings(&self, settings: SettingsPart) {
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    pub(super) fn settings(&self) -> Arc<SettingsPart> {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn observe(&self) -> &Observe {
        &self.0.observe
    }

    pub(super) fn probe(&self) -> &VmdbProbe {
        &self.0.probe
    }

    pub(super) fn access(&self, listen: SocketAddr) -> Access {
        Access::new(self.0.token.as_ref(), listen)
    }
}
