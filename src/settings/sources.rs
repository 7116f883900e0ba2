//! Where settings come from, and how a place in them is called (`settings.yml:12`).

use super::lines;
use super::tree::{Origin, Step};

/// All sources of one load, lowest first. Keeps their text, so that lines can be told; has no `Debug` therefore.
#[derive(Clone, Default)]
pub struct Sources(Vec<Source>);

#[derive(Clone)]
struct Source {
    name: String,
    /// `None` where there are no lines to tell: environment variables, facts.
    text: Option<String>,
    built_in: bool,
}

impl Sources {
    /// Adds a file; gives its index.
    pub fn add_file(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.add(Source { name: name.into(), text: Some(text.into()), built_in: false })
    }

    /// Adds defaults that are part of the program.
    pub fn add_built_in(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.add(Source { name: name.into(), text: Some(text.into()), built_in: true })
    }

    /// Adds defaults that are part of the program and so long that lines in them tell nobody anything.
    pub fn add_facts(&mut self, name: &str) -> usize {
        self.add(Source { name: name.to_owned(), text: None, built_in: true })
    }

    /// Adds an environment variable.
    pub fn add_variable(&mut self, name: &str) -> usize {
        self.add(Source { name: format!("environment variable {name}"), text: None, built_in: false })
    }

    fn add(&mut self, source: Source) -> usize {
        self.0.push(source);
        self.0.len() - 1
    }

    /// Whether the user wrote it, and not this program.
    pub fn is_from_user(&self, origin: &Origin) -> bool {
        self.0.get(origin.source).is_some_and(|source| !source.built_in)
    }

    /// `file:line`, or the variable's name.
    pub fn place(&self, origin: &Origin) -> String {
        let Some(source) = self.0.get(origin.source) else { return String::new() };
        match source.text.as_deref().and_then(|text| lines::line_of(text, &origin.path)) {
            Some(line) => format!("{}:{line}", source.name),
            None => source.name.clone(),
        }
    }

    /// Place for sorting: the order of the sources, then the line.
    pub fn order(&self, origin: &Origin) -> (usize, usize) {
        let line = self
            .0
            .get(origin.source)
            .and_then(|source| lines::line_of(source.text.as_deref()?, &origin.path));
        (origin.source, line.unwrap_or(0))
    }

    /// The name of a source.
    pub fn name(&self, source: usize) -> &str {
        self.0.get(source).map_or("", |source| &source.name)
    }
}

/// `ext_management_systems[1].type`; counted from 1, as people do.
pub fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Index(index) => text.push_str(&format!("[{}]", index + 1)),
        }
    }
    text
}

/// A key below a path that people read.
pub fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
