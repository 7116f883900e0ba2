//! What the pages and probes look at. One for the process; a reload of the settings replaces their part of it.

use super::access::Access;
use crate::observe::Observe;
use crate::provider::Secret;
use crate::settings::EventGroups;
use crate::vmdb::Vmdb;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Semaphore;

/// What the HTTP server shows. Cheap to clone; all clones show the same.
#[derive(Clone)]
pub struct HttpContext(Arc<Inner>);

struct Inner {
    observe: Observe,
    token: Option<Secret>,
    vmdb: RwLock<Option<Vmdb>>,
    settings: RwLock<Arc<SettingsPart>>,
    probe_turn: Arc<Semaphore>,
    page_turn: Arc<Semaphore>,
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
    pub fn new(observe: Observe, token: Option<Secret>) -> Self {
        let turn = || Arc::new(Semaphore::new(1));
        let (vmdb, settings) = (RwLock::default(), RwLock::default());
        Self(Arc::new(Inner { observe, token, vmdb, settings, probe_turn: turn(), page_turn: turn() }))
    }

    /// The VMDB is open. Until then probes and pages say that it is not.
    pub fn set_vmdb(&self, vmdb: Vmdb) {
        *self.0.vmdb.write().unwrap_or_else(PoisonError::into_inner) = Some(vmdb);
    }

    /// Shows these settings from the next request on.
    pub fn set_settings(&self, settings: SettingsPart) {
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    pub(super) fn vmdb(&self) -> Option<Vmdb> {
        self.0.vmdb.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn settings(&self) -> Arc<SettingsPart> {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn observe(&self) -> &Observe {
        &self.0.observe
    }

    /// One probe asks the VMDB at a time.
    pub(super) fn probe_turn(&self) -> Arc<Semaphore> {
        self.0.probe_turn.clone()
    }

    /// One page reads at a time.
    pub(super) fn page_turn(&self) -> Arc<Semaphore> {
        self.0.page_turn.clone()
    }

    pub(super) fn access(&self, listen: SocketAddr) -> Access {
        Access::new(self.0.token.as_ref(), listen)
    }
}
