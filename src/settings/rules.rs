//! `rules`: the checked tree → [`Rules`], with everything that a rule names looked up.
//!
//! What a value must look like by itself is said by `crate::rules`; here it gets its place and its key.

use super::build::{Builder, boolean};
use super::event_groups::{EventGroups, LEVELS};
use super::kind;
use super::tree::{Content, EMS_LIST, Node, ems_name};
use super::{nearest, rule_actions};
use crate::rules::{AtMost, Condition, Key, Limits, On, RuleDefinition, Rules};

/// One rule while it is built.
pub(super) struct RuleBuilder<'a, 'b> {
    pub(super) builder: &'a mut Builder<'b>,
    pub(super) root: &'a Node,
    /// `rules.NAME`
    pub(super) path: String,
}

/// Every rule, compiled; what is wrong is told, and the rule left out: then the settings are refused anyway.
pub(super) fn build(builder: &mut Builder<'_>, root: &Node, event_groups: &EventGroups) -> Rules {
    let mut rules = Vec::new();
    for (name, node) in root.get("rules").map(Node::entries).unwrap_or_default() {
        if node.is_null() {
            continue;
        }
        let mut rule = RuleBuilder { builder, root, path: format!("rules.{name}") };
        rules.extend(rule.definition(name, node, event_groups));
    }
    Rules::new(rules, event_groups.clone()).unwrap_or_else(|message| {
        if let Some(node) = root.get("rules") {
            builder.error(node, "rules", format!("the event types of all rules together: {message}"));
        }
        Rules::default()
    })
}

impl RuleBuilder<'_, '_> {
    /// Tells what is wrong with a key of the rule.
    pub(super) fn error(&mut self, node: &Node, key: &str, message: impl Into<String>) {
        self.builder.error(node, format!("{}.{key}", self.path), message);
    }

    /// `name` must be one of `known`.
    pub(super) fn must_be_known<'k>(
        &mut self,
        (node, key): (&Node, &str),
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        if known.clone().any(|known| known == name) {
            return;
        }
        let list: Vec<&str> = known.clone().take(15).collect();
        let hint = match nearest::within_two_edits(name, known) {
            Some(near) => format!("did you mean {near}?"),
            None if list.is_empty() => "there is none".to_owned(),
            None => format!("known are {}", list.join(", ")),
        };
        self.error(node, key, format!("there is no {what} {name:?}; {hint}"));
    }

    fn definition(&mut self, name: &str, node: &Node, groups: &EventGroups) -> Option<RuleDefinition> {
        if !matches!(node.content, Content::Map(_)) {
            return None; // told by the validation
        }
        let on = self.on(node, groups);
        let when = match node.get("when").filter(|when| !when.is_null()) {
            None => None,
            Some(when) => Some(self.condition(when)?),
        };
        Some(RuleDefinition {
            name: name.to_owned(),
            on,
            when,
            actions: rule_actions::build(self, node),
            limits: self.limits(node),
            enabled: boolean(node, &["enabled"]).unwrap_or(true),
        })
    }

    fn on(&mut self, node: &Node, groups: &EventGroups) -> On {
        let Some(on) = node.get("on").filter(|on| !on.entries().is_empty()) else {
            let message = "a rule needs `on`, such as `on: {event_types: [vm.stop]}`; `event_types: [\"*\"]` is every event";
            self.error(node, "on", message);
            return On::default();
        };
        let group_keys: Vec<&str> =
            groups.names.iter().map(|(key, _)| key.as_str()).chain(["other"]).collect();
        for (item, name) in texts(on, "groups") {
            self.must_be_known((item, "on.groups"), "event group", name, group_keys.iter().copied());
        }
        for (item, name) in texts(on, "levels") {
            self.must_be_known((item, "on.levels"), "level", name, LEVELS.into_iter());
        }
        let names: Vec<String> = self
            .root
            .get(EMS_LIST)
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(ems_name)
            .collect();
        for (item, name) in texts(on, "ems") {
            self.must_be_known((item, "on.ems"), "EMS", name, names.iter().map(String::as_str));
        }
        let owned = |key| texts(on, key).map(|(_, text)| text.to_owned()).collect();
        On {
            event_types: owned("event_types"),
            groups: owned("groups"),
            levels: owned("levels"),
            ems: owned("ems"),
            sources: owned("sources"),
        }
    }

    fn condition(&mut self, when: &Node) -> Option<Condition> {
        let Some(text) = when.text() else { return None };
        Condition::new(text).map_err(|message| self.error(when, "when", message)).ok()
    }

    fn limits(&mut self, node: &Node) -> Limits {
        let mut limits = Limits::default();
        let mut keys: Vec<Key> = Vec::new();
        if let Some((at, text)) = node.get("at_most").and_then(|at| Some((at, at.text()?))) {
            match AtMost::read(text) {
                Ok((at_most, key)) => {
                    limits.at_most = Some(at_most);
                    keys.extend(key);
                }
                Err(message) => self.error(at, "at_most", message),
            }
        }
        if let Some((within, text)) =
            node.get("group_within").and_then(|within| Some((within, within.text()?)))
        {
            match Key::read_behind_duration(text) {
                Ok((duration, key)) => {
                    limits.group_within = Some(duration);
                    if keys.first().zip(key.as_ref()).is_some_and(|(one, other)| one != other) {
                        let message = "at_most counts by something else; a rule counts both by the same";
                        self.error(within, "group_within", message);
                    }
                    keys.extend(key);
                }
                Err(message) => self.error(within, "group_within", message),
            }
        }
        limits.by = keys.into_iter().next().unwrap_or_default();
        limits
    }
}

/// The entries of a list behind `key`; a text alone is a list of one.
pub(super) fn texts<'a>(node: &'a Node, key: &str) -> impl Iterator<Item = (&'a Node, &'a str)> {
    let found = node.get(key);
    let one = found.filter(|found| found.text().is_some());
    let items = found.map(Node::items).unwrap_or_default();
    one.into_iter().chain(items).filter_map(|item| Some((item, item.text()?)))
}

/// What was found where something else is wanted.
pub(super) fn found_instead(node: &Node, wanted: &str) -> String {
    format!("{} was found; wanted {wanted}", kind::found(node))
}
