//! The switchboard: what an event type does. Automate instances say it, read from files in ManageIQ's layout, the
//! built-in domain's too; nothing about an event type stands in Rust. Pure once loaded: no I/O, no clock.
//!
//! It does not run Ruby. What it cannot do (inline methods, states, wildcards, `collect`, guards beyond a small subset)
//! is reported at load with file and line; see `docs/automate.md`.

mod builtin;
mod document;
mod evaluate;
mod explanation;
mod files;
mod guard;
mod handler_names;
mod index;
mod loader;
mod loader_class;
mod loader_instance;
mod loader_schema;
mod model;
mod native;
mod problem;
mod review;
mod review_names;
mod substitution;
mod text_methods;
mod uri;
mod values;

pub use builtin::builtin_domain;
pub use explanation::{Explanation, FieldRun, Resolved};
pub use handler_names::{HANDLERS, Handler, is_target_name};
pub use model::FieldKind;
pub use native::{REFRESH_STATE_MACHINE, UPDATE_VM_IMPORT_STATUS};
pub use problem::{AutomateError, AutomateWarning};

use evaluate::Asked;
use index::Index;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The namespace of the events that providers send.
const EMS_EVENT: &str = "EmsEvent";

/// The loaded automate domains. Cheap to clone; a reload makes a new one.
#[derive(Clone, Debug, Default)]
pub struct Switchboard {
    index: Arc<Index>,
}

/// One call that an event type makes, in order of the class's fields.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Call {
    /// Path of the handler, such as `/System/event_handlers/refresh`.
    pub uri: String,
    /// The decoded query.
    pub params: BTreeMap<String, String>,
}

impl Switchboard {
    /// Reads the built-in domain's files and, over it, `domains`: folders in ManageIQ's layout, later ones higher.
    ///
    /// # Errors
    /// The first file that cannot be read or is no automate file, with its line and what to do. Nothing is loaded then.
    pub fn load(
        builtin: Vec<(String, Cow<'static, [u8]>)>,
        domains: &[PathBuf],
    ) -> Result<(Self, Vec<AutomateWarning>), AutomateError> {
        Self::load_knowing(builtin, domains, &|_| false)
    }

    /// As [`Switchboard::load`], where `is_known` knows further event types (those of the event groups), so that an
    /// instance for one of them is no slip.
    ///
    /// # Errors
    /// As [`Switchboard::load`].
    pub fn load_knowing(
        builtin: Vec<(String, Cow<'static, [u8]>)>,
        domains: &[PathBuf],
        is_known: &dyn Fn(&str) -> bool,
    ) -> Result<(Self, Vec<AutomateWarning>), AutomateError> {
        let mut warnings = Vec::new();
        let mut loaded = Vec::new();
        loaded.extend(loader::load_domain(&files::builtin(builtin), &loaded, &mut warnings)?);
        for folder in domains {
            loaded.extend(loader::load_domain(&files::read_folder(folder)?, &loaded, &mut warnings)?);
        }
        let index = Index::new(loaded);
        warnings.extend(review::review(&index, is_known));
        warnings.sort();
        Ok((Self { index: Arc::new(index.with_plans()) }, warnings))
    }

    /// The calls that an event of this source and type makes. A source without a class, and a type that no instance
    /// (nor `.missing`) answers, make none.
    pub fn evaluate(&self, source: &str, event_type: &str) -> Vec<Call> {
        self.evaluate_in(EMS_EVENT, source, event_type)
    }

    /// As [`Switchboard::evaluate`], for events of another namespace: `EmsEvent` for what providers send, `MiqEvent` for
    /// policy events (whose source is `POLICY`).
    pub fn evaluate_in(&self, namespace: &str, source: &str, event_type: &str) -> Vec<Call> {
        self.calls(namespace, source, event_type).to_vec()
    }

    /// As [`Switchboard::evaluate_in`], without a copy of the calls: what is worked out at load is shared.
    pub fn calls(&self, namespace: &str, source: &str, event_type: &str) -> Arc<[Call]> {
        match self.index.plan(namespace, source, event_type) {
            Some(calls) => calls.clone(),
            None => self.explain_in(namespace, source, event_type).calls.into(),
        }
    }

    /// As [`Switchboard::evaluate`], with how it came to them: which instance of which domain answered, which fields
    /// ran, and what was passed over.
    pub fn explain(&self, source: &str, event_type: &str) -> Explanation {
        self.explain_in(EMS_EVENT, source, event_type)
    }

    /// As [`Switchboard::explain`], for events of another namespace.
    pub fn explain_in(&self, namespace: &str, source: &str, event_type: &str) -> Explanation {
        evaluate::explain(&self.index, &Asked { namespace, source, event_type })
    }

    /// Names of the enabled domains, lowest first.
    pub fn domains(&self) -> Vec<&str> {
        self.index.domains.iter().map(|domain| domain.name.as_str()).collect()
    }
}
