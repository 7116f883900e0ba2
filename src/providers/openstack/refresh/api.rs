//! One request to a service: with the token, with another one when the service refuses it, and with the microversion.

use super::super::keystone::{self, Keystone, Microversion, Missing, Pass, Service, project_suffix};
use crate::provider::http::{Answer, HttpClient};
use crate::provider::{Ems, ProviderError, RefreshError};
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde::Deserialize;
use std::sync::Arc;

/// Why there is no answer to read.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The cloud does not have the service: its kinds are left out.
    NoService(String),
    /// The rights do not suffice: this kind is left out.
    Forbidden(String),
    /// The refresh fails.
    Failed(RefreshError),
}

impl<E: Into<RefreshError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A request.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// Whom.
    pub service: Service,
    /// Below the service's root.
    pub path: &'a [&'a str],
    /// Names and values.
    pub query: &'a [(String, String)],
    /// Nova's highest microversion that gives what we read.
    pub most: Option<Microversion>,
}

/// The APIs of one cloud.
pub(super) struct Api {
    keystone: Arc<Keystone>,
    /// Whether the things of all projects are asked for.
    pub(super) all_projects: bool,
}

impl Api {
    pub(super) fn new(ems: &Ems) -> Result<Self, ProviderError> {
        Ok(Self { keystone: keystone::session(ems)?, all_projects: keystone::all_projects(ems)? })
    }

    /// What outlives this refresh.
    pub(super) fn keystone(&self) -> &Keystone {
        &self.keystone
    }

    /// `GET`. Gives 2xx, and 4xx other than 401, 403 and 429.
    pub(super) async fn get(&self, ask: Ask<'_>) -> Result<Answer, Trouble> {
        let pass = self.keystone.pass().await?;
        let mut answer = self.ask(&pass, ask).await?;
        if answer.status.as_u16() == 401 {
            // Revoked, or Keystone's keys were rotated: what has not expired may be refused all the same.
            let other = self.keystone.pass_after(&pass).await?;
            answer = self.ask(&other, ask).await?;
        }
        let told = |answer: &Answer| {
            format!("{} answered {}: {}", answer.asked, answer.status, keystone::refusal(&answer.body))
        };
        match answer.status.as_u16() {
            401 => Err(Trouble::Failed(RefreshError::Unauthorized(format!(
                "{}; the token was new, so {} does not trust this Keystone: look at its [keystone_authtoken]",
                told(&answer),
                ask.service.name()
            )))),
            403 => Err(Trouble::Forbidden(told(&answer))),
            _ => Ok(answer),
        }
    }

    async fn ask(&self, pass: &Arc<Pass>, ask: Ask<'_>) -> Result<Answer, Trouble> {
        let client = self.keystone.client(pass, ask.service).map_err(|missing| match missing {
            Missing::Service(message) => Trouble::NoService(message),
            Missing::Unclear(message) => Trouble::Failed(RefreshError::Unreachable(message)),
        })?;
        let mut token = HeaderValue::from_str(pass.token.expose()).map_err(|_| {
            RefreshError::Malformed("Keystone's token holds what no header can carry".to_owned())
        })?;
        token.set_sensitive(true);
        let mut request =
            client.request(Method::GET, ask.path).query(ask.query).header("X-Auth-Token", token);
        if let Some(most) = ask.most {
            let (lowest, highest) = nova_versions(pass, &client).await?;
            let (major, minor) = chosen(most, lowest, highest);
            request = request
                .header("OpenStack-API-Version", format!("compute {major}.{minor}"))
                // Before 2.27 this was its name.
                .header("X-OpenStack-Nova-API-Version", format!("{major}.{minor}"));
        }
        Ok(client.send_for_refusals(request).await?)
    }

    /// Whether what is not shown is not there: a login that lost its rights is shown less, and most services do not say so.
    /// Nova does, which refuses the list of all projects.
    pub(super) async fn sees_all(&self) -> Result<bool, Trouble> {
        if !self.all_projects {
            return Ok(true);
        }
        let pass = self.keystone.pass().await?;
        if let Some(sees_all) = pass.sees_all.get() {
            return Ok(*sees_all);
        }
        let query = [("all_tenants", "1"), ("limit", "1")].map(|(name, value)| (name.into(), value.into()));
        let ask = Ask { service: Service::Compute, path: &["servers"], query: &query, most: None };
        let sees_all = match self.get(ask).await {
            Ok(answer) => {
                answer.success()?;
                true
            }
            Err(Trouble::Forbidden(_)) => false,
            // Nobody to ask.
            Err(Trouble::NoService(_)) => true,
            Err(Trouble::Failed(error)) => return Err(Trouble::Failed(error)),
        };
        self.note_sees_all(sees_all).await?;
        Ok(sees_all)
    }

    /// As found out by listing the servers.
    pub(super) async fn note_sees_all(&self, sees_all: bool) -> Result<(), Trouble> {
        let pass = self.keystone.pass().await?;
        // Known already: it is the same token.
        let _ = pass.sees_all.set(sees_all);
        Ok(())
    }
}

/// The microversion to speak: the highest that both know and that still gives what we read.
fn chosen(most: Microversion, lowest: Microversion, highest: Microversion) -> Microversion {
    most.min(highest).max(lowest)
}

/// From Nova's version document, once for each token.
async fn nova_versions(
    pass: &Pass,
    client: &HttpClient,
) -> Result<(Microversion, Microversion), RefreshError> {
    let versions = pass.nova_versions.get_or_try_init(|| async {
        let base = project_suffix(client.base(), pass.project_id.as_deref()).unwrap_or(client.base());
        let url = Url::parse(base).map_err(|error| RefreshError::Unreachable(format!("{base}: {error}")))?;
        let above = client.at(url);
        let answer = above.send(above.request(Method::GET, &[""])).await?.success()?;
        read_versions(&answer.body).ok_or_else(|| {
            RefreshError::Malformed(format!("{}: the body is no version document of Nova", answer.asked))
        })
    });
    versions.await.copied()
}

fn read_versions(body: &[u8]) -> Option<(Microversion, Microversion)> {
    #[derive(Deserialize)]
    struct Document {
        version: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        #[serde(default)]
        min_version: String,
        #[serde(default)]
        version: String,
    }
    let Version { min_version, version } = serde_json::from_slice::<Document>(body).ok()?.version;
    let number = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    // Old ones leave both empty: they have no microversions, and pass over our header.
    Some((number(&min_version).unwrap_or((2, 1)), number(&version).unwrap_or((2, 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_microversion_is_the_highest_that_both_know_and_that_gives_what_we_read() {
        assert_eq!(chosen((2, 46), (2, 1), (2, 93)), (2, 46));
        assert_eq!(chosen((2, 46), (2, 1), (2, 25)), (2, 25));
        assert_eq!(chosen((2, 46), (2, 60), (2, 93)), (2, 60));
    }

    #[test]
    fn the_recorded_version_document_is_read() {
        let recorded: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/data/openstack/rest/compute_versions.json"))
                .unwrap();
        assert_eq!(read_versions(recorded["body"].to_string().as_bytes()), Some(((2, 1), (2, 93))));
        assert_eq!(read_versions(br#"{"version": {"id": "v2.0", "version": ""}}"#), Some(((2, 1), (2, 1))));
        assert_eq!(read_versions(b"[]"), None);
    }
}
