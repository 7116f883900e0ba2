//! Files → one domain: which folder is a namespace, which a class, and which file an instance.
//!
//! The folders' names are the namespaces' (a missing `__namespace__.yaml` is tolerated); classes and instances are called
//! what `name` in their file says. A class folder without `__class__.yaml` takes the schema of the next lower domain.

use super::document::Document;
use super::files::{DomainFiles, SourceFile};
use super::loader_class::{Naming, is_class_file, load_class, load_class_file};
use super::model::{Class, Domain};
use super::problem::{AutomateError, AutomateWarning};
use serde_yaml::Value;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

const DOMAIN_FILE: &str = "__domain__.yaml";

/// Loads a domain; `None` when it is switched off. `lower` are the domains below it, lowest first.
pub(super) fn load_domain(
    source: &DomainFiles,
    lower: &[Domain],
    warnings: &mut Vec<AutomateWarning>,
) -> Result<Option<Domain>, AutomateError> {
    let Some(name) = domain_name(source)? else { return Ok(None) };
    let folders = by_folder(&source.files);
    let mut domain = Domain { name, builtin: source.builtin, classes: HashMap::new() };
    for (folder, files) in &folders {
        if let Some(parent) = class_folder_above(folder, &folders) {
            if !folder.ends_with("/__methods__") {
                let why = format!(
                    "is not read, since it lies inside the class folder {parent}; move it beside that"
                );
                warnings.extend(files.first().map(|file| warning(file, 1, &why)));
            }
            continue;
        }
        if !is_class_folder(folder, files) {
            for file in files {
                if is_class_file(file) {
                    add(&mut domain, load_class_file(file, lower, warnings)?)?;
                } else if file.path.ends_with("/__namespace__.yaml") {
                    check_namespace(file)?;
                } else {
                    warnings.extend(stray(folder, file));
                }
            }
            continue;
        }
        let methods = folders.get(format!("{folder}/__methods__").as_str()).map_or(&[][..], Vec::as_slice);
        let naming = Naming { folder, files, methods, domain: &source.shown };
        add(&mut domain, load_class(&naming, lower, warnings)?)?;
    }
    Ok(Some(domain))
}

fn add(domain: &mut Domain, class: Class) -> Result<(), AutomateError> {
    let class = Class { is_builtin: domain.builtin, ..class };
    match domain.classes.entry(class.path.to_ascii_lowercase()) {
        Entry::Occupied(other) => {
            let message = format!(
                "the class {} is there a second time, {} has it (names do not differ by case); join the two",
                class.path,
                other.get().shown
            );
            Err(AutomateError::Malformed { file: class.shown, line: 1, message })
        }
        Entry::Vacant(vacant) => {
            vacant.insert(class);
            Ok(())
        }
    }
}

/// Its folder says what it is called; but it must be a file that ManageIQ reads.
fn check_namespace(file: &SourceFile) -> Result<(), AutomateError> {
    let document = Document::parse(file)?;
    document.holds_only(&["attributes"])?;
    document.attributes(&["name", "description", "display_name", "priority", "enabled"]).map(|_| ())
}

/// The domain's name, or `None` when `enabled: false` switches it off.
fn domain_name(source: &DomainFiles) -> Result<Option<String>, AutomateError> {
    let Some(file) = source.files.iter().find(|file| file.path == DOMAIN_FILE) else {
        return Err(no_domain(source));
    };
    let document = Document::parse(file)?;
    document.holds_only(&["attributes"])?;
    let attributes = document.attributes(&[
        "name",
        "description",
        "display_name",
        "priority",
        "enabled",
        "tenant_id",
        "source",
        "system",
        "top_level_namespace",
        "git_repository_id",
        "commit_sha",
        "commit_message",
        "commit_time",
        "ref",
        "ref_type",
        "last_import_on",
    ])?;
    match attributes.get("enabled") {
        Some(Value::Bool(false)) => return Ok(None),
        None | Some(Value::Null | Value::Bool(true)) => {}
        Some(_) => {
            return Err(document.error(document.line_of("enabled", 1), "`enabled` must be true or false"));
        }
    }
    Ok(Some(document.text_at(&attributes, "name", 1)?.unwrap_or_else(|| source.folder_name.clone())))
}

fn no_domain(source: &DomainFiles) -> AutomateError {
    let below = source.files.iter().find_map(|file| file.path.strip_suffix(&format!("/{DOMAIN_FILE}")));
    let message = match below {
        Some(domain) => {
            format!(
                "holds no {DOMAIN_FILE}; the domain is one folder deeper, write {}/{domain} in automate.domains",
                source.shown
            )
        }
        None => format!(
            "holds no {DOMAIN_FILE}; give it one that holds `object_type: domain`, `version: 1.0` and `object: {{attributes: {{name: …}}}}`"
        ),
    };
    AutomateError::NoDomain { folder: source.shown.clone(), message }
}

type Folders<'a> = BTreeMap<&'a str, Vec<&'a SourceFile>>;

fn by_folder(files: &[SourceFile]) -> Folders<'_> {
    let mut folders = Folders::new();
    for file in files {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(file);
    }
    folders
}

fn is_class_folder(folder: &str, files: &[&SourceFile]) -> bool {
    folder.to_ascii_lowercase().ends_with(".class")
        || files.iter().any(|file| file.path.ends_with("/__class__.yaml"))
}

fn class_folder_above<'a>(folder: &'a str, folders: &Folders<'_>) -> Option<&'a str> {
    folder
        .match_indices('/')
        .map(|(position, _)| &folder[..position])
        .find(|above| is_class_folder(above, folders.get(above).map_or(&[][..], Vec::as_slice)))
}

/// An instance that its author has put where nothing is read.
fn stray(folder: &str, file: &SourceFile) -> Option<AutomateWarning> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let is_automate = std::str::from_utf8(&file.bytes).is_ok_and(|text| text.contains("object_type"));
    (is_automate && !name.starts_with("__")).then(|| {
        let why = format!(
            "is not read, since its folder is no class; instances lie in a folder like {folder}.class"
        );
        warning(file, 1, &why)
    })
}

pub(super) fn warning(file: &SourceFile, line: usize, message: &str) -> AutomateWarning {
    AutomateWarning { file: file.shown.clone(), line, message: message.to_owned() }
}
