//! The sessions of the process, one per EMS and address. Collectors come and go with each refresh; tokens stay.

use super::login::{self, Login};
use super::{Config, Keystone};
use crate::provider::{Ems, EmsId, ProviderError};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Interfaces of a service catalogue.
const INTERFACES: [&str; 3] = ["public", "internal", "admin"];

type Key = (EmsId, Option<String>);

static SESSIONS: LazyLock<Mutex<HashMap<Key, Arc<Keystone>>>> = LazyLock::new(Mutex::default);

/// The session of an EMS; another one when its settings changed. Opens no connection yet.
///
/// # Errors
/// Names the key of the settings that is missing or wrong.
pub(in super::super) fn session(ems: &Ems) -> Result<Arc<Keystone>, ProviderError> {
    let endpoint = ems.endpoint("default")?;
    let interface = login::text(ems, endpoint, "interface")?.unwrap_or_else(|| "public".to_owned());
    if !INTERFACES.contains(&interface.as_str()) {
        let message = format!("endpoints.default.interface is none of {}", INTERFACES.join(", "));
        return Err(ProviderError::new(&ems.name, message));
    }
    let config = Config {
        login: Login::new(ems)?,
        region: ems.provider_region.clone(),
        interface,
        endpoint: endpoint.clone(),
    };
    let key = (ems.id, endpoint.url.clone().or_else(|| endpoint.hostname.clone()));
    let mut sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(session) = sessions.get(&key).filter(|session| session.config == config) {
        return Ok(session.clone());
    }
    let session = Arc::new(Keystone::new(ems, config)?);
    sessions.insert(key, session.clone());
    Ok(session)
}

/// Whether an EMS is looked at across its projects, or the login's own project alone.
///
/// # Errors
/// As [`session`].
pub(in super::super) fn all_projects(ems: &Ems) -> Result<bool, ProviderError> {
    Ok(login::flag(ems, ems.endpoint("default")?, "all_projects")?.unwrap_or(true))
}
