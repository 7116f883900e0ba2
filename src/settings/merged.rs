//! The merged settings for people: one line per key with its value and where it was written. Secrets are stars.

use super::kind::Kind;
use super::schema::Rules;
use super::sources::Sources;
use super::tree::{Content, EMS_LIST, Node};
use super::values;

const STARS: &str = "********";

/// Longer defaults are named by their place and number of entries alone; with nothing behind the key, they hold as well.
const MOST_ENTRIES: usize = 20;
const LONGEST_LIST: usize = 120;

/// All layers in one. No `Debug`, since it holds what was written.
pub struct Merged {
    root: Node,
    sources: Sources,
}

/// One line of the merged settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedLine {
    /// How deep it stands, from 0.
    pub depth: usize,
    /// Whether it begins an item of a list.
    pub is_item: bool,
    /// The key as YAML.
    pub key: String,
    /// The value as YAML; `None` for the head of a section or list that follows.
    pub value: Option<String>,
    /// `file:line`, or the environment variable.
    pub place: String,
}

impl Merged {
    /// Of a tree that was checked.
    pub(super) fn new(root: Node, sources: Sources) -> Self {
        Self { root, sources }
    }

    /// Every key in order.
    pub fn lines(&self) -> Vec<MergedLine> {
        let mut lines = Vec::new();
        self.section(&self.root, &Rules::top(), 0, &mut lines);
        lines
    }

    fn section(&self, node: &Node, rules: &Rules, depth: usize, lines: &mut Vec<MergedLine>) {
        for (key, child) in node.entries() {
            self.entry(key, child, &below(rules, key), depth, lines);
        }
    }

    /// Whether it is long, and nobody but this program wrote anything in it.
    fn is_long_default(&self, node: &Node) -> bool {
        let built_in = |node: &Node| !self.sources.is_from_user(&node.origin);
        let is_long = match &node.content {
            Content::Map(entries) => entries.len() > MOST_ENTRIES,
            Content::List(_) => flow(&node.content).len() > LONGEST_LIST,
            Content::Null | Content::Scalar(_) => false,
        };
        let mut below = node.entries().iter().map(|(_, child)| child).chain(node.items());
        is_long && built_in(node) && below.all(built_in)
    }

    fn entry(&self, key: &str, child: &Node, rules: &Rules, depth: usize, lines: &mut Vec<MergedLine>) {
        let line = |value| MergedLine {
            depth,
            is_item: false,
            key: quoted(key),
            value,
            place: self.sources.place(&child.origin),
        };
        match &child.content {
            _ if self.is_long_default(child) => {
                let count = child.entries().len() + child.items().len();
                let place = format!("{}, {count} entries", self.sources.place(&child.origin));
                lines.push(MergedLine { place, ..line(None) });
            }
            Content::Map(entries) if !entries.is_empty() => {
                lines.push(MergedLine { place: String::new(), ..line(None) });
                let top = Rules::top();
                let rules = if rules.kind() == Some(Kind::Settings) { &top } else { rules };
                self.section(child, rules, depth + 1, lines);
            }
            Content::List(items) if key == EMS_LIST && !items.is_empty() => {
                lines.push(MergedLine { place: String::new(), ..line(None) });
                for item in items {
                    let first = lines.len();
                    self.section(item, &below(rules, "[]"), depth + 2, lines);
                    if let Some(line) = lines.get_mut(first) {
                        line.is_item = true;
                    }
                }
            }
            _ => lines.push(line(Some(shown(key, child, rules.kind())))),
        }
    }
}

/// Types do not matter for telling secrets, so every TYPE is left to the names of the keys.
fn below(rules: &Rules, key: &str) -> Rules {
    rules.below(key, &[])
}

fn shown(key: &str, node: &Node, kind: Option<Kind>) -> String {
    if kind == Some(Kind::VmdbUrl) {
        return node.text().map_or_else(|| quoted(STARS), |url| quoted(&without_password(url)));
    }
    if kind == Some(Kind::WebhookUrl) {
        return node.text().map_or_else(|| quoted(STARS), |url| quoted(&super::webhooks::without_path(url)));
    }
    let is_secret = kind.is_some_and(Kind::is_secret) || sounds_secret(key);
    match &node.content {
        Content::Null => "null".to_owned(),
        _ if is_secret => quoted(STARS),
        content => flow(content),
    }
}

/// Sections that are passed over hold secrets too (`smtp.password`, `authentication.bind_pwd`).
fn sounds_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["pass", "pwd", "secret", "token", "auth_key", "access_key", "private_key", "amazon_key", "credential"]
        .iter()
        .any(|word| key.contains(word))
}

/// `postgres://user:********@host/db`; what follows the database may hold `password=` too.
fn without_password(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return if text.starts_with("sqlite:") { text.to_owned() } else { STARS.to_owned() };
    };
    if url.scheme() == "sqlite" {
        return text.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(STARS)).is_err() {
        return STARS.to_owned();
    }
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| {
            let value = if sounds_secret(&name) { STARS.to_owned() } else { value.into_owned() };
            (name.into_owned(), value)
        })
        .collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

fn flow(content: &Content) -> String {
    match content {
        Content::Null => "null".to_owned(),
        Content::Scalar(scalar) if scalar.is_text => quoted(&scalar.text),
        Content::Scalar(scalar) => scalar.text.clone(),
        Content::List(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(&item.content)).collect();
            format!("[{}]", items.join(", "))
        }
        Content::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, node)| format!("{}: {}", quoted(key), shown(key, node, None)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// Plain where YAML reads it back as the same text, else in double quotes.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./-@ ".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_alphanumeric() || c == '/' || c == '_')
        && !text.ends_with(' ')
        && text.chars().all(plain)
        && values::boolean(text).is_none()
        && text.parse::<f64>().is_err();
    if is_plain {
        return text.to_owned();
    }
    // JSON's strings are YAML's. A string always serializes.
    serde_json::to_string(text).unwrap_or_default()
}
