//! Evaluates an event as ManageIQ does: `/System/Process/Event` → class of the source → instance of the type → calls.
//!
//! A relationship is followed completely before the next field runs. A class or instance that is not there is passed
//! over and its siblings go on; a bad address, a circle or a guard that asks for what is not there ends the event's run.

use super::Call;
use super::explanation::{Explanation, FieldRun, Resolved};
use super::guard;
use super::index::{ENTRY_CLASS, ENTRY_INSTANCE, Found, Index, MISSING};
use super::model::{Effective, FieldKind, SchemaField, is_commented_out};
use super::native::{native_method, native_state_machine};
use super::uri::Uri;
use super::values::{NoText, converted};
use std::collections::BTreeMap;

/// Deeper than any tree of relationships that is meant.
const DEEPEST: usize = 50;

/// What is known of an event.
pub(super) struct Asked<'a> {
    /// `EmsEvent`, `MiqEvent` and the like.
    pub namespace: &'a str,
    pub source: &'a str,
    pub event_type: &'a str,
}

/// Evaluates one event.
pub(super) fn explain(index: &Index, asked: &Asked<'_>) -> Explanation {
    let mut run =
        Run { index, asked, frames: Vec::new(), finished: Vec::new(), explanation: Explanation::default() };
    let params = BTreeMap::from([
        ("event_type".to_owned(), asked.event_type.to_owned()),
        ("object_name".to_owned(), "Event".to_owned()),
        ("vmdb_object_type".to_owned(), "event_stream".to_owned()),
    ]);
    let entry = Uri {
        class: ENTRY_CLASS.to_owned(),
        instance: Some(ENTRY_INSTANCE.to_owned()),
        params,
        message: Some("create".to_owned()),
        ..Uri::default()
    };
    run.explanation.aborted = run.call(entry, "create", "").err().map(|Abort(why)| why);
    run.explanation
}

/// Why a run ends.
pub(super) struct Abort(pub String);

/// An object, under way or done.
pub(super) struct Frame {
    /// In lower case, such as `system/event/emsevent/vc`.
    class: String,
    /// In lower case; `None` for the class's defaults alone.
    instance: Option<String>,
    pub message: String,
    pub attributes: BTreeMap<String, String>,
    /// Whether the call that stands for all its states is made.
    are_states_run: bool,
}

impl Frame {
    /// Whether it is of the class that `path` ends with, in lower case.
    pub(super) fn is_of_class(&self, path: &str) -> bool {
        ends_with_path(&self.class, path)
    }

    /// Whether it lies at `path`: namespace, class and instance, in lower case.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let here = path.rsplit_once('/').filter(|(_, name)| self.instance.as_deref() == Some(*name));
        here.is_some_and(|(class, _)| ends_with_path(&self.class, class))
    }

    fn is_same_call(&self, other: &Self) -> bool {
        (&self.class, &self.instance, &self.message) == (&other.class, &other.instance, &other.message)
    }
}

/// Whether `class` ends with the segments of `path`; both in lower case.
pub(super) fn ends_with_path(class: &str, path: &str) -> bool {
    class.strip_suffix(path).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// One event's run.
pub(super) struct Run<'a> {
    pub index: &'a Index,
    pub asked: &'a Asked<'a>,
    /// From the root inwards.
    pub frames: Vec<Frame>,
    pub finished: Vec<Frame>,
    pub explanation: Explanation,
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
        let is_missing = instance.as_deref() == Some(MISSING) && !asked.eq_ignore_ascii_case(MISSING);
        let class = found.class.path.to_ascii_lowercase();
        let frame = Frame {
            class,
            instance,
            message: message.clone(),
            attributes: BTreeMap::new(),
            are_states_run: false,
        };
        if self.frames.iter().any(|outer| outer.is_same_call(&frame)) {
            return Err(Abort(format!("{place}/{}/{asked} calls itself in a circle", uri.class)));
        }
        if self.frames.len() >= DEEPEST {
            return Err(Abort(format!("{place}relationships are nested more than {DEEPEST} deep")));
        }
        let is_resolved = self.frames.len() == 1 && self.explanation.resolved.is_none();
        if is_resolved {
            self.explanation.resolved = Some(resolved(&found));
        }
        self.frames.push(frame);
        let mut result = self.guards_hold(&found, &message);
        if matches!(result, Ok(true)) {
            self.attach(uri.params, is_missing.then_some(asked));
            result = self.run_fields(&found, &message).map(|()| true);
        }
        if let Some(frame) = self.frames.pop() {
            if let (true, Some(resolved)) = (is_resolved, &mut self.explanation.resolved) {
                resolved.attributes.clone_from(&frame.attributes);
            }
            // A guard that fails discards its object.
            if matches!(result, Ok(true)) {
                self.finished.push(frame);
            }
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
                Ok(text) => text.unwrap_or_default(),
                Err(NoText::PassOver(why)) => {
                    self.explanation.warnings.push(format!("{place}the guard counts as failed: {why}"));
                    return Ok(false);
                }
                Err(NoText::Absent(why) | NoText::NoObject(why)) => {
                    return Err(Abort(format!("{place}{why}")));
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
                Ok(Some(text)) => self.run_field(found, field, (&value, text), message)?,
                Ok(None) => {}
                Err(why) => {
                    let place = place(&value, field);
                    let why = why.passed_over(&place)?;
                    self.explanation.warnings.push(format!("{place}passed over: {why}"));
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
        // What a placeholder leaves blank or turns into a comment is passed over like what is written so.
        if field.kind != FieldKind::Attribute && (text.trim().is_empty() || is_commented_out(&text)) {
            return Ok(());
        }
        self.ran(found, field, &text);
        let place = place(value, field);
        match field.kind {
            FieldKind::Assertion => {}
            FieldKind::Attribute => {
                let text = converted(text, field.datatype);
                if let Some(frame) = self.frames.last_mut() {
                    frame.attributes.insert(field.key.clone(), text);
                }
            }
            FieldKind::Method => self.run_method(found, &text, &place),
            FieldKind::State => self.run_state(found, &text, &place),
            FieldKind::Relationship => {
                let uri = Uri::parse(&text).map_err(|why| Abort(format!("{place}{why}")))?;
                if uri.is_method {
                    self.call_method(uri, &place);
                } else {
                    self.call(uri, message, &place)?;
                }
            }
        }
        Ok(())
    }

    fn run_method(&mut self, found: &Found<'a>, method: &str, place: &str) {
        if found.instance.is_some_and(|instance| instance.name.eq_ignore_ascii_case(MISSING)) {
            self.explanation.depends_on_event = true;
        }
        match native_method(&found.class.path, method) {
            Some(uri) => self.push_call(uri),
            None => self.explanation.warnings.push(format!("{place}the method {method} is not run")),
        }
    }

    /// All states of a state machine that is run natively are one call.
    fn run_state(&mut self, found: &Found<'a>, state: &str, place: &str) {
        let name = found.instance.map_or("", |instance| instance.name.as_str());
        let Some(frame) = self.frames.last_mut() else { return };
        match native_state_machine(&found.class.path, name) {
            Some(uri) => {
                if !std::mem::replace(&mut frame.are_states_run, true) {
                    self.push_call(uri.to_owned());
                }
            }
            None => self.explanation.warnings.push(format!("{place}the state {state} is not run")),
        }
    }

    fn push_call(&mut self, uri: String) {
        let params = self.frames.last().map(|frame| frame.attributes.clone()).unwrap_or_default();
        self.explanation.calls.push(Call { uri, params });
    }

    /// An address of the scheme `method`.
    fn call_method(&mut self, uri: Uri, place: &str) {
        let method = uri.instance.unwrap_or_default();
        match native_method(&uri.class, &method) {
            Some(address) => self.explanation.calls.push(Call { uri: address, params: uri.params }),
            None => self.explanation.warnings.push(format!("{place}the method {method} is not run")),
        }
    }

    fn ran(&mut self, found: &Found<'a>, field: &SchemaField, value: &str) {
        let (class, field, kind) = (found.class.path.clone(), field.name.clone(), field.kind);
        self.explanation.fields.push(FieldRun { class, field, kind, value: value.to_owned() });
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

fn place(value: &Effective<'_>, field: &SchemaField) -> String {
    format!("{}:{}: {}: ", value.file, value.line, field.name)
}
