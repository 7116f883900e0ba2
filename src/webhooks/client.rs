//! The one attempt: a post, and what its answer means. Follows no redirect, asks no proxy, and connects only where the
//! webhook's guard lets it.

use super::address_guard::{AddressGuard, GuardedResolver, RefusedAddress};
use super::answer::{self, Verdict};
use super::request::WebhookRequest;
use crate::clock;
use crate::provider::http::install_crypto_provider;
use crate::settings::WebhookSettings;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, redirect};
use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Until the connection stands; the webhook's own `timeout` is for all of the attempt.
const CONNECT: Duration = Duration::from_secs(5);
/// What is read of an answer.
const MOST_BYTES: usize = 4096;

/// Clients by what they may connect to: a connection that one webhook was allowed is not another's.
#[derive(Default)]
pub struct Clients(HashMap<AddressGuard, Client>);

impl Clients {
    /// The client for this webhook.
    ///
    /// # Errors
    /// In words, when TLS cannot be set up.
    pub fn of(&mut self, guard: AddressGuard) -> Result<Client, String> {
        if let Some(client) = self.0.get(&guard) {
            return Ok(client.clone());
        }
        install_crypto_provider();
        let client = Client::builder()
            .user_agent(concat!("catchall/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // A proxy would resolve the name itself, unguarded.
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver(guard)))
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| format!("no TLS client can be made for webhooks: {error}"))?;
        self.0.insert(guard, client.clone());
        Ok(client)
    }
}

/// What the settings of this webhook allow.
pub fn guard_of(settings: &WebhookSettings) -> AddressGuard {
    AddressGuard {
        allow_private_addresses: settings.allow_private_addresses,
        allow_link_local: settings.allow_link_local,
    }
}

/// Posts once.
pub async fn post(client: &Client, settings: &WebhookSettings, request: WebhookRequest) -> Verdict {
    let Ok(url) = url::Url::parse(&settings.url) else {
        return Verdict::Never("the webhook's `url` is no address; correct it, and retry".to_owned());
    };
    if let Err(refused) = guard_of(settings).check_literal(&url) {
        return Verdict::Never(refused.to_string());
    }
    let mut asked = client.post(url).timeout(settings.timeout).body(request.body);
    for (name, value) in request.headers {
        asked = asked.header(name, value);
    }
    match asked.send().await {
        Ok(response) => judge(response).await,
        Err(error) => failure(error, settings.timeout),
    }
}

async fn judge(mut response: Response) -> Verdict {
    let status = response.status();
    let wanted = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = wanted.and_then(|value| answer::retry_after(value, clock::now()));
    let mut said = Vec::new();
    // The status is the answer; a body that breaks off or is too slow changes nothing.
    while said.len() < MOST_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => said.extend_from_slice(&chunk[..chunk.len().min(MOST_BYTES - said.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    answer::verdict(status, retry_after, &String::from_utf8_lossy(&said))
}

/// What went wrong before there was an answer, without the address, which may hold a secret.
fn failure(error: reqwest::Error, timeout: Duration) -> Verdict {
    let error = error.without_url();
    if let Some(refused) = causes(&error).find_map(|cause| cause.downcast_ref::<RefusedAddress>()) {
        return Verdict::Never(refused.to_string());
    }
    if error.is_builder() {
        return Verdict::Never(format!("it cannot be posted: {error}"));
    }
    if error.is_timeout() && !error.is_connect() {
        return Verdict::unreachable(format!("no answer within {timeout:?}"));
    }
    let causes: Vec<_> = causes(&error).map(ToString::to_string).collect();
    Verdict::unreachable(answer::in_one_line(&causes.join(": ")))
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
}
