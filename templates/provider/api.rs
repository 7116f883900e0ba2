//! The connection that stream and collector share. Ruby: `with_provider_connection`.
//!
//! It knows how this provider's requests are made and signed. What is asked, and what becomes of the answer, is theirs;
//! deadlines, refusals and TLS are the house's (`provider::http`).

use crate::provider::http::{Answer, HttpClient, HttpError};
use crate::provider::{Ems, ProviderError, Secret};
use reqwest::Method;

/// One EMS's address and token.
pub struct Api {
    http: HttpClient,
    token: Secret,
}

impl Api {
    /// Reads the settings; connects to nothing yet.
    pub fn new(ems: &Ems) -> Result<Self, ProviderError> {
        let token = ems.authentication("default")?.password.clone();
        let missing = || ProviderError::missing(&ems.name, "authentications.default.password");
        Ok(Self { http: HttpClient::new(ems, "default")?, token: token.ok_or_else(missing)? })
    }

    /// Where the provider is; it names the source of a cursor.
    pub fn url(&self) -> &str {
        self.http.base()
    }

    /// `GET <url>/<path>?<parameters>`.
    ///
    /// # Errors
    /// See [`HttpError`]: each variant becomes the stream's or the collector's decision of the same name.
    pub async fn get(&self, path: &str, parameters: &[(&str, String)]) -> Result<Answer, HttpError> {
        let request = self.http.request(Method::GET, &[path]).query(parameters);
        self.http.send(request.bearer_auth(self.token.expose())).await
    }
}
