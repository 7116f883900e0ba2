//! What the calls of the switchboard come to. The pure half ([`handlers`]) turns calls into refresh work and into a request to
//! this room's actor; the [`worker`] answers requests off the commit path, where the VMDB is needed: policies, states, chains,
//! rules.

mod awaiting;
mod calls;
mod chain;
pub mod delivery;
mod handler_name;
pub mod handlers;
mod named_refresh;
mod policy;
mod record_target;
mod refresh_calls;
pub mod rule_firing;
pub mod rule_outcome;
mod rules;
mod scene;
pub mod worker;

use crate::rules::Rules;
use crate::settings::{EmsSettings, Settings, WebhookSettings};
use crate::switchboard::Switchboard;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How events are reacted to: what SIGHUP replaces as a whole. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Automation {
    /// What an event type does.
    pub switchboard: Switchboard,
    /// The rules of the settings.
    pub rules: Rules,
    /// `event_handling.task_final_events`: final event type → the types that may begin its chain.
    pub task_final_events: Arc<BTreeMap<String, Vec<String>>>,
    /// `automate.abort_on_error`: as in ManageIQ, a handler that fails ends the calls of its event.
    pub abort_on_error: bool,
    /// `max_action_age`: what leaves the house does not fire for older events.
    pub max_action_age: Duration,
    /// `event_streams.history`: how long it is kept.
    pub history: History,
    /// Where webhooks go, by name.
    pub webhooks: Arc<BTreeMap<String, WebhookSettings>>,
    /// The EMSs of the settings.
    pub ems: Arc<Vec<EmsSettings>>,
}

/// How long events are kept, and how many are purged at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Older events are purged; zero where nobody has said: nothing is.
    pub keep_events: Duration,
    /// Rows of one transaction at most.
    pub purge_window_size: usize,
}

impl Automation {
    /// What the settings and this switchboard say.
    pub fn new(settings: &Settings, switchboard: Switchboard) -> Self {
        Self {
            switchboard,
            rules: settings.rules.clone(),
            task_final_events: Arc::new(settings.task_final_events.clone()),
            abort_on_error: settings.abort_on_error,
            max_action_age: settings.max_action_age,
            history: History {
                keep_events: settings.keep_events,
                purge_window_size: settings.purge_window_size,
            },
            webhooks: Arc::new(settings.webhooks.clone()),
            ems: Arc::new(settings.ext_management_systems.clone()),
        }
    }

    /// Whether an event of this type may begin or end a chain of tasks.
    pub fn is_of_chain(&self, event_type: &str) -> bool {
        let starts = |types: &Vec<String>| types.iter().any(|known| known == event_type);
        self.task_final_events.contains_key(event_type) || self.task_final_events.values().any(starts)
    }
}

/// The automation in force; SIGHUP puts another in its place.
#[derive(Clone, Default)]
pub struct SharedAutomation(Arc<RwLock<Automation>>);

impl SharedAutomation {
    /// With a first one.
    pub fn new(automation: Automation) -> Self {
        Self(Arc::new(RwLock::new(automation)))
    }

    /// The one in force.
    pub fn get(&self) -> Automation {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this one.
    pub fn set(&self, automation: Automation) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = automation;
    }
}
