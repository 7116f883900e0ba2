//! `CATCHALL__A__B=value`: the uppermost layer.
//!
//! Keys are matched without case. An EMS is called by its name in capitals, everything else in it as `_`:
//! `CATCHALL__EXT_MANAGEMENT_SYSTEMS__DEMO_CLOUD__ENABLED=false`.

use super::errors::SettingsError;
use super::layers::Layers;
use super::tree::{Content, EMS_LIST, Node, Origin, Scalar, Step, ems_name, merge, merge_settings};
use super::yaml;

const PREFIX: &str = "CATCHALL__";

/// Merges every such variable, in order of their names.
pub fn apply(layers: &mut Layers, environment: &[(String, String)]) {
    let mut variables: Vec<&(String, String)> =
        environment.iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.sort();
    for (name, value) in variables {
        let source = layers.sources.add_variable(name);
        let steps: Vec<&str> = name[PREFIX.len()..].split("__").collect();
        if steps.iter().any(|step| step.is_empty()) {
            let message = "names no key; wanted CATCHALL__SECTION__KEY, such as CATCHALL__HTTP__LISTEN";
            layers.errors.push(SettingsError::new(format!("environment variable {name}"), "", message));
        } else if steps[0].eq_ignore_ascii_case(EMS_LIST) {
            apply_to_ems(layers, name, &steps, value_node(source, &steps, value));
        } else {
            let over = nest(&layers.root, &steps, value_node(source, &steps, value));
            merge_settings(&mut layers.root, over);
        }
    }
}

fn apply_to_ems(layers: &mut Layers, variable: &str, steps: &[&str], value: Node) {
    let place = format!("environment variable {variable}");
    let Some((wanted, keys)) = steps.get(1).zip(steps.get(2..)).filter(|(_, keys)| !keys.is_empty()) else {
        let message = "wanted CATCHALL__EXT_MANAGEMENT_SYSTEMS__NAME__KEY, with the name of an EMS";
        return layers.errors.push(SettingsError::new(place, EMS_LIST, message));
    };
    let Content::Map(entries) = &mut layers.root.content else { return };
    let items = entries.iter_mut().find(|(key, _)| key == EMS_LIST).map(|(_, list)| &mut list.content);
    let Some(Content::List(items)) = items else {
        let message = "the settings name no EMS that this could be set for";
        return layers.errors.push(SettingsError::new(place, EMS_LIST, message));
    };
    match items
        .iter_mut()
        .find(|ems| ems_name(ems).is_some_and(|name| as_variable(&name) == wanted.to_uppercase()))
    {
        Some(ems) => {
            let over = nest(ems, keys, value);
            merge(ems, over);
        }
        None => {
            let known: Vec<String> =
                items.iter().filter_map(ems_name).map(|name| as_variable(&name)).collect();
            let message = format!("there is no EMS {wanted}; known: {}", known.join(", "));
            layers.errors.push(SettingsError::new(place, EMS_LIST, message));
        }
    }
}

/// `demo cloud` → `DEMO_CLOUD`.
fn as_variable(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The value below its keys, spelled as the tree spells them.
fn nest(base: &Node, keys: &[&str], mut value: Node) -> Node {
    let mut names = Vec::new();
    let mut place = Some(base);
    for key in keys {
        let known =
            place.and_then(|node| node.entries().iter().find(|(known, _)| known.eq_ignore_ascii_case(key)));
        names.push(known.map_or_else(|| key.to_lowercase(), |(name, _)| name.clone()));
        place = known.map(|(_, node)| node);
    }
    let source = value.origin.source;
    for name in names.into_iter().rev() {
        let origin = Origin { source, path: vec![Step::Key(name.clone())] };
        value = Node { content: Content::Map(vec![(name, value)]), origin };
    }
    value
}

/// A list or section may be written in YAML's flow style; everything else, secrets above all, is the text as it is.
fn value_node(source: usize, steps: &[&str], value: &str) -> Node {
    let origin = Origin { source, path: steps.iter().map(|step| Step::Key(step.to_lowercase())).collect() };
    let last = steps.last().map(|step| step.to_lowercase()).unwrap_or_default();
    let is_secret = matches!(last.as_str(), "password" | "auth_key" | "token" | "url" | "userid");
    if !is_secret
        && value.starts_with(['[', '{'])
        && let Some(node) = yaml::read_value(source, value)
    {
        return node;
    }
    let text = value.to_owned();
    Node { content: Content::Scalar(Scalar { written: text.clone(), text, is_text: true }), origin }
}
