//! Which brokers, which queue, which exchanges: read from the settings of an EMS, without asking anybody.

use super::topics::{Topics, topics};
use crate::provider::{Ems, Endpoint, ProviderError, Secret};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::Duration;

/// Roles of the endpoints, in the order in which they are tried.
const ROLES: [&str; 10] = [
    "amqp",
    "amqp_fallback1",
    "amqp_fallback2",
    "amqp_fallback3",
    "amqp_fallback4",
    "amqp_fallback5",
    "amqp_fallback6",
    "amqp_fallback7",
    "amqp_fallback8",
    "amqp_fallback9",
];
const PLAIN_PORT: u16 = 5672;
const TLS_PORT: u16 = 5671;
/// Messages that the queue keeps, unless `queue_length` says otherwise: some 300 to 500 MB of the broker's disk.
const QUEUE_LENGTH: u32 = 100_000;
/// How long the broker keeps a queue that nobody reads.
const QUEUE_EXPIRY: Duration = Duration::from_secs(3 * 24 * 3600);

/// Everything that the stream needs to know.
#[derive(Clone, Debug)]
pub(super) struct AmqpSettings {
    /// The EMS's name, for logs.
    pub(super) ems: String,
    /// In the order in which they are tried.
    pub(super) brokers: Vec<Broker>,
    pub(super) user: String,
    pub(super) password: Secret,
    pub(super) vhost: String,
    /// The name of our queue.
    pub(super) queue: String,
    pub(super) queue_length: u32,
    pub(super) queue_expiry: Duration,
    pub(super) topics: Topics,
    /// Messages in one batch, at most.
    pub(super) batch_size: usize,
}

/// One address.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Broker {
    pub(super) host: String,
    pub(super) port: u16,
    /// `None`: no TLS.
    pub(super) tls: Option<TlsSettings>,
}

/// How the broker's certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TlsSettings {
    pub(super) verify: bool,
    /// PEM of an own authority, beside the system's.
    pub(super) authority: Option<String>,
}

impl Broker {
    /// For messages.
    pub(super) fn shown(&self) -> String {
        let scheme = if self.tls.is_some() { "amqps" } else { "amqp" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}", self.port)
    }
}

impl AmqpSettings {
    /// Reads the settings of `ems`.
    ///
    /// # Errors
    /// Names the key that is missing or wrong.
    pub(super) fn new(ems: &Ems) -> Result<Self, ProviderError> {
        let wrong = |message: String| ProviderError::new(&ems.name, message);
        let main = ems.endpoint("amqp")?;
        let brokers = ROLES
            .iter()
            .filter_map(|role| ems.endpoints.get(*role).map(|endpoint| broker(role, endpoint, main)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(&wrong)?;
        let authentication = ems.authentication("amqp")?;
        let missing = |key: &str| ProviderError::missing(&ems.name, &format!("authentications.amqp.{key}"));
        let queue = text(main, "queue").map_err(&wrong)?.unwrap_or_else(|| default_queue(&ems.name));
        if queue.starts_with("amq.") || queue.len() > 180 {
            let why = "is no name for a queue: at most 180 bytes, and not beginning with amq.";
            return Err(wrong(format!("endpoints.amqp.queue {why}")));
        }
        Ok(Self {
            brokers,
            user: authentication.userid.clone().ok_or_else(|| missing("userid"))?,
            password: authentication.password.clone().ok_or_else(|| missing("password"))?,
            vhost: text(main, "vhost").map_err(&wrong)?.unwrap_or_else(|| "/".to_owned()),
            queue,
            queue_length: queue_length(main).map_err(&wrong)?,
            queue_expiry: queue_expiry(main).map_err(&wrong)?,
            topics: topics(main.options.get("topics")).map_err(&wrong)?,
            batch_size: (ems.catcher.ems_event_page_size as usize).clamp(10, 2000),
            ems: ems.name.clone(),
        })
    }

    /// Messages that the broker may have on their way to us.
    pub(super) fn prefetch(&self) -> u16 {
        // One batch is committed, the next one parsed, and one comes in.
        u16::try_from(self.batch_size * 3).unwrap_or(u16::MAX)
    }

    /// What is read, for messages and as the source of the cursor. It names no host: the brokers are one cluster, whichever
    /// of them answers.
    pub(super) fn shown(&self) -> String {
        format!("queue {} of vhost {}", self.queue, self.vhost)
    }

    /// The command that gives the user the rights which suffice.
    pub(super) fn set_permissions(&self) -> String {
        let own = match self.queue.starts_with("catchall.") {
            true => r"catchall\..*".to_owned(),
            false => format!(r"{}(\..*)?", escaped(&self.queue)),
        };
        let exchanges: Vec<_> = self.topics.exchanges().map(escaped).collect();
        format!(
            "rabbitmqctl set_permissions -p {} {} '^{own}$' '^{own}$' '^({own}|{})$'",
            self.vhost,
            self.user,
            exchanges.join("|")
        )
    }
}

/// For RabbitMQ's regular expressions.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if !character.is_alphanumeric() && !matches!(character, '_' | '-') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

fn broker(role: &str, endpoint: &Endpoint, main: &Endpoint) -> Result<Broker, String> {
    if endpoint.url.is_some() {
        return Err(format!("endpoints.{role}.url is not used; write hostname, port and security_protocol"));
    }
    let host = endpoint.hostname.clone().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| format!("endpoints.{role}.hostname is not set; add the broker's host"))?;
    let port = endpoint.port.or(main.port);
    let authority = endpoint.certificate_authority.clone().or_else(|| main.certificate_authority.clone());
    let protocol = endpoint.security_protocol.as_deref().or(main.security_protocol.as_deref());
    let (encrypted, verify) = match protocol {
        None => (port == Some(TLS_PORT) || authority.is_some(), true),
        Some("non-ssl" | "non_ssl" | "amqp") => (false, true),
        Some("ssl" | "ssl-with-validation" | "ssl-with-validation-custom-ca" | "amqps") => (true, true),
        Some("ssl-without-validation") => (true, false),
        Some(_) => {
            return Err(format!(
                "endpoints.{role}.security_protocol is none of ssl, ssl-with-validation, ssl-without-validation, non-ssl"
            ));
        }
    };
    let verify = verify && endpoint.verify_ssl && main.verify_ssl;
    let tls = encrypted.then_some(TlsSettings { verify, authority });
    let port = port.unwrap_or(if encrypted { TLS_PORT } else { PLAIN_PORT });
    Ok(Broker { host: host.trim_matches(['[', ']']).to_owned(), port, tls })
}

/// `catchall.`, what can be read of the EMS's name, and a hash of all of it. The name is unique within a VMDB.
fn default_queue(ems: &str) -> String {
    let mut queue = String::from("catchall.");
    let readable = ems.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    queue.extend(readable.take(60));
    queue.push('.');
    for byte in &Sha256::digest(ems.as_bytes())[..4] {
        // invariant: writing to a String cannot fail.
        let _ = write!(queue, "{byte:02x}");
    }
    queue
}

fn text(endpoint: &Endpoint, key: &str) -> Result<Option<String>, String> {
    match endpoint.options.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(format!("endpoints.amqp.{key} is no text")),
    }
}

fn queue_length(endpoint: &Endpoint) -> Result<u32, String> {
    let number = match endpoint.options.get("queue_length") {
        None | Some(Value::Null) => return Ok(QUEUE_LENGTH),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.replace('_', "").parse().ok(),
        Some(_) => None,
    };
    number
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (100..=100_000_000).contains(number))
        .ok_or_else(|| "endpoints.amqp.queue_length is no number from 100 to 100000000".to_owned())
}

fn queue_expiry(endpoint: &Endpoint) -> Result<Duration, String> {
    let seconds = match endpoint.options.get("queue_expiry") {
        None | Some(Value::Null) => return Ok(QUEUE_EXPIRY),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => duration(text),
        Some(_) => None,
    };
    // The broker counts milliseconds in 32 bits.
    seconds.filter(|seconds| (60.0..=4_294_967.0).contains(seconds)).map(Duration::from_secs_f64).ok_or_else(
        || "endpoints.amqp.queue_expiry is no duration from 1.minute to 7.weeks, such as 3.days".to_owned(),
    )
}

/// Seconds of a duration as the settings write it, `3.days`.
fn duration(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().rsplit_once('.').unwrap_or((text.trim(), "seconds"));
    let unit = match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => 1.0,
        "minute" => 60.0,
        "hour" => 3600.0,
        "day" => 86_400.0,
        "week" => 604_800.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * unit)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
