//! What a key may hold: the check of one value, and what to say when it is wrong.
//!
//! Never repeats a secret: for those kinds only the shape of what was found is told.

use super::tree::{Content, Node};
use super::values;
use super::{EventNameFilter, listen};
use std::time::Duration;

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// A text that is never shown.
    Secret,
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// A duration; zero means never.
    Duration,
    /// A duration above zero.
    Wait,
    /// `all`, `none` or a duration.
    History,
    /// Event types, exact or `/regular expression/`.
    EventTypes,
    /// Event types, exact, with `*` and `?`, or `/regular expression/`; one or a list.
    EventPatterns,
    /// Names; one or a list.
    Names,
    /// A list of paths.
    Paths,
    /// `off` or address:port.
    Listen,
    /// `sqlite://` or `postgres://`.
    VmdbUrl,
    /// A schema's name.
    Schema,
    /// A provider's address.
    Url,
    /// Where a webhook goes. Its path is often all the secret there is, and is not shown.
    WebhookUrl,
    /// PEM text.
    Certificate,
    /// Only the provider knows; any value.
    Option,
    /// The whole settings once more, for one EMS.
    Settings,
    /// A key of ManageIQ that Catchall does not use; any value.
    PassedOver,
}

impl Kind {
    /// Whether values of this kind are never shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::Secret | Kind::VmdbUrl | Kind::WebhookUrl)
    }

    /// What is wrong with a value, and where: in a list, the item itself.
    pub fn faults(self, node: &Node) -> Vec<(&Node, String)> {
        match (self, &node.content) {
            (Kind::Option | Kind::Settings | Kind::PassedOver, _) => Vec::new(),
            (Kind::EventTypes | Kind::EventPatterns | Kind::Names | Kind::Paths, Content::List(items)) => {
                items
                    .iter()
                    .filter_map(|item| self.check_item(item).err().map(|message| (item, message)))
                    .collect()
            }
            (Kind::EventTypes | Kind::Paths, Content::Scalar(_) | Content::Map(_)) => {
                vec![(node, self.wrong(node))]
            }
            _ => self.check(node).err().map(|message| (node, message)).into_iter().collect(),
        }
    }

    fn check_item(self, item: &Node) -> Result<(), String> {
        match item.text() {
            Some(text) if self == Kind::EventTypes => check_event_type(text),
            Some(text) if self == Kind::EventPatterns => crate::rules::check_event_type(text),
            Some(text) if !text.is_empty() => Ok(()),
            _ => Err(format!("{} was found in the list; wanted {}", found(item), self.wanted())),
        }
    }

    fn check(self, node: &Node) -> Result<(), String> {
        if node.is_null() {
            return Ok(());
        }
        let Some(text) = node.text() else { return Err(self.wrong(node)) };
        match self {
            Kind::Secret => self.check_secret(node),
            Kind::Certificate if !text.contains("-----BEGIN") => {
                Err("no PEM text was found; wanted the certificate itself, such as \"${file:ca.pem}\""
                    .to_owned())
            }
            Kind::EventPatterns | Kind::Names => self.check_item(node),
            Kind::VmdbUrl => check_vmdb_url(text),
            Kind::Url => check_url(text),
            Kind::WebhookUrl => check_webhook_url(text),
            _ if self.accepts(text) => Ok(()),
            _ => Err(self.wrong(node)),
        }
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Kind::Text => !text.trim().is_empty() && !text.contains('\0'),
            Kind::Boolean => values::boolean(text).is_some(),
            Kind::Number(least, most) => {
                values::whole_number(text).is_some_and(|n| (least..=most).contains(&n))
            }
            Kind::Duration => values::duration(text).is_some(),
            Kind::Wait => values::duration(text).is_some_and(|wait| wait > Duration::ZERO),
            Kind::History => matches!(values::word(text), "all" | "none") || values::duration(text).is_some(),
            Kind::Listen => listen::parse(text).is_some(),
            Kind::Schema => is_schema(text),
            _ => true,
        }
    }

    /// A number as a password has lost its leading zeros by now, so it must be quoted.
    fn check_secret(self, node: &Node) -> Result<(), String> {
        match &node.content {
            Content::Scalar(scalar) if scalar.is_text => Ok(()),
            _ => Err("a number or boolean was found; wanted a text: put it in quotes".to_owned()),
        }
    }

    fn wrong(self, node: &Node) -> String {
        let found = if self.is_secret() { shape(node).to_owned() } else { found(node) };
        format!("{found} was found; wanted {}", self.wanted())
    }

    /// What to write, with an example.
    pub fn wanted(self) -> String {
        match self {
            Kind::Text => "a text that is not empty".to_owned(),
            Kind::Secret => "a text, such as \"${PASSWORD}\"".to_owned(),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Number(_, most) if most > u64::from(u32::MAX) => {
                "a whole number above zero, such as 2".to_owned()
            }
            Kind::Number(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Duration => format!("a duration, such as {}", values::DURATION_WANTED),
            Kind::Wait => format!("a duration above zero, such as {}", values::DURATION_WANTED),
            Kind::History => "all, none or a duration such as 24.hours".to_owned(),
            Kind::EventTypes => "a list of event types, such as [vm.create, /^vm\\./]".to_owned(),
            Kind::EventPatterns => "event types, such as [vm.stop, \"vm.*\", /^vm\\./]".to_owned(),
            Kind::Names => "names, such as [one, another]".to_owned(),
            Kind::Paths => "a list of folders, such as [automate/mine]".to_owned(),
            Kind::Listen => "off or address:port, such as 127.0.0.1:8484".to_owned(),
            Kind::VmdbUrl => "sqlite://catchall.db or postgres://user:password@host/database".to_owned(),
            Kind::Schema => "a name of small letters, digits and _, such as catchall".to_owned(),
            Kind::Url => "an address, such as https://cloud.example.com:8585/api".to_owned(),
            Kind::WebhookUrl => "an address, such as https://hooks.example.com/catchall".to_owned(),
            Kind::Certificate => "PEM text, such as \"${file:ca.pem}\"".to_owned(),
            Kind::Option | Kind::Settings | Kind::PassedOver => "a section".to_owned(),
        }
    }
}

/// What was found, in words that may be shown.
pub fn found(node: &Node) -> String {
    match &node.content {
        Content::Scalar(scalar) if scalar.is_text => format!("{:?}", shortened(&scalar.written)),
        Content::Scalar(scalar) => shortened(&scalar.written),
        _ => shape(node).to_owned(),
    }
}

/// The shape alone.
pub fn shape(node: &Node) -> &'static str {
    match &node.content {
        Content::Null => "nothing",
        Content::Scalar(scalar) if scalar.is_text => "a text",
        Content::Scalar(_) => "a number or boolean",
        Content::List(_) => "a list",
        Content::Map(_) => "a section",
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn check_event_type(text: &str) -> Result<(), String> {
    if !text.starts_with('/') {
        return Ok(());
    }
    if !(text.ends_with('/') && text.len() > 2) {
        return Err(format!("{text:?} begins as a regular expression but does not end with /"));
    }
    EventNameFilter::new(vec![text.to_owned()])
        .map(drop)
        .map_err(|error| format!("{text:?} is {}", first_and_last_line(&error)))
}

/// The regex crate draws its errors over several lines; the last one says what is wrong.
fn first_and_last_line(error: &str) -> String {
    let start = error.split(':').next().unwrap_or(error);
    let last = error.lines().last().unwrap_or(error).trim();
    format!("{start}: {}", last.trim_start_matches("error: "))
}

fn check_vmdb_url(text: &str) -> Result<(), String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("sqlite") if text.len() > "sqlite://".len() => Ok(()),
        Some("postgres" | "postgresql") => match url::Url::parse(text) {
            Ok(url) if url.path().len() > 1 => Ok(()),
            Ok(_) => Err(format!("no database is named; wanted {}", Kind::VmdbUrl.wanted())),
            Err(error) => Err(format!("no address ({error}); wanted {}", Kind::VmdbUrl.wanted())),
        },
        _ => Err(format!("neither SQLite nor PostgreSQL was found; wanted {}", Kind::VmdbUrl.wanted())),
    }
}

fn check_url(text: &str) -> Result<(), String> {
    match url::Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("it holds credentials; put them under authentications, where they stay secret".to_owned())
        }
        Ok(url) if url.has_host() => Ok(()),
        Ok(_) => Err(format!("it names no host; wanted {}", Kind::Url.wanted())),
        Err(error) => Err(format!("no address ({error}); wanted {}", Kind::Url.wanted())),
    }
}

fn check_webhook_url(text: &str) -> Result<(), String> {
    let wanted = Kind::WebhookUrl.wanted();
    match url::Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("it holds credentials, which servers and proxies write down; take them out and sign with `secret`".to_owned())
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(_) => Err(format!("it is neither http nor https; wanted {wanted}")),
        Err(error) => Err(format!("no address ({error}); wanted {wanted}")),
    }
}

/// PostgreSQL keeps names beginning with `pg_` to itself, and cuts at 63 bytes.
fn is_schema(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let rest = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    starts && rest && text.len() <= 63 && !text.starts_with("pg_")
}
