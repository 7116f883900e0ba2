//! What a rule does: one entry of `rules.NAME.do`.

use crate::switchboard::Call;
use std::fmt;

/// One thing done when a rule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A handler of `/System/event_handlers`, as an automate instance would call it.
    Handler(Call),
    /// A post to `webhooks.NAME`.
    Webhook(String),
    /// The same address, a CloudEvent.
    CloudEvents(String),
    /// A line in the log of this process.
    Log {
        /// How loud.
        level: LogLevel,
        /// What it says; `{vm.name}` and the like stand for what is known.
        message: String,
    },
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// For whoever is on call.
    Error,
    /// Should be looked at.
    Warn,
    /// Good to know.
    Info,
}

impl LogLevel {
    /// By its name.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "error" => Some(Self::Error),
            "warn" | "warning" => Some(Self::Warn),
            "info" => Some(Self::Info),
            _ => None,
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        })
    }
}

impl Action {
    /// The handler's name, of a call.
    pub fn handler(call: &Call) -> &str {
        call.uri.rsplit('/').next().unwrap_or(&call.uri)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handler(call) => {
                write!(f, "{}", Self::handler(call))?;
                for (index, (key, value)) in call.params.iter().enumerate() {
                    write!(f, "{}{key}={value}", if index == 0 { "?" } else { "&" })?;
                }
                Ok(())
            }
            Self::Webhook(name) => write!(f, "webhook {name}"),
            Self::CloudEvents(name) => write!(f, "cloudevents {name}"),
            Self::Log { level, message } => write!(f, "log {level} {message:?}"),
        }
    }
}
