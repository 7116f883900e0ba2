//! What is wrong with the settings, all of it at once.
//!
//! There is one decision for the caller: do not go on (exit status 78, or keep the old settings). Hence no variants.

use std::fmt;

/// One thing that is wrong: where it stands, which key, what was found and what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    /// `file:line`, or the environment variable.
    pub place: String,
    /// Path of the key, such as `http.listen`; empty when the whole file is meant.
    pub key: String,
    /// What was found, what is wanted, what to do. Never holds a secret.
    pub message: String,
}

impl SettingsError {
    /// Puts one together.
    pub fn new(place: impl Into<String>, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), key: key.into(), message: message.into() }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, message } = self;
        match (place.is_empty(), key.is_empty()) {
            (false, false) => write!(f, "{place}: {key}: {message}"),
            (false, true) => write!(f, "{place}: {message}"),
            (true, false) => write!(f, "{key}: {message}"),
            (true, true) => f.write_str(message),
        }
    }
}

/// Everything that is wrong, one line each, in order of the files. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingsErrors(pub Vec<SettingsError>);

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl From<SettingsError> for SettingsErrors {
    fn from(error: SettingsError) -> Self {
        Self(vec![error])
    }
}
