//! `http.tls`: the certificate and key that the HTTP server shows. Read when settings are checked, and again when they are
//! read again; nothing of the key is ever told.

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};

/// Where both are, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is wrong with which file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFilesError {
    /// `http.tls.certificate`
    #[error("{}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// In words.
        reason: String,
    },
    /// `http.tls.key`
    #[error("{}: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// In words.
        reason: String,
    },
}

impl TlsFiles {
    /// Reads both and sees that they belong together.
    ///
    /// # Errors
    /// See [`TlsFilesError`].
    pub fn read(&self) -> Result<CertifiedKey, TlsFilesError> {
        let of_certificate =
            |reason: String| TlsFilesError::Certificate { path: self.certificate.clone(), reason };
        let of_key = |reason: String| TlsFilesError::Key { path: self.key.clone(), reason };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| of_certificate(in_words(&error, "certificate")))?;
        if chain.is_empty() {
            return Err(of_certificate(in_words(&Error::NoItemsFound, "certificate")));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| of_key(in_words(&error, "private key")))?;
        let key = any_supported_type(&key).map_err(|_| {
            of_key("this private key is of no kind that is known; wanted RSA, ECDSA or Ed25519".to_owned())
        })?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) => Ok(certified),
            Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
                Err(of_key("this is not the key of http.tls.certificate".to_owned()))
            }
            Err(rustls::Error::InconsistentKeys(_)) => Ok(certified),
            Err(error) => Err(of_certificate(format!("it cannot be used: {error}"))),
        }
    }

    /// Both relative to a folder.
    #[must_use]
    pub fn below(folder: &Path, certificate: &str, key: &str) -> Self {
        Self { certificate: folder.join(certificate), key: folder.join(key) }
    }
}

fn in_words(error: &Error, wanted: &str) -> String {
    match error {
        Error::Io(error) => {
            format!("cannot be read ({error}); relative paths start at the working directory")
        }
        Error::NoItemsFound => format!("it holds no {wanted}; wanted PEM text (-----BEGIN …)"),
        other => format!("it is no PEM text with a {wanted}: {other}"),
    }
}
