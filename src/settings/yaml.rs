//! YAML text → tree with origins, in the manner of ManageIQ's files: symbols as keys, Ruby's symbol tag, merge keys.
//!
//! Duplicate keys are an error, aliases are bounded. Values stay text; what they mean is not decided here.

use super::errors::SettingsError;
use super::sources::path_text;
use super::tree::{Content, Node, Origin, Scalar, Step};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

/// More values than any settings have; aliases of aliases reach it at once.
const MOST_VALUES: usize = 100_000;

/// Reads one document; an empty one is an empty section.
///
/// # Errors
/// When it is no YAML, has a key twice, or is no section at the top. `name` is the file's.
pub fn read(name: &str, source: usize, text: &str) -> Result<Node, SettingsError> {
    let state = State { left: Cell::new(MOST_VALUES), fault: RefCell::new(None) };
    let seed = Reader { source, path: Vec::new(), state: &state };
    let node = seed.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        let place = error.location().map_or_else(|| name.to_owned(), |at| format!("{name}:{}", at.line()));
        match state.fault.take() {
            Some((key, message)) => SettingsError::new(place, key, message),
            None => {
                SettingsError::new(place, "", format!("cannot be read as YAML: {}", without_place(&error)))
            }
        }
    })?;
    match node.content {
        Content::Map(_) => Ok(node),
        Content::Null => Ok(Node::empty(node.origin)),
        _ => Err(SettingsError::new(
            name,
            "",
            "holds no settings: wanted sections such as `vmdb:` or `ext_management_systems:`",
        )),
    }
}

/// Reads a value that stands in an environment variable, such as `[a, b]`. `None` when it is no YAML.
pub fn read_value(source: usize, text: &str) -> Option<Node> {
    let state = State { left: Cell::new(MOST_VALUES), fault: RefCell::new(None) };
    let seed = Reader { source, path: Vec::new(), state: &state };
    seed.deserialize(serde_yaml::Deserializer::from_str(text)).ok()
}

/// A key without the colon that makes it a Ruby symbol.
pub fn plain_key(key: &str) -> &str {
    match key.strip_prefix(':') {
        Some(plain) if !plain.is_empty() => plain,
        _ => key,
    }
}

/// The reader repeats the place, which stands in front already.
fn without_place(error: &serde_yaml::Error) -> String {
    let place = error.location().map(|at| format!(" at line {} column {}", at.line(), at.column()));
    let text = error.to_string();
    let text = place.map_or_else(|| text.clone(), |place| text.replacen(&place, "", 1));
    match text.contains("did not find expected node content") {
        true => format!("{text}; within {{}} and [] put symbols in quotes, such as {{':poll': 1.seconds}}"),
        false => text,
    }
}

/// Shared by all readers of one document.
struct State {
    /// How many values may still come.
    left: Cell<usize>,
    /// Key and message of an error of ours; the reader's own error around it tells the line.
    fault: RefCell<Option<(String, String)>>,
}

impl State {
    fn fail<E: Error>(&self, path: &[Step], message: impl Into<String>) -> E {
        self.fault.replace(Some((path_text(path), message.into())));
        E::custom("see the fault")
    }
}

struct Reader<'a> {
    source: usize,
    path: Vec<Step>,
    state: &'a State,
}

impl Reader<'_> {
    fn child(&self, step: Step) -> Self {
        let mut path = self.path.clone();
        path.push(step);
        Self { source: self.source, path, state: self.state }
    }

    fn node<E: Error>(self, content: Content) -> Result<Node, E> {
        match self.state.left.get().checked_sub(1) {
            Some(left) => self.state.left.set(left),
            None => {
                return Err(self
                    .state
                    .fail(&self.path, "too many values (aliases of aliases?); write it out"));
            }
        }
        Ok(Node { content, origin: Origin { source: self.source, path: self.path } })
    }

    /// What `<<:` brings: a section, or a list of them, of which the first wins.
    fn merge_key<E: Error>(&self, value: Node) -> Result<Vec<(String, Node)>, E> {
        match value.content {
            Content::Null => Ok(Vec::new()),
            Content::Map(entries) => Ok(entries),
            Content::List(items) => {
                let mut entries = Vec::new();
                for item in items {
                    entries.extend(self.merge_key::<E>(item)?);
                }
                Ok(entries)
            }
            Content::Scalar(_) => {
                let message = "`<<` wants a section or a list of sections, such as `<<: *defaults`";
                Err(self.state.fail(&self.path, message))
            }
        }
    }

    fn scalar<E: Error>(self, text: String, is_text: bool) -> Result<Node, E> {
        self.node(Content::Scalar(Scalar { written: text.clone(), text, is_text }))
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, number, boolean, list or section")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.scalar(value.to_string(), false)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.scalar(value.to_string(), false)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.scalar(value.to_string(), false)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        self.scalar(value.to_string(), false)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        self.scalar(value.to_string(), false)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.scalar(value.to_string(), false)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.scalar(value.to_owned(), true)
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.node(Content::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.node(Content::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.child(Step::Index(items.len())))? {
            items.push(item);
        }
        self.node(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut known = HashSet::new();
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        while let Some(key) = map.next_key_seed(Key { known: &known, path: &self.path, state: self.state })? {
            let value = map.next_value_seed(self.child(Step::Key(key.clone())))?;
            known.insert(key.clone());
            match key.as_str() {
                "<<" => merged = self.merge_key(value)?,
                _ => entries.push((key, value)),
            }
        }
        for (key, mut value) in merged {
            if known.insert(key.clone()) {
                relocate(&mut value, &self.child(Step::Key(key.clone())).path);
                entries.push((key, value));
            }
        }
        self.node(Content::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        let tag = tag.trim_start_matches('!');
        match tag {
            "ruby/symbol" | "ruby/sym" => value.newtype_variant_seed(self),
            _ => Err(self.state.fail(&self.path, format!("the tag !{tag} is not known here; leave it out"))),
        }
    }
}

/// Values of a merge key stand where they are merged into.
fn relocate(node: &mut Node, path: &[Step]) {
    let below = |step: Step| path.iter().cloned().chain([step]).collect::<Vec<_>>();
    match &mut node.content {
        Content::Map(entries) => {
            entries.iter_mut().for_each(|(key, child)| relocate(child, &below(Step::Key(key.clone()))));
        }
        Content::List(items) => {
            items
                .iter_mut()
                .enumerate()
                .for_each(|(index, child)| relocate(child, &below(Step::Index(index))));
        }
        Content::Null | Content::Scalar(_) => {}
    }
    node.origin.path = path.to_vec();
}

/// A key as plain text; refuses one that the section has already, plain or as a symbol.
struct Key<'a> {
    known: &'a HashSet<String>,
    path: &'a [Step],
    state: &'a State,
}

impl Key<'_> {
    fn accept<E: Error>(self, key: &str) -> Result<String, E> {
        let key = plain_key(key);
        if self.known.contains(key) {
            let path: Vec<Step> = self.path.iter().cloned().chain([Step::Key(key.to_owned())]).collect();
            return Err(self.state.fail(&path, "the key stands here a second time; keep one of them"));
        }
        Ok(key.to_owned())
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        self.accept(key)
    }

    fn visit_bool<E: Error>(self, key: bool) -> Result<String, E> {
        self.accept(&key.to_string())
    }

    fn visit_i64<E: Error>(self, key: i64) -> Result<String, E> {
        self.accept(&key.to_string())
    }

    fn visit_u64<E: Error>(self, key: u64) -> Result<String, E> {
        self.accept(&key.to_string())
    }

    fn visit_f64<E: Error>(self, key: f64) -> Result<String, E> {
        self.accept(&key.to_string())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<String, A::Error> {
        let (_tag, value) = tagged.variant::<String>()?;
        value.newtype_variant_seed(self)
    }
}
