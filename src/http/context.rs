//! What the pages and probes look at. One for the process; a reload of the settings replaces their part of it.

use super::access::Access;
use super::tls::Certificate;
use crate::observe::Observe;
use crate::provider::Secret;
use crate::rules::Rules;
use crate::settings::{EventGroups, TlsFiles, TlsFilesError};
use crate::vmdb::Vmdb;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Semaphore;

/// The VMDB has three readers.
const PAGES_AT_ONCE: usize = 2;
/// What would wait behind so many would not be answered in time.
const MOST_WAITING: usize = 64;

/// Each may last as long as its client likes.
const MOST_EXPORTS: usize = 16;

/// What the HTTP server shows. Cheap to clone; all clones show the same.
#[derive(Clone)]
pub struct HttpContext(Arc<Inner>);

struct Inner {
    observe: Observe,
    token: Option<Secret>,
    vmdb: RwLock<Option<Vmdb>>,
    settings: RwLock<Arc<SettingsPart>>,
    rules: RwLock<Rules>,
    probe_turn: Arc<Semaphore>,
    page_turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    certificate: Arc<Certificate>,
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
        let turns = |count| Arc::new(Semaphore::new(count));
        Self(Arc::new(Inner {
            observe,
            token,
            vmdb: RwLock::default(),
            settings: RwLock::default(),
            rules: RwLock::default(),
            probe_turn: turns(1),
            page_turns: turns(PAGES_AT_ONCE),
            waiting: turns(MOST_WAITING),
            exports: turns(MOST_EXPORTS),
            certificate: Arc::default(),
        }))
    }

    /// The VMDB is open. Until then probes and pages say that it is not.
    pub fn set_vmdb(&self, vmdb: Vmdb) {
        *self.0.vmdb.write().unwrap_or_else(PoisonError::into_inner) = Some(vmdb);
    }

    /// Shows these settings from the next request on.
    pub fn set_settings(&self, settings: SettingsPart) {
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Shows these rules from the next request on.
    pub fn set_rules(&self, rules: Rules) {
        *self.0.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    pub(super) fn rules(&self) -> Rules {
        self.0.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
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

    /// So many pages read at a time: one reader of the VMDB is left to probes.
    pub(super) fn page_turns(&self) -> Arc<Semaphore> {
        self.0.page_turns.clone()
    }

    /// So many more wait for their turn; the rest is told to come again.
    pub(super) fn waiting(&self) -> Arc<Semaphore> {
        self.0.waiting.clone()
    }

    /// So many exports are written at a time.
    pub(super) fn exports(&self) -> Arc<Semaphore> {
        self.0.exports.clone()
    }

    /// Reads the certificate that is shown from the next connection on. A server that was started without one goes on
    /// speaking plain HTTP.
    ///
    /// # Errors
    /// See [`TlsFilesError`]; then the old certificate stays in force.
    pub fn read_certificate(&self, files: &TlsFiles) -> Result<(), TlsFilesError> {
        self.0.certificate.read(files)
    }

    pub(super) fn certificate(&self) -> &Arc<Certificate> {
        &self.0.certificate
    }

    pub(super) fn access(&self, listen: SocketAddr) -> Access {
        Access::new(self.0.token.as_ref(), listen)
    }
}
