//! Gathers a domain's files, from a folder or from the binary. Knows nothing of what is in them.

use super::AutomateError;
use std::borrow::Cow;
use std::fs;
use std::path::Path;

/// Deeper than any automate tree; ends a loop of symbolic links.
const DEEPEST: usize = 32;

/// One file of a domain.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Below the domain, parted by `/`.
    pub path: String,
    /// As people are told of it.
    pub shown: String,
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
}

/// The files of one domain, sorted by path, without dot-files, save those that a loader tells of.
#[derive(Debug)]
pub(super) struct DomainFiles {
    /// The folder's name; the domain's when its file gives none.
    pub folder_name: String,
    /// The folder as people are told of it.
    pub shown: String,
    /// What is in it.
    pub files: Vec<SourceFile>,
    /// Whether they come with the binary.
    pub builtin: bool,
}

/// The built-in domain's files in the form that the loader takes.
pub(super) fn builtin(files: Vec<(String, Cow<'static, [u8]>)>) -> DomainFiles {
    let mut files: Vec<SourceFile> = files
        .into_iter()
        .filter(|(path, _)| !path.split('/').any(|segment| segment.starts_with('.')))
        .map(|(path, bytes)| SourceFile { shown: format!("(built in)/{path}"), path, bytes })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    DomainFiles { folder_name: "ManageIQ".to_owned(), shown: "(built in)".to_owned(), files, builtin: true }
}

/// Reads `folder` and everything below it.
pub(super) fn read_folder(folder: &Path) -> Result<DomainFiles, AutomateError> {
    let mut files = Vec::new();
    read_below(folder, "", 0, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let folder_name = folder
        .canonicalize()
        .ok()
        .and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .unwrap_or_default();
    Ok(DomainFiles { folder_name, shown: folder.display().to_string(), files, builtin: false })
}

/// A file that its author believes to be read: the instance `.missing` lies in `_missing.yaml`.
pub(super) fn is_slip(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == ".missing" || name == ".missing.yaml"
}

fn read_below(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<SourceFile>,
) -> Result<(), AutomateError> {
    if depth > DEEPEST {
        let reason = format!("it lies more than {DEEPEST} folders deep, perhaps a loop of links");
        return Err(AutomateError::Unreadable { path: folder.display().to_string(), reason });
    }
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') && !is_slip(&name) {
            continue;
        }
        let below = format!("{prefix}{name}");
        if fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.is_dir() {
            read_below(&path, &format!("{below}/"), depth + 1, files)?;
        } else {
            let bytes = Cow::Owned(fs::read(&path).map_err(|error| unreadable(&path, &error))?);
            files.push(SourceFile { path: below, shown: path.display().to_string(), bytes });
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> AutomateError {
    AutomateError::Unreadable { path: path.display().to_string(), reason: error.to_string() }
}
