//! TLS clients that choose for themselves whom they believe, for what is no HTTP provider: brokers, PostgreSQL, our own process.
//! Whatever is chosen, the peer must hold the key of the certificate that it shows.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;

/// Who is believed.
#[derive(Debug)]
pub enum Trust {
    /// Whoever answers: encrypted, and no more.
    Anyone,
    /// Whoever shows this very certificate.
    Certificate(CertificateDer<'static>),
    /// Whoever this verifier believes.
    Verified(Arc<dyn ServerCertVerifier>),
    /// The same, whatever name is in the certificate.
    VerifiedButForItsName(Arc<dyn ServerCertVerifier>),
}

/// The provider of cryptography that verifiers for [`Trust`] are made with.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A client without a certificate of its own.
///
/// # Errors
/// None in practice: that ring speaks no version of TLS.
pub fn client_config(trust: Trust) -> Result<ClientConfig, Error> {
    let provider = crypto_provider();
    let verifier = Arc::new(Trusting { trust, provider: provider.clone() });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Believes by [`Trust`].
#[derive(Debug)]
struct Trusting {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = |verifier: &Arc<dyn ServerCertVerifier>| {
            verifier.verify_server_cert(shown, intermediates, name, ocsp_response, now)
        };
        match &self.trust {
            Trust::Anyone => Ok(ServerCertVerified::assertion()),
            Trust::Certificate(certificate) if shown == certificate => Ok(ServerCertVerified::assertion()),
            Trust::Certificate(_) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            Trust::Verified(verifier) => verified(verifier),
            Trust::VerifiedButForItsName(verifier) => match verified(verifier) {
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                other => other,
            },
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
