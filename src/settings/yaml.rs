//! YAML text → tree with origins, in the manner of ManageIQ's files: symbols as keys, Ruby's symbol tag, merge keys.
//!
//! Duplicate keys are an error, aliases are bounded. Values stay text; what they mean is not decided here.

use super::errors::SettingsError;
use super::sources::path_text;
use super::tree::{Content, Node, Origin, Scalar, Step};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

/// More values than any settings have; aliases of aliases reach it at once.
const MOST_VALUES: usize = 100_000;

/// Reads one document; an empty one is an empty section.
///
/// # Errors
/// When it is no YAML, has a key twice, or is no section at the top. `name` is the file's.
pub fn read(name: &str, source: usize, text: &str) -> Result<Node, SettingsError> {
    let left = Cell::new(MOST_VALUES);
    let seed = Reader { source, path: Vec::new(), left: &left };
    let node = seed.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        let place = error.location().map_or_else(|| name.to_owned(), |at| format!("{name}:{}", at.line()));
        SettingsError::new(place, "", format!("cannot be read as YAML: {}", without_place(&error)))
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
    let left = Cell::new(MOST_VALUES);
    let seed = Reader { source, path: Vec::new(), left: &left };
    seed.deserialize(serde_yaml::Deserializer::from_str(text)).ok()
}

/// A key without the colon that makes it a Ruby symbol.
pub fn plain_key(key: &str) -> &str {
    match key.strip_prefix(':') {
        Some(plain) if !plain.is_empty() => plain,
        _ => key,
    }
}

/// The reader appends ` at line 3 column 5`, which stands in front already.
fn without_place(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if text[end..].contains(" column ") => text[..end].to_owned(),
        _ => text,
    }
}

struct Reader<'a> {
    source: usize,
    path: Vec<Step>,
    left: &'a Cell<usize>,
}

impl Reader<'_> {
    fn child(&self, step: Step) -> Self {
        let mut path = self.path.clone();
        path.push(step);
        Self { source: self.source, path, left: self.left }
    }

    fn node<E: Error>(self, content: Content) -> Result<Node, E> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(E::custom("it holds too many values (aliases of aliases?)")),
        }
        Ok(Node { content, origin: Origin { source: self.source, path: self.path } })
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
        while let Some(key) = map.next_key_seed(Key { known: &known, path: &self.path })? {
            let value = map.next_value_seed(self.child(Step::Key(key.clone())))?;
            known.insert(key.clone());
            match key.as_str() {
                "<<" => merged = merge_key(value)?,
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
        match tag.trim_start_matches('!') {
            "ruby/symbol" | "ruby/sym" => value.newtype_variant_seed(self),
            _ => Err(A::Error::custom(format!("the tag {tag} is not known here; leave it out"))),
        }
    }
}

/// What `<<:` brings: a section, or a list of them, of which the first wins.
fn merge_key<E: Error>(value: Node) -> Result<Vec<(String, Node)>, E> {
    match value.content {
        Content::Null => Ok(Vec::new()),
        Content::Map(entries) => Ok(entries),
        Content::List(items) => {
            let mut entries = Vec::new();
            for item in items {
                entries.extend(merge_key::<E>(item)?);
            }
            Ok(entries)
        }
        Content::Scalar(_) => {
            Err(E::custom("`<<` wants a section or a list of sections, such as `<<: *defaults`"))
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
}

impl Key<'_> {
    fn accept<E: Error>(self, key: &str) -> Result<String, E> {
        let key = plain_key(key);
        if self.known.contains(key) {
            let path: Vec<Step> = self.path.iter().cloned().chain([Step::Key(key.to_owned())]).collect();
            return Err(E::custom(format!(
                "the key {} stands here a second time; keep one of them",
                path_text(&path)
            )));
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
