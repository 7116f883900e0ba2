//! `${NAME}`, `${NAME:-default}` and `${file:PATH}` in texts, replaced after parsing so that no value can change the
//! structure. `$${` stands for `${` itself.

use super::bounded_file;
use super::errors::SettingsError;
use super::sources::{Sources, below};
use super::tree::{Content, Node, Origin, ems_name};
use std::collections::HashMap;
use std::path::Path;

/// Where replacements come from.
pub struct Substitution<'a> {
    variables: HashMap<&'a str, &'a str>,
    working_directory: &'a Path,
}

impl<'a> Substitution<'a> {
    /// Variables from `environment`, files relative to `working_directory`.
    pub fn new(environment: &'a [(String, String)], working_directory: &'a Path) -> Self {
        let variables = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Self { variables, working_directory }
    }

    /// Replaces in every text of the whole settings. What fails is told, and is nothing from then on, so that it is
    /// not told again as a wrong value.
    pub fn apply(&self, root: &mut Node, sources: &Sources, errors: &mut Vec<SettingsError>) {
        self.walk(root, String::new(), &mut |origin, path, message| {
            errors.push(SettingsError::new(sources.place(origin), path, message));
        });
    }

    fn walk(&self, node: &mut Node, path: String, fail: &mut impl FnMut(&Origin, String, String)) {
        match &mut node.content {
            Content::Map(entries) => {
                for (key, child) in entries {
                    self.walk(child, below(&path, key), fail);
                }
            }
            Content::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let name = ems_name(item).unwrap_or_else(|| (index + 1).to_string());
                    self.walk(item, format!("{path}[{name}]"), fail);
                }
            }
            Content::Scalar(scalar) if scalar.is_text && scalar.text.contains("${") => {
                match self.replace(&scalar.text) {
                    Ok(text) => scalar.text = text,
                    Err(message) => {
                        node.content = Content::Null;
                        fail(&node.origin, path, message);
                    }
                }
            }
            Content::Scalar(_) | Content::Null => {}
        }
    }

    fn replace(&self, text: &str) -> Result<String, String> {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            if let Some(before) = before.strip_suffix('$') {
                result.push_str(before);
                result.push_str("${");
                rest = &from[2..];
                continue;
            }
            result.push_str(before);
            let Some(end) = from.find('}') else {
                return Err("`${` is not closed; wanted `${NAME}`, or `$${` for the text `${`".to_owned());
            };
            result.push_str(&self.look_up(&from[2..end])?);
            rest = &from[end + 1..];
        }
        result.push_str(rest);
        Ok(result)
    }

    fn look_up(&self, inner: &str) -> Result<String, String> {
        if let Some(path) = inner.strip_prefix("file:") {
            return self.read(path);
        }
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!(
                "`${{{inner}}}` is no reference; wanted ${{NAME}}, ${{NAME:-default}} or ${{file:PATH}}"
            ));
        }
        match (self.variables.get(name), default) {
            // As in a shell, the default stands in for an empty variable too.
            (Some(&""), Some(default)) | (None, Some(default)) => Ok(default.to_owned()),
            (Some(value), _) => Ok((*value).to_owned()),
            (None, None) => Err(format!(
                "the environment variable {name} is not set; set it, or give a default: ${{{name}:-default}}"
            )),
        }
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let text = bounded_file::read(&self.working_directory.join(path))
            .map_err(|error| format!("the file {path} of ${{file:{path}}} cannot be read: {error}"))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }
}
