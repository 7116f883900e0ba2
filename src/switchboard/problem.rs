//! What can be wrong with automate files: errors end the load, warnings do not.

use std::fmt;

/// Why the automate domains could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AutomateError {
    /// A file or folder cannot be read.
    #[error("{path}: cannot be read: {reason}; check the path in automate.domains and its permissions")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A folder of `automate.domains` is no domain.
    #[error("{folder}: {message}")]
    NoDomain {
        /// Which.
        folder: String,
        /// What is missing, and what to do.
        message: String,
    },
    /// A file is no automate file.
    #[error("{file}:{line}: {message}")]
    Malformed {
        /// Which.
        file: String,
        /// Where in it, from 1.
        line: usize,
        /// Which key, what is wrong with it, and what to do.
        message: String,
    },
}

/// Something in the automate files that will not do what its author may expect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AutomateWarning {
    /// Which file.
    pub file: String,
    /// Where in it, from 1.
    pub line: usize,
    /// What it is, what happens instead, and what to do.
    pub message: String,
}

impl fmt::Display for AutomateWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// The candidate that `name` most likely means: the most similar one, if it is similar at all.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const SIMILAR: f64 = 0.6;
    let name = name.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (strsim::normalized_damerau_levenshtein(&name, &candidate.to_ascii_lowercase()), candidate)
        })
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.cmp(left)))
        .map(|(_, candidate)| candidate)
}

/// `; did you mean …?`, or nothing.
pub(super) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |found| format!("; did you mean `{found}`?"))
}
