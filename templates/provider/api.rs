//! The connection that stream and collector share. Ruby: `with_provider_connection`.
//!
//! It knows how to ask and what each refusal means; what is asked, and what becomes of the answer, is theirs.

use crate::provider::{Ems, ProviderError, Secret, StreamError};
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{DATE, RETRY_AFTER};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// One EMS's address and token.
pub struct Api {
    client: reqwest::Client,
    url: String,
    token: Secret,
}

impl Api {
    /// Reads the settings; connects to nothing yet.
    pub fn new(ems: &Ems) -> Result<Self, ProviderError> {
        let missing = |key| ProviderError::missing(&ems.name, key);
        let url = ems.endpoint("default")?.url.as_ref().ok_or_else(|| missing("endpoints.default.url"))?;
        let token = ems.authentication("default")?.password.clone();
        // A second call changes nothing; the first one chooses the cryptography for TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| ProviderError::new(&ems.name, error.to_string()))?;
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            token: token.ok_or_else(|| missing("authentications.default.password"))?,
        })
    }

    /// Where the provider is; it names the source of a cursor.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `GET <url>/<path>?<parameters>`: the answer, and the provider's clock.
    ///
    /// # Errors
    /// The variant says what the house does next: back off, wait, or ask for other credentials.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<(T, DateTime<Utc>), StreamError> {
        let url = format!("{}/{path}", self.url);
        let unreachable = |why: &dyn std::fmt::Display| StreamError::Unreachable(format!("GET {url}: {why}"));
        let request = self.client.get(&url).query(parameters).bearer_auth(self.token.expose());
        let answer = request.send().await.map_err(|error| unreachable(&error.without_url()))?;
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        match answer.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let hint = "check authentications.default.password";
                return Err(StreamError::Unauthorized(format!("GET {url}: {status}; {hint}")));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = header(RETRY_AFTER).and_then(|text| text.parse().ok()).unwrap_or(1);
                let message = format!("GET {url}: too many requests");
                return Err(StreamError::Throttled { retry_after: Duration::from_secs(seconds), message });
            }
            status => return Err(unreachable(&status)),
        }
        let date = header(DATE).and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        let now = date.ok_or_else(|| unreachable(&"the answer has no Date"))?.to_utc();
        let body = answer.json().await.map_err(|error| unreachable(&error.without_url()))?;
        Ok((body, now))
    }
}
