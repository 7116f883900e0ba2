//! One class with its instances: a folder in ManageIQ's layout, or one file `NAME.class.yaml` with a line per instance.

use super::document::Document;
use super::files::{SourceFile, is_slip};
use super::loader::warning;
use super::loader_instance::{listed_instance, load_instance, required_name};
use super::loader_schema::{inherited_schema, read_schema};
use super::model::{Class, Domain, Instance, MethodFile};
use super::problem::{AutomateError, AutomateWarning};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A class folder with what lies in it.
pub(super) struct Naming<'a> {
    /// Below the domain.
    pub folder: &'a str,
    pub files: &'a [&'a SourceFile],
    pub methods: &'a [&'a SourceFile],
    /// The domain as people are told of it.
    pub domain: &'a str,
}

/// Loads the class in a folder and all its instances.
pub(super) fn load_class(
    naming: &Naming<'_>,
    lower: &[Domain],
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Class, AutomateError> {
    let is_class_file = |file: &&SourceFile| file.path.ends_with("/__class__.yaml");
    let class_file = naming.files.iter().copied().find(is_class_file);
    let folder_shown = format!("{}/{}", naming.domain, naming.folder);
    let (path, schema) = match class_file {
        Some(file) => {
            let document = Document::parse(file)?;
            document.holds_only(&["attributes", "schema"])?;
            let path = class_path(naming.folder, &class_name(&document, file, warnings)?);
            (path, read_schema(&document, warnings)?.unwrap_or_default())
        }
        None => {
            let path = &naming.folder[..naming.folder.len() - ".class".len()];
            let remedy = "correct the folder's name or copy a __class__.yaml into it";
            inherited_schema(path, (&folder_shown, "__class__.yaml", remedy), lower)?
        }
    };
    let mut instances = HashMap::new();
    for file in naming.files.iter().copied().filter(|file| !is_class_file(file)) {
        if is_slip(file.path.rsplit('/').next().unwrap_or_default()) {
            let why = "is not read, as in ManageIQ, since its name begins with a dot; call it _missing.yaml";
            warnings.push(warning(file, 1, why));
            continue;
        }
        if let Some(instance) = load_instance(file, &path, &schema, warnings)? {
            add(&mut instances, instance)?;
        }
    }
    let methods = naming.methods.iter().map(|file| method_file(file)).collect();
    let shown = class_file.map_or(folder_shown, |file| file.shown.clone());
    Ok(Class { path, is_builtin: false, schema, instances, methods, shown })
}

/// Whether `file` is a whole class, as [`load_class_file`] reads it.
pub(super) fn is_class_file(file: &SourceFile) -> bool {
    file.path.to_ascii_lowercase().ends_with(".class.yaml")
}

/// Loads a class that stands in one file: its attributes, its schema, and a line per instance.
pub(super) fn load_class_file(
    file: &SourceFile,
    lower: &[Domain],
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Class, AutomateError> {
    let document = Document::parse(file)?;
    document.holds_only(&["attributes", "schema", "instances"])?;
    let path = class_path(&file.path, &class_name(&document, file, warnings)?);
    let (path, schema) = match read_schema(&document, warnings)? {
        Some(schema) => (path, schema),
        None => {
            let remedy = "correct its `name` or write `schema: ems_event`";
            inherited_schema(&path, (&file.shown, "`schema`", remedy), lower)?
        }
    };
    let mut instances = HashMap::new();
    for (name, fields, lines) in document.named("instances")? {
        let class = (path.as_str(), schema.as_ref());
        add(&mut instances, listed_instance(&document, (&name, fields), lines, class, warnings)?)?;
    }
    Ok(Class { path, is_builtin: false, schema, instances, methods: Vec::new(), shown: file.shown.clone() })
}

/// The path of `place`'s namespace with `name` as its class.
fn class_path(place: &str, name: &str) -> String {
    place.rsplit_once('/').map_or_else(|| name.to_owned(), |(namespace, _)| format!("{namespace}/{name}"))
}

fn class_name(
    document: &Document<'_>,
    file: &SourceFile,
    warnings: &mut Vec<AutomateWarning>,
) -> Result<String, AutomateError> {
    let known = ["name", "description", "display_name", "type", "inherits", "visibility", "owner"];
    let attributes = document.attributes(&known)?;
    if document.text_at(&attributes, "inherits", 1)?.is_some_and(|text| !text.trim().is_empty()) {
        let why = "`inherits` has no effect (in ManageIQ too); copy the fields and instances that you want";
        warnings.push(warning(file, document.line_of("inherits", 1), why));
    }
    required_name(document, &attributes)
}

fn add(instances: &mut HashMap<String, Instance>, instance: Instance) -> Result<(), AutomateError> {
    match instances.entry(instance.name.to_ascii_lowercase()) {
        Entry::Occupied(other) => {
            let other = other.get();
            let why = format!(
                "`name` {} is {}:{}'s already (names do not differ by case); rename or remove one of the two",
                instance.name, other.file, other.line
            );
            Err(AutomateError::Malformed { file: instance.file, line: instance.line, message: why })
        }
        Entry::Vacant(vacant) => {
            vacant.insert(instance);
            Ok(())
        }
    }
}

fn method_file(file: &SourceFile) -> MethodFile {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
    MethodFile { name: name.to_owned(), shown: file.shown.clone() }
}
