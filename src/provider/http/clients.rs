//! One `reqwest::Client` per TLS settings and deadlines in the whole process, so that 500 EMSs share their pools.

use crate::provider::Endpoint;
use reqwest::{Certificate, Client, redirect};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, Once, PoisonError};
use std::time::Duration;

/// How long a server may let us wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deadlines {
    /// Until the connection stands.
    pub connect: Duration,
    /// Without a byte.
    pub silence: Duration,
    /// For the whole answer, so that a server which drips byte by byte does not hold a stream for ever. The wait for
    /// room in the byte budget does not count.
    pub page: Duration,
}

impl Default for Deadlines {
    /// 5 s, 30 s, 2 minutes.
    fn default() -> Self {
        let [connect, silence, page] = [5, 30, 120].map(Duration::from_secs);
        Self { connect, silence, page }
    }
}

type Key = (bool, Option<String>, Deadlines);

static CLIENTS: LazyLock<Mutex<HashMap<Key, Client>>> = LazyLock::new(Mutex::default);

/// Makes ring the process's TLS provider, once. Every user of rustls in the house may call it.
pub fn install_crypto_provider() {
    static INSTALLED: Once = Once::new();
    // An error says that there is one already, which is what we want.
    INSTALLED.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// The client for the TLS settings of `endpoint`.
pub(super) fn shared(endpoint: &Endpoint, deadlines: Deadlines) -> Result<Client, String> {
    let verify =
        endpoint.verify_ssl && endpoint.security_protocol.as_deref() != Some("ssl-without-validation");
    let key = (verify, endpoint.certificate_authority.clone(), deadlines);
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(&key) {
        return Ok(client.clone());
    }
    let client = build(&key)?;
    clients.insert(key, client.clone());
    Ok(client)
}

fn build((verify, authority, deadlines): &Key) -> Result<Client, String> {
    install_crypto_provider();
    let mut builder = Client::builder()
        .user_agent(concat!("catchall/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(deadlines.connect)
        .read_timeout(deadlines.silence)
        .pool_idle_timeout(Duration::from_secs(30));
    if let Some(pem) = authority {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| format!("certificate_authority is no PEM certificate: {error}"))?;
        if certificates.is_empty() {
            return Err("certificate_authority holds no PEM certificate".to_owned());
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if !verify {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.build().map_err(|error| format!("no TLS client can be made of certificate_authority: {error}"))
}
