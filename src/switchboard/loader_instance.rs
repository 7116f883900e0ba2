//! One instance: from a file of its own, or from its line in a class's file.

use super::document::Document;
use super::files::SourceFile;
use super::loader::warning;
use super::model::{FieldValue, Instance, Schema};
use super::problem::{AutomateError, AutomateWarning, did_you_mean};
use serde_yaml::{Mapping, Value};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

const VALUE_KEYS: &[&str] =
    &["value", "collect", "on_entry", "on_exit", "on_error", "max_retries", "max_time"];

/// The `name` that a class or instance must have.
pub(super) fn required_name(document: &Document<'_>, attributes: &Mapping) -> Result<String, AutomateError> {
    let line = document.line_of("attributes", 1);
    let name = document.text_at(attributes, "name", line)?.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| {
        document.error(
            document.line_of("name", line),
            "`name` is not set; it, not the file's name, says what this is called",
        )
    })?;
    check_name(document, &name, document.line_of("name", line))?;
    Ok(name)
}

fn check_name(document: &Document<'_>, name: &str, line: usize) -> Result<(), AutomateError> {
    match name.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c)) {
        Some(character) => {
            let why =
                format!("`name` {name} holds `{character}`; only letters, digits and `_.-` can stand in it");
            Err(document.error(line, &why))
        }
        None => Ok(()),
    }
}

/// Loads an instance; `None` for a file that is none (a note, a backup copy), of which a warning tells.
pub(super) fn load_instance(
    file: &SourceFile,
    class: &str,
    schema: &Schema,
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Option<Instance>, AutomateError> {
    let file_name = file.path.rsplit('/').next().unwrap_or_default();
    let is_yaml = file_name.to_ascii_lowercase().ends_with(".yaml");
    let is_automate = std::str::from_utf8(&file.bytes).is_ok_and(|text| text.contains("object_type"));
    if !is_yaml && !is_automate {
        warnings.push(warning(file, 1, "is no instance and is passed over"));
        return Ok(None);
    }
    let document = Document::parse(file)?;
    document.holds_only(&["attributes", "fields"])?;
    let attributes = document.attributes(&["name", "display_name", "description", "inherits"])?;
    let name = required_name(&document, &attributes)?;
    let line = document.line_of("name", document.line_of("attributes", 1));
    if !is_yaml && !file_name.eq_ignore_ascii_case(&name) {
        let why = format!(
            "is passed over, since it ends in no .yaml and is not called {name} like the instance in it"
        );
        warnings.push(warning(file, 1, &why));
        return Ok(None);
    }
    if document.text_at(&attributes, "inherits", 1)?.is_some_and(|text| !text.trim().is_empty()) {
        return Err(document
            .error(document.line_of("inherits", 1), "an instance cannot inherit; leave `inherits` empty"));
    }
    let values = field_values(&document, (class, schema), warnings)?;
    Ok(Some(Instance { name, file: file.shown.clone(), line, values }))
}

/// What the instance says for each field.
fn field_values(
    document: &Document<'_>,
    (class, schema): (&str, &Schema),
    warnings: &mut Vec<AutomateWarning>,
) -> Result<HashMap<String, FieldValue>, AutomateError> {
    let mut values = HashMap::new();
    for (field, mapping, line) in document.entries("fields")? {
        known_field(document, &field, (class, schema), line)?;
        let value = field_value(document, &mapping, line..usize::MAX)?;
        set(document, &mut values, (&field, value), line, warnings);
    }
    Ok(values)
}

/// Its class's schema says which fields there are.
fn known_field(
    document: &Document<'_>,
    field: &str,
    (class, schema): (&str, &Schema),
    line: usize,
) -> Result<(), AutomateError> {
    if schema.field(&field.to_ascii_lowercase()).is_some() {
        return Ok(());
    }
    let why = format!(
        "the class {class} has no field `{field}`{}; its fields stand in {}",
        did_you_mean(field, schema.fields.iter().map(|field| field.name.as_str())),
        schema.file
    );
    Err(document.error(line, &why))
}

fn field_value(
    document: &Document<'_>,
    mapping: &Mapping,
    lines: Range<usize>,
) -> Result<FieldValue, AutomateError> {
    let line = lines.start;
    document.only(mapping, VALUE_KEYS, line)?;
    let text = document.text_at(mapping, "value", line)?;
    let collect = document.text_at(mapping, "collect", line)?.is_some_and(|text| !text.trim().is_empty());
    Ok(FieldValue { text, collect, line: document.line_within("value", line, lines.end).unwrap_or(line) })
}

/// As in ManageIQ the first of two values counts.
fn set(
    document: &Document<'_>,
    values: &mut HashMap<String, FieldValue>,
    (field, value): (&str, FieldValue),
    line: usize,
    warnings: &mut Vec<AutomateWarning>,
) {
    match values.entry(field.to_ascii_lowercase()) {
        Entry::Occupied(_) => {
            let message = format!("`{field}` is set a second time; the first one counts");
            warnings.push(AutomateWarning { file: document.shown.to_owned(), line, message });
        }
        Entry::Vacant(vacant) => {
            vacant.insert(value);
        }
    }
}

/// The instance that a class's file holds under `name`: its fields with their values, on these lines.
pub(super) fn listed_instance(
    document: &Document<'_>,
    (name, fields): (&str, &Value),
    lines: Range<usize>,
    (class, schema): (&str, &Schema),
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Instance, AutomateError> {
    check_name(document, name, lines.start)?;
    let nothing = Mapping::new();
    let fields = match fields {
        Value::Mapping(fields) => fields,
        Value::Null => &nothing,
        _ => {
            let why = format!("`{name}` must hold fields with values: `{name}: {{rel4: /System/…}}`");
            return Err(document.error(lines.start, &why));
        }
    };
    let mut values = HashMap::new();
    for (field, value) in fields {
        let field = document.text(field, lines.start, name)?.unwrap_or_default();
        let line = document.line_within(&field, lines.start, lines.end).unwrap_or(lines.start);
        known_field(document, &field, (class, schema), line)?;
        let value = match value {
            Value::Mapping(mapping) => field_value(document, mapping, line..lines.end)?,
            scalar => FieldValue { text: document.text(scalar, line, &field)?, collect: false, line },
        };
        set(document, &mut values, (&field, value), line, warnings);
    }
    Ok(Instance { name: name.to_owned(), file: document.shown.to_owned(), line: lines.start, values })
}
