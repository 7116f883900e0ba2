//! TLS to PostgreSQL as libpq's `sslmode` and `sslrootcert` say it.
//!
//! `require` encrypts and checks the certificate only if `sslrootcert` is given, as libpq does; `verify-ca` checks it
//! against the authority, `verify-full` the host name too.

use super::VmdbError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

const MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

/// What the URL asks for.
pub(super) struct Tls {
    mode: &'static str,
    config: Arc<ClientConfig>,
}

impl Tls {
    pub(super) fn mode(&self) -> &'static str {
        self.mode
    }

    pub(super) fn connector(&self) -> MakeRustlsConnect {
        MakeRustlsConnect::new((*self.config).clone())
    }
}

/// Takes `sslmode` and `sslrootcert` out of `url`.
///
/// # Errors
/// [`VmdbError::Refused`] for a mode that libpq does not know, and a certificate that cannot be read.
pub(super) fn take(url: &str) -> Result<(String, Tls), VmdbError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut root, mut kept) = ("prefer", None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (_, value) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default();
        match pair.split('=').next().unwrap_or_default() {
            "sslmode" => {
                mode = MODES.into_iter().find(|known| *known == value).ok_or_else(|| {
                    VmdbError::Refused(format!("vmdb.url: sslmode={value} is none of {}", MODES.join(", ")))
                })?;
            }
            "sslrootcert" => root = Some(value.into_owned()),
            _ => kept.push(pair),
        }
    }
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    Ok((url, Tls { mode, config: Arc::new(client_config(mode, root.as_deref())?) }))
}

fn client_config(mode: &str, root: Option<&str>) -> Result<ClientConfig, VmdbError> {
    let refused =
        |error: &dyn std::fmt::Display| VmdbError::Refused(format!("vmdb.url: sslrootcert: {error}"));
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match (mode, root.filter(|root| *root != "system")) {
        ("disable" | "prefer", _) | ("require", None) => {
            Arc::new(Lenient { chain: None, provider: provider.clone() })
        }
        (_, Some(root)) => {
            let mut roots = RootCertStore::empty();
            for certificate in
                CertificateDer::pem_file_iter(root).map_err(|e| refused(&format!("{root}: {e}")))?
            {
                let certificate = certificate.map_err(|e| refused(&format!("{root}: {e}")))?;
                roots.add(certificate).map_err(|e| refused(&format!("{root}: {e}")))?;
            }
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()
                .map_err(|e| refused(&format!("{root}: {e}")))?;
            by_mode(mode, chain, &provider)
        }
        (_, None) => {
            let chain = rustls_platform_verifier::Verifier::new(provider.clone()).map_err(|e| refused(&e))?;
            by_mode(mode, Arc::new(chain), &provider)
        }
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| VmdbError::Bug(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn by_mode(
    mode: &str,
    chain: Arc<dyn ServerCertVerifier>,
    provider: &Arc<CryptoProvider>,
) -> Arc<dyn ServerCertVerifier> {
    match mode {
        "verify-full" => chain,
        _ => Arc::new(Lenient { chain: Some(chain), provider: provider.clone() }),
    }
}

/// Checks the chain, if there is one, and never the host name.
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<dyn ServerCertVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
