//! One class folder: its schema and its instances.

use super::document::Document;
use super::files::SourceFile;
use super::loader::warning;
use super::model::{Class, DataType, Domain, FieldKind, FieldValue, Instance, Schema, SchemaField};
use super::problem::{AutomateError, AutomateWarning, did_you_mean};
use serde_yaml::{Mapping, Value};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
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
const VALUE_KEYS: &[&str] =
    &["value", "collect", "on_entry", "on_exit", "on_error", "max_retries", "max_time"];

/// A class folder with what lies in it.
pub(super) struct Naming<'a> {
    /// Below the domain.
    pub folder: &'a str,
    pub files: &'a [&'a SourceFile],
    pub methods: &'a [&'a SourceFile],
    /// The domain as people are told of it.
    pub domain: &'a str,
}

/// Loads the class and all its instances.
pub(super) fn load_class(
    naming: &Naming<'_>,
    lower: &[Domain],
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Class, AutomateError> {
    let class_file = naming.files.iter().find(|file| file.path.ends_with("/__class__.yaml"));
    let (path, schema) = match class_file {
        Some(file) => own_schema(naming, file, warnings)?,
        None => inherited_schema(naming, lower)?,
    };
    let mut instances: HashMap<String, Instance> = HashMap::new();
    for file in naming.files.iter().filter(|file| !file.path.ends_with("/__class__.yaml")) {
        let Some(instance) = load_instance(file, &path, &schema, warnings)? else { continue };
        if let Some(other) = instances.get(&instance.name.to_ascii_lowercase()) {
            let why = format!(
                "`name` {} is {}'s already (names do not differ by case); rename or remove one of the two",
                instance.name, other.file
            );
            return Err(AutomateError::Malformed { file: instance.file, line: instance.line, message: why });
        }
        instances.insert(instance.name.to_ascii_lowercase(), instance);
    }
    let methods = naming.methods.iter().map(|file| file.shown.clone()).collect();
    let shown =
        class_file.map_or_else(|| format!("{}/{}", naming.domain, naming.folder), |file| file.shown.clone());
    Ok(Class { path, schema, instances, methods, shown })
}

/// The path of the folder's namespace with `name` as its class.
fn class_path(folder: &str, name: &str) -> String {
    folder.rsplit_once('/').map_or_else(|| name.to_owned(), |(namespace, _)| format!("{namespace}/{name}"))
}

fn own_schema(
    naming: &Naming<'_>,
    file: &SourceFile,
    warnings: &mut Vec<AutomateWarning>,
) -> Result<(String, Arc<Schema>), AutomateError> {
    let document = Document::parse(file)?;
    let attributes = document.attributes(&[
        "name",
        "description",
        "display_name",
        "type",
        "inherits",
        "visibility",
        "owner",
    ])?;
    let name = required_name(&document, &attributes)?;
    if document.text_at(&attributes, "inherits", 1)?.is_some_and(|text| !text.trim().is_empty()) {
        let why = "`inherits` has no effect (in ManageIQ too); copy the fields and instances that you want";
        warnings.push(warning(file, document.line_of("inherits", 1), why));
    }
    let mut fields = Vec::new();
    for (key, mapping, line) in document.entries("schema")? {
        if key != "field" {
            return Err(document.error(line, &format!("each entry of `schema` is a `field`, not `{key}`")));
        }
        fields.push(schema_field(&document, &mapping, line)?);
    }
    fields.sort_by_key(|field| field.priority);
    let schema = Schema { file: file.shown.clone(), fields };
    Ok((class_path(naming.folder, &name), Arc::new(schema)))
}

fn schema_field(
    document: &Document<'_>,
    mapping: &Mapping,
    line: usize,
) -> Result<SchemaField, AutomateError> {
    document.only_or_columns(mapping, FIELD_KEYS, line)?;
    let text = |key: &str| document.text_at(mapping, key, line);
    let name = text("name")?.ok_or_else(|| document.error(line, "this field has no `name`"))?;
    let kind = match text("aetype")?.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "attribute" => FieldKind::Attribute,
        "assertion" => FieldKind::Assertion,
        "method" => FieldKind::Method,
        "relationship" => FieldKind::Relationship,
        "state" => FieldKind::State,
        other => {
            let known = ["assertion", "attribute", "method", "relationship", "state"];
            let why = format!("`aetype` of {name} is no {other}{}", did_you_mean(other, known));
            return Err(document.error(document.line_of("aetype", line), &why));
        }
    };
    let datatype = match text("datatype")?.unwrap_or_default().to_ascii_lowercase().as_str() {
        "boolean" => DataType::Boolean,
        "null coalescing" => DataType::NullCoalescing,
        _ => DataType::Text,
    };
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

/// The schema of the next lower domain that has the class.
fn inherited_schema(naming: &Naming<'_>, lower: &[Domain]) -> Result<(String, Arc<Schema>), AutomateError> {
    let path = &naming.folder[..naming.folder.len() - ".class".len()];
    let key = path.to_ascii_lowercase();
    if let Some(class) = lower.iter().rev().find_map(|domain| domain.classes.get(&key)) {
        return Ok((class.path.clone(), class.schema.clone()));
    }
    let known = lower.iter().flat_map(|domain| domain.classes.values()).map(|class| class.path.as_str());
    Err(AutomateError::Malformed {
        file: format!("{}/{}", naming.domain, naming.folder),
        line: 1,
        message: format!(
            "has no __class__.yaml, and no lower domain has a class {path} to take the fields from{}; \
             correct the folder's name or copy a __class__.yaml into it",
            did_you_mean(path, known)
        ),
    })
}

fn required_name(document: &Document<'_>, attributes: &Mapping) -> Result<String, AutomateError> {
    let line = document.line_of("attributes", 1);
    let name = document.text_at(attributes, "name", line)?.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| {
        document.error(
            document.line_of("name", line),
            "`name` is not set; it, not the file's name, says what this is called",
        )
    })?;
    if let Some(character) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c)) {
        let why =
            format!("`name` {name} holds `{character}`; only letters, digits and `_.-` can stand in it");
        return Err(document.error(document.line_of("name", line), &why));
    }
    Ok(name)
}

/// Loads an instance; `None` for a file that is none (a note, a backup copy), of which a warning tells.
fn load_instance(
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
    let values = field_values(&document, file, (class, schema), warnings)?;
    Ok(Some(Instance { name, file: file.shown.clone(), line, values }))
}

/// What the instance says for each field. Its class's schema says which there are.
fn field_values(
    document: &Document<'_>,
    file: &SourceFile,
    (class, schema): (&str, &Schema),
    warnings: &mut Vec<AutomateWarning>,
) -> Result<HashMap<String, FieldValue>, AutomateError> {
    let mut values = HashMap::new();
    for (field, mapping, line) in document.entries("fields")? {
        document.only(&mapping, VALUE_KEYS, line + 1)?;
        let key = field.to_ascii_lowercase();
        if schema.field(&key).is_none() {
            let why = format!(
                "the class {class} has no field `{field}`{}; its fields stand in {}",
                did_you_mean(&field, schema.fields.iter().map(|field| field.name.as_str())),
                schema.file
            );
            return Err(document.error(line, &why));
        }
        let text = document.text_at(&mapping, "value", line)?;
        let collect =
            document.text_at(&mapping, "collect", line)?.is_some_and(|text| !text.trim().is_empty());
        match values.entry(key) {
            Entry::Occupied(_) => {
                let why = format!("`{field}` is set a second time; the first one counts");
                warnings.push(warning(file, line, &why));
            }
            Entry::Vacant(vacant) => {
                vacant.insert(FieldValue { text, collect, line: document.line_of("value", line) });
            }
        }
    }
    Ok(values)
}
