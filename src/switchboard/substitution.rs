//! `${path#attribute}` in values: which of them can be known when only the event's source and type are.
//!
//! Known are the attributes of the object itself (`${#name}`), of the one that called it (`${..#name}`), of the root
//! (`${/#event_type}`), and of the event (`${/#event_stream.source}`). Method calls on values and class paths are not.

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
    CurrentMessage,
}

/// An attribute of an object under way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub object: Object,
    /// In lower case.
    pub attribute: String,
    /// Of the event, when `attribute` is `event_stream`.
    pub member: Option<String>,
}

/// Which object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Object {
    Root,
    /// So many callers up; 0 is the object itself.
    Up(usize),
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
        matches!(self.parts.as_slice(), [Part::Attribute(_) | Part::CurrentMessage])
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
    let (path, attribute) = inside
        .split_once('#')
        .ok_or_else(|| unknown("names no attribute; write ${/#event_type}, for example"))?;
    let object = match path {
        "" | "." => Object::Up(0),
        "/" => Object::Root,
        _ if path.split('/').all(|step| step == "..") => Object::Up(path.split('/').count()),
        _ => return Err(unknown("looks up another object, which Catchall does not do")),
    };
    let attribute = attribute.to_ascii_lowercase();
    let (attribute, member) = match attribute.split_once('.') {
        None => (attribute, None),
        Some(("event_stream", member)) if object == Object::Root && is_known_member(member) => {
            ("event_stream".to_owned(), Some(member.to_owned()))
        }
        Some(_) => {
            return Err(unknown(
                "is not known to the switchboard; it knows the event's source and type alone",
            ));
        }
    };
    Ok(Part::Attribute(Reference { object, attribute, member }))
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
