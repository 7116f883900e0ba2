//! Every key and value of the merged settings against the schema: unknown keys, wrong shapes, wrong values, and what
//! is passed over.
//!
//! Looks at each value by itself; what several keys mean together is `build`'s.

use super::errors::SettingsError;
use super::kind::{self, Kind};
use super::nearest;
use super::schema::Rules;
use super::sources::{self, Sources};
use super::tree::{Content, EMS_LIST, Node, Origin, ems_name};
use crate::provider::Provider;

/// Nobody reads more at once, and each costs a look for its line.
const MOST_ERRORS: usize = 100;

/// What the check is made against, and what it found.
pub struct Validator<'a> {
    sources: &'a Sources,
    providers: &'a [&'static dyn Provider],
    types: Vec<&'static str>,
    /// The providers' defaults; what stands there is known.
    defaults: &'a [Node],
    /// What is wrong.
    pub errors: Vec<(Origin, SettingsError)>,
    /// What was passed over.
    pub notices: Vec<String>,
}

/// Where the walk is.
#[derive(Clone)]
struct Place {
    /// As people read it.
    path: String,
    /// Keys from the top of the settings (or of an EMS's own).
    keys: Vec<String>,
    /// The provider, below an EMS.
    provider: Option<&'static dyn Provider>,
    /// Whether this is below an EMS's own `settings`.
    is_own: bool,
}

impl Place {
    fn below(&self, key: &str) -> Self {
        let path = sources::below(&self.path, key);
        let keys = self.keys.iter().cloned().chain([key.to_owned()]).collect();
        Self { path, keys, ..self.clone() }
    }
}

impl<'a> Validator<'a> {
    /// For these providers and their defaults.
    pub fn new(sources: &'a Sources, providers: &'a [&'static dyn Provider], defaults: &'a [Node]) -> Self {
        let types = providers.iter().map(|provider| provider.ems_type()).collect();
        Self { sources, providers, types, defaults, errors: Vec::new(), notices: Vec::new() }
    }

    /// Looks at everything.
    pub fn check(&mut self, root: &Node) {
        let place = Place { path: String::new(), keys: Vec::new(), provider: None, is_own: false };
        self.walk(root, &Rules::top(), &place);
    }

    fn walk(&mut self, node: &Node, rules: &Rules, place: &Place) {
        match &node.content {
            Content::Null => {}
            Content::List(items) if rules.is_list() => {
                for (index, item) in items.iter().enumerate() {
                    self.item(item, index, rules, place);
                }
            }
            Content::Map(entries) if !rules.is_list() => {
                for (key, child) in entries {
                    self.entry(key, child, rules, place);
                }
            }
            _ if rules.is_list() => {
                let wanted = "a list, such as `- {name: demo, type: awesome_cloud}`";
                self.error(node, place, format!("{} was found; wanted {wanted}", kind::shape(node)));
            }
            _ => {
                let keys = rules.known_keys(&self.types);
                let wanted = match keys.is_empty() {
                    true => "a section".to_owned(),
                    false => format!("a section with keys such as {}", keys[..keys.len().min(3)].join(", ")),
                };
                self.error(node, place, format!("{} was found; wanted {wanted}", kind::shape(node)));
            }
        }
    }

    fn item(&mut self, item: &Node, index: usize, rules: &Rules, place: &Place) {
        let name = ems_name(item).unwrap_or_else(|| (index + 1).to_string());
        let ems_type = item.get("type").and_then(Node::text);
        let below = Place {
            path: format!("{}[{name}]", place.path),
            provider: ems_type.and_then(|name| super::ems::find_provider(self.providers, name)),
            ..place.clone()
        };
        self.walk(item, &rules.below("[]", &self.types), &below);
    }

    fn entry(&mut self, key: &str, child: &Node, rules: &Rules, place: &Place) {
        let below = place.below(key);
        let next = rules.below(key, &self.types);
        match next.kind() {
            _ if next.is_empty() => self.unknown(key, child, rules, &below),
            Some(Kind::Settings) => self.own_settings(child, &below),
            Some(Kind::PassedOver) if !next.leads_to_ours() => {
                self.notice(child, &below.path, "is ManageIQ's and has no effect here");
            }
            Some(kind) if kind != Kind::PassedOver => {
                for (node, message) in kind.faults(child) {
                    self.error(node, &below, message);
                }
            }
            _ => self.walk(child, &next, &below),
        }
    }

    /// An EMS's own settings are the whole once more; most of it can only be set for all.
    fn own_settings(&mut self, child: &Node, place: &Place) {
        let own = Place { keys: Vec::new(), is_own: true, ..place.clone() };
        for (key, section) in child.entries() {
            if place.is_own || key == EMS_LIST {
                let message = "has no place in the settings of one EMS; take it out";
                self.error(section, &own.below(key), message.to_owned());
            } else if matches!(
                key.as_str(),
                "vmdb"
                    | "http"
                    | "automate"
                    | "event_handling"
                    | "event_streams"
                    | "rules"
                    | "webhooks"
                    | "max_action_age"
            ) {
                self.notice(
                    section,
                    &own.below(key).path,
                    "has no effect for one EMS alone; set it at the top",
                );
            }
        }
        if !place.is_own {
            let rules = Rules::top();
            match &child.content {
                Content::Map(entries) => {
                    entries.iter().filter(|(key, _)| key != EMS_LIST).for_each(|(key, section)| {
                        self.entry(key, section, &rules, &own);
                    });
                }
                _ => self.walk(child, &rules, &own),
            }
        }
    }

    fn unknown(&mut self, key: &str, child: &Node, rules: &Rules, place: &Place) {
        let is_option = place.provider.is_some_and(|provider| provider.endpoint_options().contains(&key));
        let is_endpoint = matches!(place.keys.as_slice(), [.., parent, _, _] if parent == "endpoints");
        if (is_option && is_endpoint) || self.is_declared(&place.keys) {
            return;
        }
        let mut known = rules.known_keys(&self.types);
        if let (true, Some(provider)) = (is_endpoint, place.provider) {
            known.extend(provider.endpoint_options().iter().map(|option| (*option).to_owned()));
        }
        let names = || known.iter().map(String::as_str);
        let near = match self.passes(child, &place.keys) {
            Pass::TopLevel => nearest::within_two_edits(key, names()),
            Pass::Provider => nearest::probably_meant(key, names()),
            Pass::Worker | Pass::No => nearest::within_two_edits(key, names()),
        };
        match (near, self.passes(child, &place.keys)) {
            (Some(near), _) => {
                self.error(child, place, format!("there is no such key; did you mean {near}?"));
            }
            (None, Pass::TopLevel) => self.notice(child, &place.path, "is not known here and is passed over"),
            (None, Pass::Worker) => self.notice(child, &place.path, "is ManageIQ's and has no effect here"),
            (None, Pass::Provider) => {
                self.notice(child, &place.path, "belongs to a provider that is not in this build");
            }
            (None, Pass::No) if known.is_empty() => {
                self.error(child, place, "there is no such key; take it out".to_owned());
            }
            (None, Pass::No) => {
                let list = known[..known.len().min(12)].join(", ");
                self.error(child, place, format!("there is no such key; known here: {list}"));
            }
        }
    }

    /// Whether a provider's own defaults have this key.
    fn is_declared(&self, keys: &[String]) -> bool {
        let path: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.defaults.iter().any(|defaults| defaults.at(&path).is_some())
    }

    /// Whether an unknown key may be somebody else's.
    fn passes(&self, child: &Node, keys: &[String]) -> Pass {
        let is_section = matches!(child.content, Content::Map(_) | Content::Null);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        match keys.as_slice() {
            [_] => Pass::TopLevel,
            ["workers", "worker_base", key] if is_section && key.ends_with("_worker") => Pass::Worker,
            ["ems", key] if is_section && key.starts_with("ems_") => Pass::Provider,
            ["ems_refresh", _] if is_section => Pass::Provider,
            ["workers", "worker_base", "event_catcher", key]
                if is_section && key.starts_with("event_catcher_") =>
            {
                Pass::Provider
            }
            _ => Pass::No,
        }
    }

    fn error(&mut self, node: &Node, place: &Place, message: String) {
        if self.errors.len() >= MOST_ERRORS {
            return;
        }
        let error = SettingsError::new(self.sources.place(&node.origin), place.path.clone(), message);
        self.errors.push((node.origin.clone(), error));
    }

    fn notice(&mut self, node: &Node, path: &str, message: &str) {
        if self.sources.is_from_user(&node.origin) {
            self.notices.push(format!("{}: {path} {message}", self.sources.place(&node.origin)));
        }
    }
}

enum Pass {
    TopLevel,
    Worker,
    Provider,
    No,
}
