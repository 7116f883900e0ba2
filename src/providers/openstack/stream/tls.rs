//! TLS to the broker: the system's authorities, an own one beside them, or no check at all.

use super::settings::TlsSettings;
use crate::provider::tls::{Trust, client_config, crypto_provider};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls_connector::RustlsConnector;
use std::sync::Arc;

/// What makes the TLS connections of one broker.
///
/// # Errors
/// Says what is wrong with `certificate_authority`.
pub(super) fn connector(settings: &TlsSettings) -> Result<RustlsConnector, String> {
    let trust = if settings.verify {
        let own = certificates(settings.authority.as_deref())?;
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(own, crypto_provider());
        Trust::Verified(Arc::new(verifier.map_err(|error| no_certificate(&error))?))
    } else {
        Trust::Anyone
    };
    let config = client_config(trust).map_err(|error| error.to_string())?;
    Ok(RustlsConnector::from(config))
}

fn certificates(pem: Option<&str>) -> Result<Vec<CertificateDer<'static>>, String> {
    let Some(pem) = pem else { return Ok(Vec::new()) };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| no_certificate(&error))?;
    if found.is_empty() { Err(no_certificate(&"it holds no PEM certificate")) } else { Ok(found) }
}

fn no_certificate(why: &dyn std::fmt::Display) -> String {
    format!("certificate_authority is no certificate: {why}; paste its PEM text")
}
