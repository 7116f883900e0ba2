//! The settings as a tree in which every value knows where it was written, and how two trees are merged.
//!
//! It knows no key but `ext_management_systems`. No `Debug`: the values may be secrets.

use std::collections::HashMap;

/// The one list that merges (by `name`) instead of being replaced.
pub const EMS_LIST: &str = "ext_management_systems";

/// One step down from a section or list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A key, without a symbol's colon.
    Key(String),
    /// Place in a list, from 0.
    Index(usize),
}

/// Where a value was written: which source, and the path in that source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index into [`super::sources::Sources`]; later ones win.
    pub source: usize,
    /// From the top of the source.
    pub path: Vec<Step>,
}

/// A value with its origin.
#[derive(Clone)]
pub struct Node {
    /// The value.
    pub content: Content,
    /// Where it was written.
    pub origin: Origin,
}

/// The four shapes of a value.
#[derive(Clone)]
pub enum Content {
    /// Nothing was written behind the colon.
    Null,
    /// Text, number or boolean.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A section, in order, without duplicates.
    Map(Vec<(String, Node)>),
}

/// Text, number or boolean, as text.
#[derive(Clone)]
pub struct Scalar {
    /// The value; `${…}` replaced.
    pub text: String,
    /// As it was written, before `${…}` was replaced.
    pub written: String,
    /// Whether YAML saw a text (and no number or boolean).
    pub is_text: bool,
}

impl Node {
    /// An empty section.
    pub fn empty(origin: Origin) -> Self {
        Self { content: Content::Map(Vec::new()), origin }
    }

    /// The value behind `key`, when this is a section that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(known, _)| known == key).map(|(_, node)| node)
    }

    /// Takes `key` out of a section.
    pub fn remove(&mut self, key: &str) {
        if let Content::Map(entries) = &mut self.content {
            entries.retain(|(known, _)| known != key);
        }
    }

    /// The value behind several keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// As [`Node::at`], to change it.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Node> {
        path.iter().try_fold(self, |node, key| match &mut node.content {
            Content::Map(entries) => entries.iter_mut().find(|(known, _)| known == key).map(|(_, node)| node),
            _ => None,
        })
    }

    /// The entries of a section; none for anything else.
    pub fn entries(&self) -> &[(String, Node)] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.content {
            Content::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Whether nothing was written.
    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }
}

/// Merges the whole settings: as [`merge`], save that the EMSs merge by name.
pub fn merge_settings(base: &mut Node, over: Node) {
    match (&mut base.content, over.content) {
        (Content::Map(entries), Content::Map(overs)) => {
            for (key, node) in overs {
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, known)) if key == EMS_LIST => merge_ems_list(known, node),
                    Some((_, known)) => merge(known, node),
                    None => entries.push((key, node)),
                }
            }
        }
        (_, Content::Null) => {}
        (content, over_content) => {
            *content = over_content;
            base.origin = over.origin;
        }
    }
}

/// Merges deeply: sections key by key, everything else is replaced. Nothing (`key:`) overrides nothing, as in ManageIQ.
pub fn merge(base: &mut Node, over: Node) {
    match (&mut base.content, over.content) {
        (_, Content::Null) => {}
        (Content::Map(entries), Content::Map(overs)) => {
            for (key, node) in overs {
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, known)) => merge(known, node),
                    None => entries.push((key, node)),
                }
            }
        }
        (content, over_content) => {
            *content = over_content;
            base.origin = over.origin;
        }
    }
}

/// An EMS that an earlier source names is merged into; one name twice in the same source stays twice, as an error to be told.
fn merge_ems_list(base: &mut Node, over: Node) {
    let (Content::List(known), Content::List(overs)) = (&mut base.content, &over.content) else {
        return merge(base, over);
    };
    let mut places: HashMap<String, usize> =
        known.iter().enumerate().filter_map(|(place, ems)| Some((ems_name(ems)?, place))).collect();
    for ems in overs.clone() {
        match ems_name(&ems).and_then(|name| places.remove(&name)) {
            Some(place) => merge(&mut known[place], ems),
            None => known.push(ems),
        }
    }
}

/// The name of an entry of `ext_management_systems`.
pub fn ems_name(ems: &Node) -> Option<String> {
    ems.get("name").and_then(Node::text).map(str::to_owned)
}
