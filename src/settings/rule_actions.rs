//! `rules.NAME.do`: what a rule does, each entry a section of one key.

use super::rules::{RuleBuilder, found_instead};
use super::tree::Node;
use crate::rules::{Action, LogLevel};
use crate::switchboard::{Call, HANDLERS, is_target_name};
use std::collections::BTreeMap;

const WANTED: &str =
    "a list of actions, such as `- webhook: ops` or `- event_action_policy: {policy_event: vm_poweroff}`";
const OURS: [&str; 3] = ["webhook", "cloudevents", "log"];

/// All actions of a rule; what is wrong is told, and left out.
pub(super) fn build(rule: &mut RuleBuilder<'_, '_>, node: &Node) -> Vec<Action> {
    let found = node.get("do");
    let items = found.map(Node::items).unwrap_or_default();
    if items.is_empty() {
        let message = match found {
            Some(found) if !found.is_null() => found_instead(found, WANTED),
            _ => format!("a rule needs `do`: {WANTED}"),
        };
        rule.error(found.unwrap_or(node), "do", message);
    }
    items.iter().filter_map(|item| action(rule, item)).collect()
}

fn action(rule: &mut RuleBuilder<'_, '_>, item: &Node) -> Option<Action> {
    if let Some(name) = item.text() {
        check_handler(rule, item, name)?;
        return Some(Action::Handler(call(name, BTreeMap::new())));
    }
    let [(name, value)] = item.entries() else {
        rule.error(item, "do", found_instead(item, "one key in each entry, such as `- webhook: ops`"));
        return None;
    };
    match name.as_str() {
        "webhook" => webhook(rule, value, name).map(Action::Webhook),
        "cloudevents" => webhook(rule, value, name).map(Action::CloudEvents),
        "log" => log(rule, value),
        handler => {
            check_handler(rule, item, handler)?;
            let params = params(rule, value, handler)?;
            Some(Action::Handler(call(handler, params)))
        }
    }
}

fn call(handler: &str, params: BTreeMap<String, String>) -> Call {
    Call { uri: format!("/System/event_handlers/{handler}"), params }
}

fn check_handler(rule: &mut RuleBuilder<'_, '_>, node: &Node, name: &str) -> Option<()> {
    let known = HANDLERS.into_iter().chain(OURS);
    if HANDLERS.contains(&name) {
        return Some(());
    }
    rule.must_be_known((node, "do"), "action", name, known);
    if OURS.contains(&name) {
        rule.error(
            node,
            "do",
            format!("{name} was found alone; wanted what it needs, such as `- {name}: ops`"),
        );
    }
    None
}

fn webhook(rule: &mut RuleBuilder<'_, '_>, value: &Node, action: &str) -> Option<String> {
    let Some(name) = value.text() else {
        rule.error(
            value,
            &format!("do.{action}"),
            found_instead(value, "the name of a webhook, such as ops"),
        );
        return None;
    };
    let known = rule.root.get("webhooks").map(Node::entries).unwrap_or_default();
    let known: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    rule.must_be_known((value, &format!("do.{action}")), "entry of webhooks called", name, known.into_iter());
    Some(name.to_owned())
}

fn log(rule: &mut RuleBuilder<'_, '_>, value: &Node) -> Option<Action> {
    if let Some(message) = value.text() {
        return Some(Action::Log { level: LogLevel::Info, message: message.to_owned() });
    }
    for (key, node) in value.entries() {
        rule.must_be_known((node, "do.log"), "key", key, ["level", "message"].into_iter());
    }
    let level = match value.get("level").filter(|level| !level.is_null()) {
        None => Some(LogLevel::Info),
        Some(level) => {
            let found = level.text().and_then(LogLevel::of_name);
            if found.is_none() {
                rule.error(level, "do.log.level", found_instead(level, "error, warn or info"));
            }
            found
        }
    };
    let Some(message) = value.get("message").and_then(Node::text) else {
        rule.error(
            value,
            "do.log",
            "no message was found; wanted one such as `- log: \"{vm.name} stopped\"`",
        );
        return None;
    };
    Some(Action::Log { level: level?, message: message.to_owned() })
}

fn params(rule: &mut RuleBuilder<'_, '_>, value: &Node, handler: &str) -> Option<BTreeMap<String, String>> {
    if value.is_null() {
        return Some(BTreeMap::new());
    }
    if value.text().is_some() || !value.items().is_empty() {
        let wanted = "a section of parameters, such as {target: src_vm}";
        rule.error(value, &format!("do.{handler}"), found_instead(value, wanted));
        return None;
    }
    let mut params = BTreeMap::new();
    for (key, node) in value.entries() {
        match node.text() {
            Some(text) => drop(params.insert(key.to_lowercase(), text.to_owned())),
            None if node.is_null() => {}
            None => rule.error(node, &format!("do.{handler}.{key}"), found_instead(node, "a text")),
        }
    }
    let is_refresh = handler.starts_with("event_action_refresh");
    if let (true, Some(target), Some(node)) = (is_refresh, params.get("target"), value.get("target"))
        && !is_target_name(target)
    {
        let message =
            format!("there is nothing to refresh called {target:?}; wanted such as src_vm, host or ems");
        rule.error(node, &format!("do.{handler}.target"), message);
    }
    Some(params)
}
