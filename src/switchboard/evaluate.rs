//! Evaluates an event as ManageIQ does: `/System/Process/Event` → class of the source → instance of the type → calls.
//!
//! A relationship is followed completely before the next field runs. A class or instance that is not there is passed
//! over and its siblings go on; a bad address, a circle or a guard that asks for what is not there ends the event's run.

use super::Call;
use super::explanation::{Explanation, FieldRun, Resolved};
use super::guard;
use super::handler_names::HANDLERS;
use super::index::{ENTRY_CLASS, ENTRY_INSTANCE, Found, Index};
use super::model::{DataType, Effective, FieldKind, SchemaField, is_commented_out};
use super::substitution::{Object, Part, Reference, Template, is_unknown_root_attribute};
use super::uri::{self, Uri};
use std::collections::BTreeMap;

/// Deeper than any tree of relationships that is meant.
const DEEPEST: usize = 50;

/// Evaluates one event.
pub(super) fn explain(index: &Index, source: &str, event_type: &str) -> Explanation {
    let mut run = Run { index, source, event_type, frames: Vec::new(), explanation: Explanation::default() };
    let params = BTreeMap::from([
        ("event_type".to_owned(), event_type.to_owned()),
        ("object_name".to_owned(), "Event".to_owned()),
        ("vmdb_object_type".to_owned(), "event_stream".to_owned()),
    ]);
    let entry = Uri {
        class: ENTRY_CLASS.to_owned(),
        instance: Some(ENTRY_INSTANCE.to_owned()),
        params,
        message: Some("create".to_owned()),
        wildcard: false,
    };
    run.explanation.aborted = run.call(entry, "create", "").err().map(|Abort(why)| why);
    run.explanation
}

/// Why a run ends.
struct Abort(String);

/// An object under way.
struct Frame {
    /// Class, instance and message, to notice circles.
    identity: (String, Option<String>, String),
    attributes: BTreeMap<String, String>,
}

/// Why a value has no text.
enum NoText {
    /// The field is passed over.
    PassOver(String),
    /// An attribute is not there; counts as empty, save in guards.
    Absent(String),
}

struct Run<'a> {
    index: &'a Index,
    source: &'a str,
    event_type: &'a str,
    frames: Vec<Frame>,
    explanation: Explanation,
}

impl<'a> Run<'a> {
    /// Runs what `uri` names. `place` says where the address stands.
    fn call(&mut self, uri: Uri, message: &str, place: &str) -> Result<(), Abort> {
        let asked = uri.instance.clone().unwrap_or_default();
        let found = self.index.resolve(&uri.class, uri.instance.as_deref());
        let Some(found) = found.filter(|_| !uri.wildcard) else {
            self.explanation
                .warnings
                .push(format!("{place}no class or instance answers for /{}/{asked}", uri.class));
            return Ok(());
        };
        let message = uri.message.unwrap_or_else(|| message.to_owned());
        let instance = found.instance.map(|instance| instance.name.to_ascii_lowercase());
        let is_missing =
            instance.as_deref() == Some(super::index::MISSING) && !asked.eq_ignore_ascii_case(".missing");
        let identity = (found.class.path.to_ascii_lowercase(), instance, message.clone());
        if self.frames.iter().any(|frame| frame.identity == identity) {
            return Err(Abort(format!("{place}/{}/{asked} calls itself in a circle", uri.class)));
        }
        if self.frames.len() >= DEEPEST {
            return Err(Abort(format!("{place}relationships are nested more than {DEEPEST} deep")));
        }
        let is_resolved = self.frames.len() == 1 && self.explanation.resolved.is_none();
        if is_resolved {
            self.explanation.resolved = Some(resolved(&found));
        }
        self.frames.push(Frame { identity, attributes: BTreeMap::new() });
        let mut result = self.guards_hold(&found, &message);
        if matches!(result, Ok(true)) {
            self.attach(uri.params, is_missing.then_some(asked));
            result = self.run_fields(&found, &message).map(|()| true);
        }
        let frame = self.frames.pop();
        if let (true, Some(resolved), Some(frame)) = (is_resolved, &mut self.explanation.resolved, frame) {
            resolved.attributes = frame.attributes;
        }
        result.map(|_| ())
    }

    fn attach(&mut self, params: BTreeMap<String, String>, missing_instance: Option<String>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.attributes.extend(params);
            frame.attributes.extend(missing_instance.map(|name| ("_missing_instance".to_owned(), name)));
        }
    }

    /// All assertions, before the parameters are attached, as in ManageIQ: a guard does not see its own parameters.
    fn guards_hold(&mut self, found: &Found<'a>, message: &str) -> Result<bool, Abort> {
        for field in found.class.schema.fields.iter().filter(|field| field.kind == FieldKind::Assertion) {
            let Some(value) =
                found.class.effective(found.instance, field).filter(|_| field.answers_to(message))
            else {
                continue;
            };
            let place = place(&value, field);
            let text = match self.text(&value, field) {
                Ok(text) => text,
                Err(NoText::Absent(why)) => return Err(Abort(format!("{place}{why}"))),
                Err(NoText::PassOver(why)) => {
                    self.explanation.warnings.push(format!("{place}the guard counts as failed: {why}"));
                    return Ok(false);
                }
            };
            self.ran(found, field, &text);
            let holds = guard::holds(&text);
            if let Err(why) = &holds {
                self.explanation.warnings.push(format!("{place}the guard counts as failed: {why}"));
            }
            if holds != Ok(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn run_fields(&mut self, found: &Found<'a>, message: &str) -> Result<(), Abort> {
        for field in found.class.schema.fields.iter().filter(|field| field.kind != FieldKind::Assertion) {
            let Some(value) =
                found.class.effective(found.instance, field).filter(|_| field.answers_to(message))
            else {
                continue;
            };
            if field.kind != FieldKind::Attribute && is_commented_out(value.text) {
                continue;
            }
            match self.text(&value, field) {
                Ok(text) => self.run_field(found, field, (&value, text), message)?,
                Err(NoText::PassOver(why) | NoText::Absent(why)) => {
                    self.explanation.warnings.push(format!("{}passed over: {why}", place(&value, field)));
                }
            }
        }
        Ok(())
    }

    fn run_field(
        &mut self,
        found: &Found<'a>,
        field: &SchemaField,
        (value, text): (&Effective<'_>, String),
        message: &str,
    ) -> Result<(), Abort> {
        self.ran(found, field, &text);
        let place = place(value, field);
        match field.kind {
            FieldKind::Assertion => {}
            FieldKind::Attribute => {
                let text = if field.datatype == DataType::Boolean { boolean(text) } else { text };
                if let Some(frame) = self.frames.last_mut() {
                    frame.attributes.insert(field.key.clone(), text);
                }
            }
            FieldKind::Method => match handler_method(&found.class.path, &text) {
                Some(handler) => {
                    let params = self.frames.last().map(|frame| frame.attributes.clone()).unwrap_or_default();
                    self.explanation
                        .calls
                        .push(Call { uri: format!("/System/event_handlers/{handler}"), params });
                }
                None => self.explanation.warnings.push(format!("{place}the method {text} is not run")),
            },
            FieldKind::Relationship => {
                let uri = Uri::parse(&text).map_err(|why| Abort(format!("{place}{why}")))?;
                self.call(uri, message, &place)?;
            }
            FieldKind::State => self.explanation.warnings.push(format!("{place}the state {text} is not run")),
        }
        Ok(())
    }

    fn ran(&mut self, found: &Found<'a>, field: &SchemaField, value: &str) {
        let (class, field, kind) = (found.class.path.clone(), field.name.clone(), field.kind);
        self.explanation.fields.push(FieldRun { class, field, kind, value: value.to_owned() });
    }

    /// The field's text with its placeholders filled in.
    fn text(&mut self, value: &Effective<'_>, field: &SchemaField) -> Result<String, NoText> {
        if field.datatype == DataType::NullCoalescing {
            let filled = value.text.split("||").find_map(|part| {
                self.substitute(part.trim(), field).ok().filter(|text| !text.trim().is_empty())
            });
            return Ok(filled.unwrap_or_default());
        }
        self.substitute(value.text, field)
    }

    fn substitute(&mut self, text: &str, field: &SchemaField) -> Result<String, NoText> {
        if !field.substitute || !text.contains("${") {
            return Ok(text.to_owned());
        }
        let template = Template::parse(text).map_err(NoText::PassOver)?;
        // What is filled into an address stays one piece of it, unless it is the whole address.
        let encodes = field.kind == FieldKind::Relationship && !template.is_whole();
        let mut filled = String::new();
        for part in &template.parts {
            let piece = match part {
                Part::Text(text) => {
                    filled.push_str(text);
                    continue;
                }
                Part::CurrentMessage => self.frames.last().map(|frame| frame.identity.2.clone()),
                Part::Attribute(reference) => self.attribute(reference, field)?,
            };
            let piece = piece.unwrap_or_default();
            filled.push_str(&if encodes { uri::encode(&piece) } else { piece });
        }
        Ok(filled)
    }

    fn attribute(&mut self, reference: &Reference, field: &SchemaField) -> Result<Option<String>, NoText> {
        let depth = self.frames.len() - 1;
        let name = reference.attribute.as_str();
        if depth > 0 {
            self.explanation.depends_on_event = true;
        }
        match reference.member.as_deref() {
            Some("source") => return Ok(Some(self.source.to_owned())),
            Some("event_type") => return Ok(Some(self.event_type.to_owned())),
            Some(_) => return Ok(Some("EmsEvent".to_owned())),
            None => {}
        }
        let at = match reference.object {
            Object::Root => Some(0),
            Object::Up(steps) => depth.checked_sub(steps),
        };
        let frame = at
            .map(|at| &self.frames[at])
            .ok_or_else(|| NoText::PassOver("`..` leads above the root".to_owned()))?;
        match frame.attributes.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None if at == Some(0) && is_unknown_root_attribute(name) => {
                Err(NoText::PassOver(format!("`{name}` is not known to the switchboard")))
            }
            None if field.kind == FieldKind::Assertion => {
                Err(NoText::Absent(format!("there is no attribute `{name}`")))
            }
            None => Ok(None),
        }
    }
}

fn resolved(found: &Found<'_>) -> Resolved {
    Resolved {
        domain: found.domain.name.clone(),
        class: found.class.path.clone(),
        instance: found.instance.map_or_else(String::new, |instance| instance.name.clone()),
        attributes: BTreeMap::new(),
    }
}

/// The handler that a method field of `/System/event_handlers` calls.
pub(super) fn handler_method(class: &str, method: &str) -> Option<&'static str> {
    let is_handlers = class.eq_ignore_ascii_case("System/event_handlers");
    let method = method.trim();
    HANDLERS.iter().copied().find(|handler| is_handlers && handler.eq_ignore_ascii_case(method))
}

fn place(value: &Effective<'_>, field: &SchemaField) -> String {
    format!("{}:{}: {}: ", value.file, value.line, field.name)
}

fn boolean(text: String) -> String {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => "true".to_owned(),
        "false" | "0" => "false".to_owned(),
        _ => text,
    }
}
