//! The SQS client: credentials, address, deadlines, TLS. One HTTP client for all EMSs with the same TLS settings.

use super::clock::QueueClock;
use super::errors::chain;
use super::queue::QueueSettings;
use crate::provider::StreamError;
use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{Builder, Credentials, ProvideCredentials, Region, SharedHttpClient};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::sync::OnceLock;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the answer begins, beyond what the request itself lets SQS wait: a connection that died unnoticed is given up then.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// From then until the whole answer is there.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

static PLAIN: OnceLock<SharedHttpClient> = OnceLock::new();
static PUBLIC_AUTHORITIES: OnceLock<SharedHttpClient> = OnceLock::new();

/// A client for the queue of `settings`, which keeps `clock` going. Asks nobody when the settings hold an access key.
///
/// # Errors
/// [`StreamError::Unauthorized`] when there are no credentials, [`StreamError::Refused`] when the own certificate authority
/// is none.
pub(super) async fn client(settings: &QueueSettings, clock: QueueClock) -> Result<Client, StreamError> {
    let http_client = http_client(settings)?;
    let region = Region::new(settings.region.clone());
    let builder = match &settings.access_key {
        Some((id, secret)) => Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(id, secret.expose(), None, None, "settings"))
            .region(region)
            .http_client(http_client),
        None => from_default_chain(settings, region, http_client).await?,
    };
    let mut builder = builder
        .timeout_config(timeouts(Duration::ZERO))
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .interceptor(clock);
    builder.set_endpoint_url(
        settings.endpoint_url.clone().or_else(|| std::env::var("AWS_ENDPOINT_URL_SQS").ok()),
    );
    Ok(Client::from_conf(builder.build()))
}

/// The deadlines of a request that SQS may leave unanswered for `silence`, as it does with a long poll.
pub(super) fn timeouts(silence: Duration) -> TimeoutConfig {
    let answer = silence + ANSWER_TIMEOUT;
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(answer)
        .operation_attempt_timeout(CONNECT_TIMEOUT + answer + BODY_TIMEOUT)
        .build()
}

async fn from_default_chain(
    settings: &QueueSettings,
    region: Region,
    http_client: SharedHttpClient,
) -> Result<Builder, StreamError> {
    let shared =
        aws_config::defaults(BehaviorVersion::latest()).region(region).http_client(http_client).load().await;
    let found = match shared.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.map(drop).map_err(|error| chain(&error)),
        None => Err("there is no credentials provider".to_owned()),
    };
    found.map_err(|reason| {
        StreamError::Unauthorized(format!(
            "no credentials for {}: {reason}; set userid (access key id) and password (secret access key) of \
             authentications.default, or give this process an AWS profile or role",
            settings.address.shown()
        ))
    })?;
    Ok(Builder::from(&shared))
}

fn http_client(settings: &QueueSettings) -> Result<SharedHttpClient, StreamError> {
    // Without TLS no certificates are needed; but what finds credentials elsewhere may want TLS all the same.
    let plain = settings.endpoint_url.as_ref().is_some_and(|url| url.starts_with("http://"));
    if plain && settings.access_key.is_some() {
        return Ok(PLAIN.get_or_init(|| aws_smithy_http_client::Builder::new().build_http()).clone());
    }
    let Some(pem) = &settings.certificate_authority else {
        return Ok(PUBLIC_AUTHORITIES.get_or_init(|| with_tls(TlsContext::default())).clone());
    };
    check_certificates(pem)?;
    let trusted = TrustStore::empty().with_native_roots(true).with_pem_certificate(pem.as_bytes());
    let context = TlsContext::builder().with_trust_store(trusted).build();
    Ok(with_tls(context.map_err(|error| no_certificate(&chain(&error)))?))
}

/// The HTTP client panics at a certificate that is none, so it is read here first.
fn check_certificates(pem: &str) -> Result<(), StreamError> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| no_certificate(&error.to_string()))?;
        roots.add(certificate).map_err(|error| no_certificate(&chain(&error)))?;
    }
    if roots.is_empty() { Err(no_certificate("it holds no PEM certificate")) } else { Ok(()) }
}

fn with_tls(context: TlsContext) -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https()
}

fn no_certificate(why: &str) -> StreamError {
    StreamError::Refused(format!("certificate_authority is no certificate: {why}; paste its PEM text"))
}
