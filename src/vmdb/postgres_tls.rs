//! TLS to PostgreSQL as libpq's `sslmode` and `sslrootcert` say it.
//!
//! `require` encrypts and checks the certificate only if `sslrootcert` is given, as libpq does; `verify-ca` checks it
//! against the authority, `verify-full` the host name too.

use super::VmdbError;
use crate::provider::tls::{self, Trust, crypto_provider};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
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
    let trust = match (mode, root.filter(|root| *root != "system")) {
        ("disable" | "prefer", _) | ("require", None) => Trust::Anyone,
        (_, Some(root)) => {
            let mut roots = RootCertStore::empty();
            for certificate in
                CertificateDer::pem_file_iter(root).map_err(|e| refused(&format!("{root}: {e}")))?
            {
                let certificate = certificate.map_err(|e| refused(&format!("{root}: {e}")))?;
                roots.add(certificate).map_err(|e| refused(&format!("{root}: {e}")))?;
            }
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto_provider())
                .build()
                .map_err(|e| refused(&format!("{root}: {e}")))?;
            by_mode(mode, chain)
        }
        (_, None) => {
            let chain =
                rustls_platform_verifier::Verifier::new(crypto_provider()).map_err(|e| refused(&e))?;
            by_mode(mode, Arc::new(chain))
        }
    };
    tls::client_config(trust).map_err(|error| VmdbError::Bug(error.to_string()))
}

fn by_mode(mode: &str, chain: Arc<dyn ServerCertVerifier>) -> Trust {
    match mode {
        "verify-full" => Trust::Verified(chain),
        _ => Trust::VerifiedButForItsName(chain),
    }
}
