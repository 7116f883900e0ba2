//! What `catchall check` prints of the settings: the merged whole with origins, and what is wrong.
//!
//! Text only; reaching the EMSs (`--connect`) and exit statuses are elsewhere.

use crate::settings::{Merged, SettingsErrors};
use std::fmt::Write;

const ORIGINS_FROM: usize = 60;

/// The merged settings as YAML, each value with its origin as a comment; secrets are stars.
pub fn print(merged: &Merged) -> String {
    let mut text = String::new();
    for line in merged.lines() {
        let indent = match line.is_item {
            true => format!("{}- ", "  ".repeat(line.depth.saturating_sub(1))),
            false => "  ".repeat(line.depth),
        };
        let left = match &line.value {
            Some(value) => format!("{indent}{}: {value}", line.key),
            None => format!("{indent}{}:", line.key),
        };
        text.push_str(&left);
        if !line.place.is_empty() {
            let gap = ORIGINS_FROM.saturating_sub(left.chars().count()).max(2);
            // Writing to a String cannot fail.
            let _ = write!(text, "{:gap$}# {}", "", line.place);
        }
        text.push('\n');
    }
    text
}

/// What is wrong with the settings, one line each, and how many.
pub fn report(errors: &SettingsErrors) -> String {
    let count = match errors.0.len() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    format!("the settings are wrong ({count}):\n{errors}\n")
}
