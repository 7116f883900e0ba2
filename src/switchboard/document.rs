//! One automate file as checked YAML: every error names the line and the key.
//!
//! Unknown keys are errors, as in ManageIQ's own import: a value under a misspelt key would silently do nothing.
//! `object_type` and `version` are not looked at (ManageIQ ships instances that call themselves otherwise).

use super::files::SourceFile;
use super::problem::{AutomateError, did_you_mean};
use serde_yaml::{Mapping, Value};
use std::ops::Range;

/// Real columns of ManageIQ's tables, which an export may hold and which mean nothing here.
const COLUMNS: &[&str] = &[
    "id",
    "class_id",
    "ns_id",
    "namespace_id",
    "domain_id",
    "parent_id",
    "ancestry",
    "created_on",
    "updated_on",
    "created_by",
    "updated_by",
    "updated_by_user_id",
    "relative_path",
    "lower_relative_path",
    "fqname",
    "method_id",
];

/// A key with its value, and the lines that they take.
pub(super) type Named<'v> = (String, &'v Value, Range<usize>);

/// A parsed file.
pub(super) struct Document<'a> {
    /// As people are told of it.
    pub shown: &'a str,
    text: &'a str,
    object: Mapping,
}

impl<'a> Document<'a> {
    /// Reads the envelope.
    pub(super) fn parse(file: &'a SourceFile) -> Result<Self, AutomateError> {
        let shown = file.shown.as_str();
        let text = std::str::from_utf8(&file.bytes).map_err(|error| {
            let line = 1 + file.bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            malformed(shown, line, "is no UTF-8 text here; save the file as UTF-8")
        })?;
        let root: Value = serde_yaml::from_str(text).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            malformed(
                shown,
                line,
                &format!("is no YAML: {error}; mind the indentation and quote texts with `: ` or `#`"),
            )
        })?;
        let Value::Mapping(mut root) = root else {
            return Err(malformed(
                shown,
                1,
                "holds no automate object; it needs `object_type`, `version` and `object`",
            ));
        };
        let document = Self { shown, text, object: Mapping::new() };
        document.only(&root, &["object_type", "version", "object"], 1)?;
        match root.remove("object") {
            Some(Value::Mapping(object)) => Ok(Self { object, ..document }),
            Some(_) => Err(document.error(document.line_of("object", 1), "`object` must hold `attributes`")),
            None => Err(document.error(1, "has no `object`; put the attributes below `object:`")),
        }
    }

    /// `object.attributes`, where only `known` keys and ManageIQ's columns may stand.
    pub(super) fn attributes(&self, known: &[&str]) -> Result<Mapping, AutomateError> {
        let line = self.line_of("attributes", 1);
        match self.object.get("attributes") {
            Some(Value::Mapping(attributes)) => {
                self.only_or_columns(attributes, known, line)?;
                Ok(attributes.clone())
            }
            None | Some(Value::Null) => Ok(Mapping::new()),
            Some(_) => Err(self.error(line, "`attributes` must be keys with values, such as `name: …`")),
        }
    }

    /// What stands under `object.KEY`.
    pub(super) fn under(&self, key: &str) -> Option<&Value> {
        self.object.get(key)
    }

    /// The list under `object.KEY` of one-key mappings: (key, its mapping, line of the key).
    pub(super) fn entries(&self, key: &str) -> Result<Vec<(String, Mapping, usize)>, AutomateError> {
        let start = self.line_of(key, 1);
        let list = match self.object.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Sequence(list)) => list,
            Some(_) => {
                return Err(
                    self.error(start, &format!("`{key}` must be a list: each entry begins with `- `"))
                );
            }
        };
        let mut entries = Vec::with_capacity(list.len());
        let mut line = start;
        for item in list {
            let Value::Mapping(item) = item else {
                return Err(
                    self.error(line, &format!("each entry of `{key}` must be a key with what belongs to it"))
                );
            };
            for (name, value) in item {
                let name = self.text(name, line, key)?.unwrap_or_default();
                line = self.line_of(&name, line + 1);
                let mapping = match value {
                    Value::Mapping(mapping) => mapping.clone(),
                    Value::Null => Mapping::new(),
                    _ => {
                        let hint = if name == "value" {
                            "`value` stands beside its field; indent it below the field's name".to_owned()
                        } else {
                            format!(
                                "`{name}` must hold keys; write its value as `value: …` on a line below it, indented"
                            )
                        };
                        return Err(self.error(line, &hint));
                    }
                };
                entries.push((name, mapping, line));
            }
        }
        Ok(entries)
    }

    /// The mapping under `object.KEY`: each key with its value and the lines from its own to the next key's.
    pub(super) fn named(&self, key: &str) -> Result<Vec<Named<'_>>, AutomateError> {
        let start = self.line_of(key, 1);
        let mapping = match self.object.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Mapping(mapping)) => mapping,
            Some(_) => {
                return Err(self.error(start, &format!("`{key}` must hold one line per name: `NAME: {{…}}`")));
            }
        };
        let mut entries: Vec<(String, &Value, Range<usize>)> = Vec::with_capacity(mapping.len());
        let mut line = start;
        for (name, value) in mapping {
            let name = self.text(name, line, key)?.unwrap_or_default();
            line = self.line_within(&name, line + 1, usize::MAX).unwrap_or(line);
            if let Some((_, _, lines)) = entries.last_mut() {
                lines.end = line.max(lines.start + 1);
            }
            entries.push((name, value, line..usize::MAX));
        }
        Ok(entries)
    }

    /// Refuses whatever else than `keys` stands in `object`.
    pub(super) fn holds_only(&self, keys: &[&str]) -> Result<(), AutomateError> {
        self.only(&self.object, keys, 1)
    }

    /// Refuses keys that are neither `known` nor columns of ManageIQ's.
    pub(super) fn only_or_columns(
        &self,
        mapping: &Mapping,
        known: &[&str],
        from: usize,
    ) -> Result<(), AutomateError> {
        match mapping
            .iter()
            .find(|(key, _)| !key.as_str().is_some_and(|key| COLUMNS.contains(&key) || known.contains(&key)))
        {
            Some((key, value)) => {
                let unknown: Mapping = std::iter::once((key.clone(), value.clone())).collect();
                self.only(&unknown, known, from)
            }
            None => Ok(()),
        }
    }

    /// Refuses keys that are not `known`.
    pub(super) fn only(&self, mapping: &Mapping, known: &[&str], from: usize) -> Result<(), AutomateError> {
        for key in mapping.keys() {
            let key = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
            if !known.contains(&key.as_str()) {
                let hint = did_you_mean(&key, known.iter().copied());
                let hint = if hint.is_empty() { format!("; known are {}", known.join(", ")) } else { hint };
                return Err(self.error(self.line_of(&key, from), &format!("unknown key `{key}`{hint}")));
            }
        }
        Ok(())
    }

    /// The text of a scalar; null is none.
    pub(super) fn text(
        &self,
        value: &Value,
        line: usize,
        key: &str,
    ) -> Result<Option<String>, AutomateError> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Bool(value) => Ok(Some(value.to_string())),
            Value::Number(number) => Ok(Some(number.to_string())),
            _ => Err(self.error(line, &format!("`{key}` must be one text; put quotes around it"))),
        }
    }

    /// The text under `key`, if it is there and not null.
    pub(super) fn text_at(
        &self,
        mapping: &Mapping,
        key: &str,
        from: usize,
    ) -> Result<Option<String>, AutomateError> {
        mapping.get(key).map_or(Ok(None), |value| self.text(value, self.line_of(key, from), key))
    }

    /// The first line from `from` on that sets `key`; `from` when it is written in some other way.
    pub(super) fn line_of(&self, key: &str, from: usize) -> usize {
        self.line_within(key, from, usize::MAX).unwrap_or(from)
    }

    /// The first line from `from` on and before `until` that begins with `key` and sets it.
    pub(super) fn line_within(&self, key: &str, from: usize, until: usize) -> Option<usize> {
        let sets = |line: &str| {
            let line = line.trim_start_matches([' ', '-', '{', '"', '\'']);
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
        };
        let mut lines = self.text.lines().enumerate().skip(from.saturating_sub(1));
        lines.find(|(_, line)| sets(line)).map(|(index, _)| index + 1).filter(|line| *line < until)
    }

    /// An error in this file.
    pub(super) fn error(&self, line: usize, message: &str) -> AutomateError {
        malformed(self.shown, line, message)
    }
}

fn malformed(file: &str, line: usize, message: &str) -> AutomateError {
    AutomateError::Malformed { file: file.to_owned(), line, message: message.to_owned() }
}
