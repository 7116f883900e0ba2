//! TLS for the server: shows the certificate of `http.tls`, and the new one from the next connection on when it was read
//! again.

use crate::settings::{TlsFiles, TlsFilesError};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::{Arc, PoisonError, RwLock};

/// The certificate in force; `None`: the server speaks plain HTTP.
#[derive(Debug, Default)]
pub(super) struct Certificate(RwLock<Option<Arc<CertifiedKey>>>);

impl Certificate {
    /// Reads the files; what is wrong leaves the old certificate in force.
    pub(super) fn read(&self, files: &TlsFiles) -> Result<(), TlsFilesError> {
        let read = Arc::new(files.read()?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(())
    }

    fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How to serve with it; `None` for plain HTTP.
    pub(super) fn server_config(self: &Arc<Self>) -> Result<Option<ServerConfig>, rustls::Error> {
        if self.current().is_none() {
            return Ok(None);
        }
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        Ok(Some(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
    }
}
