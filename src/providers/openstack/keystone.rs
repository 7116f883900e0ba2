//! Keystone v3: who we are, the token, and where the services are.
//!
//! A session is shared by all refreshes of an EMS, so that a token serves until shortly before it expires. Nothing of it is
//! ever stored.

mod catalogue;
mod login;
mod notes;
mod sessions;

pub(super) use catalogue::{Missing, Service, project_suffix, version_root};
pub(super) use sessions::{all_projects, session};

use crate::provider::http::{Answer, HttpClient};
use crate::provider::{Ems, ProviderError, RefreshError, Secret};
use catalogue::Catalogue;
use login::Login;
use notes::Notes;
use reqwest::{Method, Url};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

/// A token is renewed so long before it expires; of one that lives shortly, a quarter of its life before.
const AHEAD: Duration = Duration::from_secs(300);

/// So long a refused login is not tried again, whoever asks: what waited for it would each try on, and accounts get locked.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// What a session is made from; another one makes another session.
#[derive(Clone, Debug, PartialEq)]
struct Config {
    login: Login,
    region: Option<String>,
    interface: String,
    /// The TLS settings of Keystone, which serve for all services.
    endpoint: crate::provider::Endpoint,
}

/// One user's session with one cloud.
#[derive(Debug)]
pub(super) struct Keystone {
    http: HttpClient,
    config: Config,
    held: Mutex<Held>,
    /// Kept for the collectors of this session.
    pub(super) notes: Notes,
}

/// What the last login brought.
#[derive(Debug)]
enum Held {
    Nothing,
    Pass(Arc<Pass>),
    /// When, and what Keystone said.
    Refused(Instant, String),
}

/// What Keystone gave: good until it expires, or until a service refuses it.
#[derive(Debug)]
pub(super) struct Pass {
    /// `X-Auth-Token`.
    pub(super) token: Secret,
    /// The project that the token is for.
    pub(super) project_id: Option<String>,
    /// The lowest and the highest microversion of Nova, once they were asked for.
    pub(super) nova_versions: OnceCell<(Microversion, Microversion)>,
    /// Whether this token shows the things of all projects, once that was found out.
    pub(super) sees_all: OnceCell<bool>,
    catalogue: Catalogue,
    renew_at: Instant,
}

/// Such as 2.46.
pub(super) type Microversion = (u32, u32);

impl Keystone {
    fn new(ems: &Ems, config: Config) -> Result<Self, ProviderError> {
        let http = HttpClient::new(ems, "default")?;
        Ok(Self { http, config, held: Mutex::new(Held::Nothing), notes: Notes::default() })
    }

    /// The token that is good now; of many callers one fetches it.
    ///
    /// # Errors
    /// See [`RefreshError`]: refused credentials are [`RefreshError::Unauthorized`].
    pub(super) async fn pass(&self) -> Result<Arc<Pass>, RefreshError> {
        let mut held = self.held.lock().await;
        match &*held {
            Held::Pass(pass) if Instant::now() < pass.renew_at => return Ok(pass.clone()),
            Held::Refused(at, message) if Instant::now() < *at + REFUSED_FOR => {
                return Err(RefreshError::Unauthorized(message.clone()));
            }
            Held::Pass(_) | Held::Refused(..) | Held::Nothing => {}
        }
        // What is too old is not used again, whatever comes now.
        *held = Held::Nothing;
        match self.log_in().await {
            Ok(pass) => {
                let pass = Arc::new(pass);
                *held = Held::Pass(pass.clone());
                Ok(pass)
            }
            Err(error) => {
                if let RefreshError::Unauthorized(message) = &error {
                    *held = Held::Refused(Instant::now(), message.clone());
                }
                Err(error)
            }
        }
    }

    /// Another token than `refused`, which a service did not take although it has not expired.
    ///
    /// # Errors
    /// As [`Keystone::pass`].
    pub(super) async fn pass_after(&self, refused: &Arc<Pass>) -> Result<Arc<Pass>, RefreshError> {
        let mut held = self.held.lock().await;
        if matches!(&*held, Held::Pass(pass) if Arc::ptr_eq(pass, refused)) {
            *held = Held::Nothing;
        }
        drop(held);
        self.pass().await
    }

    /// A client for a service. Identity is where the settings say; the others are where the catalogue says.
    ///
    /// # Errors
    /// When the catalogue does not tell it.
    pub(super) fn client(&self, pass: &Pass, service: Service) -> Result<HttpClient, Missing> {
        let base = match service {
            Service::Identity => self.http.base().to_owned(),
            _ => pass.catalogue.url(service, self.config.region.as_deref(), &self.config.interface)?,
        };
        let broken = |error| Missing::Unclear(format!("the address {base:?} of the catalogue: {error}"));
        let url = Url::parse(&base).map_err(broken)?;
        Ok(self.http.at(version_root(&url, service, pass.project_id.as_deref())))
    }

    async fn log_in(&self) -> Result<Pass, RefreshError> {
        let base = Url::parse(self.http.base());
        let base =
            base.map_err(|error| RefreshError::Unreachable(format!("endpoints.default.url: {error}")))?;
        let http = self.http.at(version_root(&base, Service::Identity, None));
        let body = self.config.login.body();
        let request = http.request(Method::POST, &["auth", "tokens"]).json(&body);
        let answer = http.send_for_refusals(request).await?;
        let pass = self.read(answer)?;
        pass.catalogue.check(self.config.region.as_deref())?;
        Ok(pass)
    }

    fn read(&self, answer: Answer) -> Result<Pass, RefreshError> {
        let asked = &answer.asked;
        match answer.status.as_u16() {
            200 | 201 => {}
            401 | 403 => {
                return Err(RefreshError::Unauthorized(format!(
                    "{asked} answered {}: {}; check {}",
                    answer.status,
                    refusal(&answer.body),
                    self.config.login.settings()
                )));
            }
            _ => return Err(answer.unexpected("a token").into()),
        }
        let token = answer.headers.get("X-Subject-Token").and_then(|value| value.to_str().ok());
        let token = token.filter(|token| !token.is_empty()).map(Secret::new);
        let told: Told = serde_json::from_slice(&answer.body).map_err(|error| {
            RefreshError::Malformed(format!("{asked}: no token that we can read: {error}"))
        })?;
        let token = token.ok_or_else(|| {
            RefreshError::Malformed(format!("{asked}: the answer has no header X-Subject-Token"))
        })?;
        let told = told.token;
        Ok(Pass {
            token,
            renew_at: Instant::now() + usable_for(told.issued_at, told.expires_at),
            project_id: told.project.map(|project| project.id),
            nova_versions: OnceCell::new(),
            sees_all: OnceCell::new(),
            catalogue: Catalogue::new(told.catalog),
        })
    }
}

/// How long a token is used, by Keystone's own clock.
fn usable_for(issued: chrono::DateTime<chrono::Utc>, expires: chrono::DateTime<chrono::Utc>) -> Duration {
    let lifetime = (expires - issued).to_std().unwrap_or_default();
    lifetime - AHEAD.min(lifetime / 4)
}

#[derive(Deserialize)]
struct Told {
    token: ToldToken,
}

#[derive(Deserialize)]
struct ToldToken {
    issued_at: chrono::DateTime<chrono::Utc>,
    expires_at: chrono::DateTime<chrono::Utc>,
    project: Option<ToldProject>,
    #[serde(default)]
    catalog: Vec<catalogue::ServiceEntry>,
}

#[derive(Deserialize)]
struct ToldProject {
    id: String,
}

/// What the body of a refusal says: OpenStack's services put a `message` into it, each somewhere else.
pub(super) fn refusal(body: &[u8]) -> String {
    fn message(value: &serde_json::Value, depth: u32) -> Option<&str> {
        let members = value.as_object().filter(|_| depth < 4)?;
        let own = members.get("message").and_then(serde_json::Value::as_str);
        own.or_else(|| members.values().find_map(|value| message(value, depth + 1)))
    }
    let value: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = value.as_ref().and_then(|value| message(value, 0)).unwrap_or("it does not say why");
    text.chars().filter(|sign| !sign.is_control()).take(300).collect()
}

impl From<Missing> for RefreshError {
    fn from(missing: Missing) -> Self {
        Self::Unreachable(missing.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_it_expires_whatever_our_clock_says() {
        let at = |text: &str| text.parse().unwrap();
        let (issued, later) = (at("2026-11-22T11:27:51Z"), at("2026-11-22T12:27:51Z"));
        assert_eq!(usable_for(issued, later), Duration::from_secs(3300));
        assert_eq!(usable_for(issued, at("2026-11-22T11:28:31Z")), Duration::from_secs(30));
        assert_eq!(usable_for(later, issued), Duration::ZERO);
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_service() {
        for (body, told) in [
            (
                r#"{"forbidden": {"code": 403, "message": "Policy doesn't allow x"}}"#,
                "Policy doesn't allow x",
            ),
            (r#"{"NeutronError": {"type": "P", "message": "no"}}"#, "no"),
            (r#"{"message": "line\nline"}"#, "lineline"),
            ("<html>", "it does not say why"),
            ("{}", "it does not say why"),
        ] {
            assert_eq!(refusal(body.as_bytes()), told);
        }
    }
}
