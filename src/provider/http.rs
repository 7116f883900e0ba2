//! What all providers that speak HTTP share: where the endpoint is, clients, deadlines, and what an answer means.
//!
//! Clients are shared by TLS settings, not one per EMS. Bodies are bounded and admitted by the [`ByteBudget`]. It knows
//! nothing about how a provider authenticates or pages. Redirects are not followed: credentials stay where they belong.

mod body;
mod clients;
mod endpoint;
mod failure;

pub use clients::{Deadlines, install_crypto_provider};
pub use endpoint::endpoint_url;
pub use failure::HttpError;

use super::{ByteBudget, BytePermit, Ems, ProviderError};
use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use tokio::time::Instant;

/// The largest body that is read, in bytes.
pub const LARGEST_BODY: usize = 64 << 20;

/// One endpoint of one EMS, by HTTP. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    base: Url,
    deadlines: Deadlines,
    budget: ByteBudget,
}

/// A whole answer that the caller has to read: 2xx, or a 4xx that means something to the provider.
#[derive(Debug)]
pub struct Answer {
    /// Method and address, without query and credentials, for messages.
    pub asked: String,
    /// 200, 404, 410 …
    pub status: StatusCode,
    /// The server's clock.
    pub date: Option<DateTime<Utc>>,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Vec<u8>,
    /// The room that the body takes in the process.
    pub permit: BytePermit,
}

impl HttpClient {
    /// The endpoint `role` of `ems`. Opens no connection yet.
    ///
    /// # Errors
    /// Names the key of the settings that is missing or wrong.
    pub fn new(ems: &Ems, role: &str) -> Result<Self, ProviderError> {
        Self::with_deadlines(ems, role, Deadlines::default())
    }

    /// As [`HttpClient::new`], for servers that need other deadlines.
    ///
    /// # Errors
    /// As [`HttpClient::new`].
    pub fn with_deadlines(ems: &Ems, role: &str, deadlines: Deadlines) -> Result<Self, ProviderError> {
        let base = endpoint_url(ems, role)?;
        let client = clients::shared(ems.endpoint(role)?, deadlines)
            .map_err(|reason| ProviderError::new(&ems.name, format!("endpoints.{role}: {reason}")))?;
        Ok(Self { client, base, deadlines, budget: ems.budget.clone() })
    }

    /// The endpoint's address without credentials and without a slash at its end.
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The same TLS settings, deadlines and byte budget for another address that the provider gave, such as one of a
    /// service catalogue.
    pub fn at(&self, base: Url) -> Self {
        Self { base, ..self.clone() }
    }

    /// A request to the endpoint's address with `path` behind it; each of its parts is escaped.
    pub fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.client.request(method, url)
    }

    /// Sends `request` and reads the answer whole, within the deadlines.
    ///
    /// # Errors
    /// See [`HttpError`]: a refusal, 429, 3xx, 5xx, and everything that may break or stall on the way.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, HttpError> {
        self.exchange(request, refuse).await
    }

    /// As [`HttpClient::send`], for APIs whose refusals say what is missing: 401 and 403 are answers, too.
    ///
    /// # Errors
    /// As [`HttpClient::send`], without [`HttpError::Unauthorized`].
    pub async fn send_for_refusals(&self, request: RequestBuilder) -> Result<Answer, HttpError> {
        self.exchange(request, refuse_broken).await
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        refuse: fn(&str, &Response) -> Result<(), HttpError>,
    ) -> Result<Answer, HttpError> {
        let (client, request) = request.build_split();
        let request = request.map_err(|error| HttpError::transport("a request", error))?;
        let asked = asked(request.method(), request.url());
        let deadline = Instant::now() + self.deadlines.page;
        let response = tokio::time::timeout_at(deadline, client.execute(request))
            .await
            .map_err(|_| HttpError::too_slow(&asked, self.deadlines.page))?
            .map_err(|error| HttpError::transport(&asked, error))?;
        refuse(&asked, &response)?;
        let (status, date, headers) =
            (response.status(), date(response.headers()), response.headers().clone());
        let (body, permit) = body::read(&asked, response, &self.budget, (deadline, self.deadlines)).await?;
        Ok(Answer { asked, status, date, headers, body, permit })
    }
}

impl Answer {
    /// This answer, if it is a 2xx.
    ///
    /// # Errors
    /// [`HttpError::Unreachable`] with the status otherwise.
    pub fn success(self) -> Result<Self, HttpError> {
        if self.status.is_success() { Ok(self) } else { Err(self.unexpected("an answer of status 2xx")) }
    }

    /// This answer is none that the provider's API has.
    pub fn unexpected(&self, wanted: &str) -> HttpError {
        HttpError::Unreachable(format!("{} answered {} where {wanted} belongs", self.asked, self.status))
    }
}

/// Decides what the status alone decides.
fn refuse(asked: &str, response: &Response) -> Result<(), HttpError> {
    let status = response.status();
    match status.as_u16() {
        401 | 403 => Err(HttpError::Unauthorized(format!(
            "{asked} answered {status}: check the credentials in authentications"
        ))),
        _ => refuse_broken(asked, response),
    }
}

/// As [`refuse`], but for 401 and 403.
fn refuse_broken(asked: &str, response: &Response) -> Result<(), HttpError> {
    let status = response.status();
    match status.as_u16() {
        429 => Err(HttpError::Throttled {
            retry_after: failure::retry_after(response.headers()),
            message: format!("{asked} answered {status}"),
        }),
        300..=399 => Err(HttpError::Unreachable(format!(
            "{asked} answered {status} to {:?}, which is not followed: set the endpoint's url to where the API is",
            response.headers().get(LOCATION)
        ))),
        500.. => Err(HttpError::Unreachable(format!("{asked} answered {status}"))),
        _ => Ok(()),
    }
}

/// The `Date` header.
pub(crate) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

/// Method and address without what may be secret.
fn asked(method: &Method, url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    // Both fail only for addresses that cannot have credentials.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    format!("{method} {shown}")
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
