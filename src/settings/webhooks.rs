//! `webhooks`: where rules may send, by name.

use super::build::{boolean, duration, number, text};
use super::tree::Node;
use crate::provider::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ATTEMPTS: u32 = 10;

/// `webhooks.NAME`
#[derive(Clone, PartialEq)]
pub struct WebhookSettings {
    /// Where it is posted to. May hold a secret in its path: not to be shown but through [`WebhookSettings::shown_url`].
    pub url: String,
    /// Signs the body, when there is one.
    pub secret: Option<Secret>,
    /// Whether it may go to private and loopback addresses.
    pub allow_private_addresses: bool,
    /// Whether it may go to link-local addresses and to those from which clouds hand out credentials.
    pub allow_link_local: bool,
    /// For a whole attempt.
    pub timeout: Duration,
    /// After so many attempts it is a dead letter.
    pub max_attempts: u32,
}

impl WebhookSettings {
    /// The address for logs and people: without its path and query.
    pub fn shown_url(&self) -> String {
        without_path(&self.url)
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings").field("url", &self.shown_url()).finish_non_exhaustive()
    }
}

/// `https://hooks.example.com/********`.
pub(super) fn without_path(text: &str) -> String {
    const STARS: &str = "********";
    let Ok(url) = url::Url::parse(text) else { return STARS.to_owned() };
    let origin = url.origin().ascii_serialization();
    match url.path() {
        "" | "/" if url.query().is_none() => origin,
        _ => format!("{origin}/{STARS}"),
    }
}

/// All of them; one without an address is told by the caller.
pub(super) fn build(section: Option<&Node>) -> BTreeMap<String, WebhookSettings> {
    let entries = section.map(Node::entries).unwrap_or_default();
    let webhook = |node: &Node| WebhookSettings {
        url: text(node, &["url"]).unwrap_or_default().to_owned(),
        secret: text(node, &["secret"]).filter(|secret| !secret.is_empty()).map(Secret::new),
        allow_private_addresses: boolean(node, &["allow_private_addresses"]).unwrap_or(false),
        allow_link_local: boolean(node, &["allow_link_local"]).unwrap_or(false),
        timeout: duration(node, &["timeout"]).unwrap_or(TIMEOUT),
        max_attempts: number(node, &["max_attempts"]).unwrap_or(MAX_ATTEMPTS),
    };
    entries.iter().map(|(name, node)| (name.clone(), webhook(node))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_address_is_not_shown() {
        assert_eq!(
            without_path("https://hooks.example.com/services/T0/s3cret?key=s3cret"),
            "https://hooks.example.com/********"
        );
        assert_eq!(without_path("http://127.0.0.1:80/"), "http://127.0.0.1");
        assert_eq!(without_path("no address: s3cret"), "********");
    }
}
