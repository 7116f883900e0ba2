//! What a loaded domain holds: classes with their schema, and their instances.

use std::collections::HashMap;
use std::sync::Arc;

/// One enabled domain.
#[derive(Debug)]
pub(super) struct Domain {
    pub name: String,
    /// Whether it comes with the binary.
    pub builtin: bool,
    /// By lower-case path, such as `system/event/emsevent/amazon`.
    pub classes: HashMap<String, Class>,
}

/// One class as one domain has it.
#[derive(Debug)]
pub(super) struct Class {
    /// As written, such as `System/Event/EmsEvent/Amazon`.
    pub path: String,
    /// Whether it comes with the binary.
    pub is_builtin: bool,
    /// In order of evaluation.
    pub schema: Arc<Schema>,
    /// By lower-case name.
    pub instances: HashMap<String, Instance>,
    /// Files of methods, which are not run.
    pub methods: Vec<MethodFile>,
    /// Where people are told that it lies.
    pub shown: String,
}

/// A file of a method.
#[derive(Debug)]
pub(super) struct MethodFile {
    /// What the method is called.
    pub name: String,
    /// As people are told of it.
    pub shown: String,
}

/// The fields of a class, in order of evaluation.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// Where they are written, such as `__class__.yaml`.
    pub file: String,
    pub fields: Vec<SchemaField>,
}

impl Schema {
    pub(super) fn field(&self, lower_name: &str) -> Option<&SchemaField> {
        self.fields.iter().find(|field| field.key == lower_name)
    }
}

/// One field of a class.
#[derive(Debug)]
pub(super) struct SchemaField {
    pub name: String,
    /// The name in lower case.
    pub key: String,
    pub kind: FieldKind,
    pub datatype: DataType,
    pub priority: i64,
    pub substitute: bool,
    /// The messages it answers to, in lower case.
    pub messages: Vec<String>,
    pub default: Option<String>,
    pub collect: bool,
    pub line: usize,
}

impl SchemaField {
    pub(super) fn answers_to(&self, message: &str) -> bool {
        self.messages.iter().any(|known| known == "*" || known == message)
    }
}

/// ManageIQ's `aetype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A guard.
    Assertion,
    /// A value of the object.
    Attribute,
    /// A call of a method.
    Method,
    /// The address of another instance.
    Relationship,
    /// A step of a state machine; not run here.
    State,
}

/// The data types that change what a text means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataType {
    Text,
    Boolean,
    Integer,
    Float,
    Array,
    NullCoalescing,
}

/// One instance.
#[derive(Debug)]
pub(super) struct Instance {
    /// As its file says.
    pub name: String,
    pub file: String,
    /// Line of its name.
    pub line: usize,
    /// By lower-case field name.
    pub values: HashMap<String, FieldValue>,
}

/// What an instance says for one field.
#[derive(Debug)]
pub(super) struct FieldValue {
    pub text: Option<String>,
    pub collect: bool,
    pub line: usize,
}

/// The text that counts for a field, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effective<'a> {
    pub text: &'a str,
    pub file: &'a str,
    pub line: usize,
}

impl Class {
    /// The instance's value, else the class's default; `None` when both are blank.
    pub(super) fn effective<'a>(
        &'a self,
        instance: Option<&'a Instance>,
        field: &'a SchemaField,
    ) -> Option<Effective<'a>> {
        let own = instance.and_then(|instance| {
            let value = instance.values.get(&field.key)?;
            let text = filled(value.text.as_deref())?;
            Some(Effective { text, file: &instance.file, line: value.line })
        });
        own.or_else(|| {
            let text = filled(field.default.as_deref())?;
            Some(Effective { text, file: &self.schema.file, line: field.line })
        })
    }
}

/// Methods and relationships are commented out by a leading `#`.
pub(super) fn is_commented_out(text: &str) -> bool {
    text.trim_start().starts_with('#')
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}
