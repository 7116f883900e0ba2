//! `${path#attribute}` in values: which of them can be known when only the event's source and type are.
//!
//! Known are the attributes of the object itself (`${#name}`), of the one that called it (`${..#name}`), of the root
//! (`${/#event_type}`), of an object by its class (`${VC#name}`), of another instance as it is written
//! (`${miqaedb:/A/B/C/name}`), and of the event (`${/#event_stream.source}`); a few methods of texts may follow.

use super::text_methods::is_text_method;
use std::fmt;

/// A value with its placeholders taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub parts: Vec<Part>,
}

/// A piece of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Attribute(Reference),
    Static(StaticReference),
    CurrentMessage,
}

/// An attribute of an object under way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub object: Object,
    /// In lower case.
    pub attribute: String,
    /// What is called on its value, in order; of the root's `event_stream`, first which member.
    pub methods: Vec<String>,
}

/// An attribute of an instance that need not be under way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StaticReference {
    pub class: String,
    pub instance: String,
    /// In lower case.
    pub attribute: String,
}

/// Which object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Object {
    Root,
    /// So many callers up; 0 is the object itself.
    Up(usize),
    /// The nearest one under way of this class, or one that is done at this path; in lower case.
    Named(String),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("/"),
            Self::Up(0) => f.write_str("."),
            Self::Up(steps) => f.write_str(&vec![".."; *steps].join("/")),
            Self::Named(path) => f.write_str(path),
        }
    }
}

impl Template {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// Names the placeholder that cannot be known here.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((inside, behind)) = after.split_once('}') else { break };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(placeholder(inside.trim())?);
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether the whole value is one placeholder.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Attribute(_) | Part::Static(_) | Part::CurrentMessage])
    }

    /// Whether it is plain text.
    pub(super) fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }
}

fn placeholder(inside: &str) -> Result<Part, String> {
    if inside.eq_ignore_ascii_case("!current_message") {
        return Ok(Part::CurrentMessage);
    }
    let unknown = |why: &str| format!("${{{inside}}} {why}");
    if let Some(path) = inside.strip_prefix("miqaedb:") {
        return static_reference(path).map(Part::Static).ok_or_else(|| {
            unknown("names no attribute; write ${miqaedb:/Namespace/Class/Instance/attribute}")
        });
    }
    let (path, attribute) = inside
        .split_once('#')
        .ok_or_else(|| unknown("names no attribute; write ${/#event_type}, for example"))?;
    let object = object(path).ok_or_else(|| unknown("looks up what Catchall does not have"))?;
    let attribute = attribute.to_ascii_lowercase();
    let mut tokens = attribute.split('.').map(str::to_owned);
    let attribute = tokens.next().unwrap_or_default();
    let methods: Vec<String> = tokens.collect();
    let can_be_root = matches!(object, Object::Root | Object::Named(_));
    let of_text =
        match methods.split_first() {
            Some((member, methods)) if attribute == "event_stream" && can_be_root => {
                if is_known_member(member) { methods } else { std::slice::from_ref(member) }
            }
            _ => &methods,
        };
    if of_text.iter().all(|method| is_text_method(method)) {
        Ok(Part::Attribute(Reference { object, attribute, methods }))
    } else {
        Err(unknown("is not known to the switchboard; it knows the event's source and type alone"))
    }
}

fn object(path: &str) -> Option<Object> {
    match path {
        "" | "." => Some(Object::Up(0)),
        "/" => Some(Object::Root),
        _ if path.split('/').all(|step| step == "..") => Some(Object::Up(path.split('/').count())),
        _ if path.starts_with('.') || path.eq_ignore_ascii_case("STATE_VAR") || path.contains(':') => None,
        _ => Some(Object::Named(path.trim_matches('/').to_ascii_lowercase())),
    }
}

fn static_reference(path: &str) -> Option<StaticReference> {
    let (path, attribute) = path.trim_matches('/').rsplit_once(['/', '#'])?;
    let (class, instance) = path.trim_end_matches('/').rsplit_once('/')?;
    Some(StaticReference {
        class: class.to_owned(),
        instance: instance.to_owned(),
        attribute: attribute.to_ascii_lowercase(),
    })
}

fn is_known_member(member: &str) -> bool {
    matches!(member, "source" | "event_type" | "event_namespace")
}

/// Attributes that the root object has in ManageIQ and whose values are not known here.
pub(super) fn is_unknown_root_attribute(attribute: &str) -> bool {
    const RECORDS: &[&str] = &[
        "event_id",
        "event_stream_id",
        "event_stream",
        "vm",
        "vm_id",
        "dest_vm",
        "dest_vm_id",
        "host",
        "host_id",
        "dest_host",
        "dest_host_id",
        "ems",
        "ems_id",
        "miq_server",
        "user",
        "tenant",
        "miq_group",
        "user_id",
        "miq_server_id",
        "tenant_id",
        "miq_group_id",
    ];
    RECORDS.contains(&attribute)
}
