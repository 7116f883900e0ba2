//! A class's fields: as its file lists them, as a schema with a name has them, or as a lower domain's class does.

use super::document::Document;
use super::model::{DataType, Domain, FieldKind, Schema, SchemaField};
use super::problem::{AutomateError, AutomateWarning, did_you_mean};
use serde_yaml::{Mapping, Value};
use std::sync::Arc;

const FIELD_KEYS: &[&str] = &[
    "aetype",
    "name",
    "display_name",
    "datatype",
    "priority",
    "owner",
    "default_value",
    "substitute",
    "message",
    "visibility",
    "collect",
    "scope",
    "description",
    "condition",
    "on_entry",
    "on_exit",
    "on_error",
    "max_retries",
    "max_time",
];

/// The one schema that has a name: what all of ManageIQ's classes of events have.
const EMS_EVENT: &str = "ems_event";

/// The schema under `schema`: a list of fields, or a name. `None` when there is none.
pub(super) fn read_schema(
    document: &Document<'_>,
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Option<Arc<Schema>>, AutomateError> {
    match document.under("schema") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if name == EMS_EVENT => Ok(Some(Arc::new(ems_event_schema()))),
        Some(Value::String(name)) => {
            let why = format!("there is no schema `{name}`; write `schema: {EMS_EVENT}` or a list of fields");
            Err(document.error(document.line_of("schema", 1), &why))
        }
        Some(_) => listed_schema(document, warnings).map(|schema| Some(Arc::new(schema))),
    }
}

fn listed_schema(
    document: &Document<'_>,
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Schema, AutomateError> {
    let mut fields: Vec<SchemaField> = Vec::new();
    for (key, mapping, line) in document.entries("schema")? {
        if key != "field" {
            return Err(document.error(line, &format!("each entry of `schema` is a `field`, not `{key}`")));
        }
        let field = schema_field(document, &mapping, line, warnings)?;
        if fields.iter().any(|other| other.key == field.key) {
            let why = format!("the field {} is there a second time; names do not differ by case", field.name);
            return Err(document.error(line, &why));
        }
        fields.push(field);
    }
    fields.sort_by_key(|field| field.priority);
    Ok(Schema { file: document.shown.to_owned(), fields })
}

/// `guard`, `logical_event`, `on_entry`, `rel1`, `meth1`, … `rel8`, `meth8`, `rel9`, `on_exit`.
fn ems_event_schema() -> Schema {
    let mut fields = vec![
        ("guard".to_owned(), FieldKind::Assertion),
        ("logical_event".to_owned(), FieldKind::Attribute),
        ("on_entry".to_owned(), FieldKind::Method),
    ];
    for number in 1..=8 {
        fields.push((format!("rel{number}"), FieldKind::Relationship));
        fields.push((format!("meth{number}"), FieldKind::Method));
    }
    fields.push(("rel9".to_owned(), FieldKind::Relationship));
    fields.push(("on_exit".to_owned(), FieldKind::Method));
    let field = |(priority, (name, kind)): (i64, (String, FieldKind))| SchemaField {
        key: name.clone(),
        name,
        kind,
        datatype: DataType::Text,
        priority,
        substitute: true,
        messages: vec!["create".to_owned()],
        default: None,
        collect: false,
        line: 1,
    };
    Schema { file: format!("the schema `{EMS_EVENT}`"), fields: (1..).zip(fields).map(field).collect() }
}

fn schema_field(
    document: &Document<'_>,
    mapping: &Mapping,
    line: usize,
    warnings: &mut Vec<AutomateWarning>,
) -> Result<SchemaField, AutomateError> {
    document.only_or_columns(mapping, FIELD_KEYS, line)?;
    let text = |key: &str| document.text_at(mapping, key, line);
    let name = text("name")?.ok_or_else(|| document.error(line, "this field has no `name`"))?;
    if name.is_empty() || name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let why = format!("`name` of the field {name} may hold letters, digits and `_` alone");
        return Err(document.error(document.line_of("name", line), &why));
    }
    let kind = kind(document, &name, &text("aetype")?.unwrap_or_default(), line)?;
    let datatype = datatype(document, &name, &text("datatype")?.unwrap_or_default(), line, warnings);
    let priority = match text("priority")? {
        None => 0,
        Some(number) => number.trim().parse().map_err(|_| {
            document.error(
                document.line_of("priority", line),
                &format!("`priority` of {name} must be a whole number"),
            )
        })?,
    };
    let substitute = match mapping.get("substitute") {
        None | Some(Value::Bool(true)) => true,
        Some(other) => {
            document.text(other, line, "substitute")?.is_some_and(|text| text.eq_ignore_ascii_case("true"))
        }
    };
    let message =
        text("message")?.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "create".to_owned());
    Ok(SchemaField {
        key: name.to_ascii_lowercase(),
        name,
        kind,
        datatype,
        priority,
        substitute,
        messages: message.split(',').map(|text| text.trim().to_ascii_lowercase()).collect(),
        default: text("default_value")?,
        collect: text("collect")?.is_some_and(|text| !text.trim().is_empty()),
        line,
    })
}

fn kind(document: &Document<'_>, name: &str, aetype: &str, line: usize) -> Result<FieldKind, AutomateError> {
    match aetype.trim().to_ascii_lowercase().as_str() {
        "" | "attribute" => Ok(FieldKind::Attribute),
        "assertion" => Ok(FieldKind::Assertion),
        "method" => Ok(FieldKind::Method),
        "relationship" => Ok(FieldKind::Relationship),
        "state" => Ok(FieldKind::State),
        other => {
            let known = ["assertion", "attribute", "method", "relationship", "state"];
            let why = format!("`aetype` of {name} is no {other}{}", did_you_mean(other, known));
            Err(document.error(document.line_of("aetype", line), &why))
        }
    }
}

/// An unknown one counts as `string`, as in ManageIQ, and is told.
fn datatype(
    document: &Document<'_>,
    name: &str,
    datatype: &str,
    line: usize,
    warnings: &mut Vec<AutomateWarning>,
) -> DataType {
    const TEXTS: [&str; 13] = [
        "string",
        "symbol",
        "time",
        "password",
        "host",
        "vm",
        "storage",
        "ems",
        "policy",
        "server",
        "request",
        "provision",
        "user",
    ];
    match datatype.trim().to_ascii_lowercase().as_str() {
        "boolean" => DataType::Boolean,
        "integer" => DataType::Integer,
        "float" => DataType::Float,
        "array" => DataType::Array,
        "null coalescing" => DataType::NullCoalescing,
        other => {
            if !other.is_empty() && !TEXTS.contains(&other) {
                let others = ["boolean", "integer", "float", "array", "null coalescing"];
                let hint = did_you_mean(other, TEXTS.into_iter().chain(others));
                let message = format!("`datatype` of {name}: {other} is none, and counts as string{hint}");
                let line = document.line_of("datatype", line);
                warnings.push(AutomateWarning { file: document.shown.to_owned(), line, message });
            }
            DataType::Text
        }
    }
}

/// Path and schema of the next lower domain's class at `path`. `place` is the file or folder that has no schema itself, what
/// it lacks, and what to do.
pub(super) fn inherited_schema(
    path: &str,
    place: (&str, &str, &str),
    lower: &[Domain],
) -> Result<(String, Arc<Schema>), AutomateError> {
    let key = path.to_ascii_lowercase();
    if let Some(class) = lower.iter().rev().find_map(|domain| domain.classes.get(&key)) {
        return Ok((class.path.clone(), class.schema.clone()));
    }
    let known = lower.iter().flat_map(|domain| domain.classes.values()).map(|class| class.path.as_str());
    let (file, lacking, remedy) = place;
    Err(AutomateError::Malformed {
        file: file.to_owned(),
        line: 1,
        message: format!(
            "has no {lacking}, and no lower domain has a class {path} to take the fields from{}; {remedy}",
            did_you_mean(path, known)
        ),
    })
}
