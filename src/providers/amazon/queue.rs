//! Which queue an EMS reads, and how it is reached: read from its settings, without asking anybody.

use crate::provider::{Ems, Endpoint, ProviderError, Secret, StreamError};
use serde_json::Value;
use url::Url;

/// What ManageIQ calls the queue of an EMS; its guid follows.
const MANAGEIQ_QUEUE: &str = "manageiq-awsconfig-queue-";

/// Everything that [`super::client`] and [`super::stream`] need to know.
#[derive(Clone, Debug)]
pub(super) struct QueueSettings {
    /// The EMS's name, for logs.
    pub(super) ems: String,
    /// The queue.
    pub(super) address: QueueAddress,
    /// Signs the requests, and names AWS's address when there is no other.
    pub(super) region: String,
    /// Where requests go instead of AWS's own address.
    pub(super) endpoint_url: Option<String>,
    /// PEM of an own certificate authority.
    pub(super) certificate_authority: Option<String>,
    /// Access key id and secret; `None`: AWS's default chain (environment, profile, instance role).
    pub(super) access_key: Option<(String, Secret)>,
    /// Whether to read a queue of ManageIQ's.
    pub(super) takeover: bool,
    /// Messages in one batch, at most.
    pub(super) batch_size: usize,
}

/// How the settings name the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum QueueAddress {
    /// Whole.
    Url(String),
    /// In the account of the credentials.
    Name(String),
}

impl QueueAddress {
    /// For messages: no address that holds credentials gets here.
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Url(text) | Self::Name(text) => text,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Url(url) => url.trim_end_matches('/').rsplit('/').next().unwrap_or_default(),
            Self::Name(name) => name,
        }
    }
}

impl QueueSettings {
    /// Reads the settings of `ems`.
    ///
    /// # Errors
    /// Names the key that is missing or wrong.
    pub(super) fn new(ems: &Ems) -> Result<Self, ProviderError> {
        let wrong = |message: String| ProviderError::new(&ems.name, message);
        let queue = ems.endpoint("sqs")?;
        let default = ems.endpoints.get("default");
        let address = address(queue).map_err(&wrong)?;
        let url = match &address {
            QueueAddress::Url(url) => Some(parse_url("endpoints.sqs.url", url).map_err(&wrong)?),
            QueueAddress::Name(_) => None,
        };
        let own_address = default.and_then(address_of).map(|text| parse_url("endpoints.default", &text));
        let endpoint_url = match own_address {
            Some(own) => Some(own.map_err(&wrong)?),
            None => url.clone().filter(|url| !is_legacy(url)),
        };
        let region = ems.provider_region.clone().or_else(|| url.as_ref().and_then(region_of)).or_else(|| {
            endpoint_url.as_ref().filter(|url| !is_aws(url)).map(|_| "us-east-1".to_owned()) // any will do
        });
        Ok(Self {
            region: region.ok_or_else(|| ProviderError::missing(&ems.name, "provider_region"))?,
            endpoint_url: endpoint_url.map(|url| url.origin().ascii_serialization()),
            certificate_authority: [Some(queue), default]
                .into_iter()
                .flatten()
                .find_map(|endpoint| endpoint.certificate_authority.clone()),
            access_key: access_key(ems)?,
            takeover: flag(queue, "takeover").map_err(&wrong)?,
            batch_size: (ems.catcher.ems_event_page_size as usize).clamp(10, 1000),
            ems: ems.name.clone(),
            address,
        })
    }

    /// Two readers of one queue steal each other's messages, so a queue that looks like ManageIQ's is left alone.
    ///
    /// # Errors
    /// [`StreamError::Refused`], unless `takeover` is set.
    pub(super) fn check_owner(&self) -> Result<(), StreamError> {
        if self.takeover || !self.address.name().starts_with(MANAGEIQ_QUEUE) {
            return Ok(());
        }
        Err(StreamError::Refused(format!(
            "{} carries the name that ManageIQ gives to its own queues, and two readers of one queue steal each other's \
             messages; subscribe a queue of its own to the topic, or, when no ManageIQ reads this one any more, set \
             endpoints.sqs.takeover: true",
            self.address.shown()
        )))
    }
}

fn address(queue: &Endpoint) -> Result<QueueAddress, String> {
    match (&queue.url, queue.options.get("queue_name")) {
        (Some(url), None) => Ok(QueueAddress::Url(url.clone())),
        (None, Some(Value::String(name))) if !name.is_empty() => Ok(QueueAddress::Name(name.clone())),
        (Some(_), Some(_)) => Err("endpoints.sqs has both url and queue_name; leave one out".to_owned()),
        (None, Some(_)) => Err("endpoints.sqs.queue_name is no name; write it as text".to_owned()),
        (None, None) => Err("endpoints.sqs names no queue; add its url, or its queue_name".to_owned()),
    }
}

fn parse_url(key: &str, text: &str) -> Result<Url, String> {
    // The text is not repeated: it may hold credentials.
    let url = Url::parse(text).map_err(|error| format!("{key} is no address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("{key} is no http or https address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{key} holds credentials; move them to authentications.default"));
    }
    Ok(url)
}

/// The address that an endpoint gives, in either way of writing it.
fn address_of(endpoint: &Endpoint) -> Option<String> {
    endpoint.url.clone().or_else(|| {
        let plain = matches!(endpoint.security_protocol.as_deref(), Some("non-ssl" | "http"));
        let port = endpoint.port.map(|port| format!(":{port}")).unwrap_or_default();
        let host = endpoint.hostname.as_ref().filter(|host| !host.is_empty())?;
        Some(format!("{}://{host}{port}", if plain { "http" } else { "https" }))
    })
}

fn access_key(ems: &Ems) -> Result<Option<(String, Secret)>, ProviderError> {
    let given = ems.authentications.get("default").map(|auth| (auth.userid.clone(), auth.password.clone()));
    match given {
        None | Some((None, None)) => Ok(None),
        Some((Some(id), Some(secret))) => Ok(Some((id, secret))),
        Some((None, Some(_))) => Err(ProviderError::missing(&ems.name, "authentications.default.userid")),
        Some((Some(_), None)) => Err(ProviderError::missing(&ems.name, "authentications.default.password")),
    }
}

fn flag(endpoint: &Endpoint, key: &str) -> Result<bool, String> {
    match endpoint.options.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(format!("endpoints.sqs.{key} is neither true nor false")),
    }
}

fn is_aws(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    ["amazonaws.com", "amazonaws.com.cn", "api.aws"].iter().any(|domain| host.ends_with(domain))
}

/// Queue URLs of old name a host that the present API does not live on.
fn is_legacy(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "queue.amazonaws.com" || host.contains(".queue.amazonaws.com")
}

/// `sqs.REGION.amazonaws.com`, `vpce-….sqs.REGION.vpce.amazonaws.com`, `REGION.queue.amazonaws.com`, `queue.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    if !is_aws(url) {
        return None;
    }
    let labels: Vec<&str> = url.host_str()?.split('.').collect();
    if let Some(service) = labels.iter().position(|label| matches!(*label, "sqs" | "sqs-fips")) {
        return labels.get(service + 1).map(|region| (*region).to_owned());
    }
    match labels.iter().position(|label| *label == "queue")? {
        0 => Some("us-east-1".to_owned()),
        queue => labels.get(queue - 1).map(|region| (*region).to_owned()),
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
