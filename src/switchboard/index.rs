//! The overlay of all domains: which domain answers for an address, and the calls of every event type, worked out once.

use super::Call;
use super::evaluate::explain;
use super::model::{Class, Domain, Instance};
use std::collections::HashMap;

/// Namespace of the classes that provider events go to, in lower case.
pub(super) const EMS_EVENT: &str = "system/event/emsevent/";
/// Where an event enters, in lower case.
pub(super) const ENTRY_CLASS: &str = "system/process";
/// The instance that it enters at, in lower case.
pub(super) const ENTRY_INSTANCE: &str = "event";
/// The reserved instance that answers for all names that no instance has.
pub(super) const MISSING: &str = ".missing";

/// All enabled domains, lowest first.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub domains: Vec<Domain>,
    /// Lower-case source → lower-case event type → calls, for what does not depend on the event itself.
    plans: HashMap<String, HashMap<String, Option<Vec<Call>>>>,
}

/// What answers for an address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub domain: &'a Domain,
    pub class: &'a Class,
    /// `None`: the address asks for the class's defaults alone.
    pub instance: Option<&'a Instance>,
}

impl Index {
    pub(super) fn new(domains: Vec<Domain>) -> Self {
        Self { domains, plans: HashMap::new() }
    }

    /// An exact instance in the highest domain, else `.missing` in the highest domain that has one, else the same
    /// within the domain that the first segment names.
    pub(super) fn resolve(&self, class: &str, instance: Option<&str>) -> Option<Found<'_>> {
        let class = class.to_ascii_lowercase();
        let instance = instance.map(str::to_ascii_lowercase);
        let all = || self.domains.iter().rev();
        find(all(), &class, instance.as_deref()).or_else(|| {
            let (pinned, class) = class.split_once('/')?;
            let of_that_name = all().filter(|domain| domain.name.eq_ignore_ascii_case(pinned));
            find(of_that_name, class, instance.as_deref())
        })
    }

    /// The calls of an event, when they were worked out at load. `None`: evaluate it.
    pub(super) fn plan(&self, source: &str, event_type: &str) -> Option<&[Call]> {
        if event_type.is_empty() || event_type.contains('/') {
            return None;
        }
        let class = self.plans.get(source.to_ascii_lowercase().as_str())?;
        let plan = class.get(event_type.to_ascii_lowercase().as_str()).or_else(|| class.get(MISSING))?;
        plan.as_deref()
    }

    /// Works out the calls of all event types.
    pub(super) fn with_plans(self) -> Self {
        // An entry of one's own may send an event anywhere, so that nothing is known beforehand.
        let entry = self.resolve(ENTRY_CLASS, Some(ENTRY_INSTANCE));
        if !entry.is_some_and(|found| found.domain.builtin) {
            return self;
        }
        let mut plans: HashMap<String, HashMap<String, Option<Vec<Call>>>> = HashMap::new();
        for (path, class) in self.domains.iter().flat_map(|domain| &domain.classes) {
            let Some(source) = path.strip_prefix(EMS_EVENT).filter(|source| !source.contains('/')) else {
                continue;
            };
            let plans = plans.entry(source.to_owned()).or_default();
            for (event_type, instance) in &class.instances {
                plans.entry(event_type.clone()).or_insert_with(|| {
                    let explanation = explain(&self, source, &instance.name);
                    (!explanation.depends_on_event).then_some(explanation.calls)
                });
            }
        }
        Self { plans, ..self }
    }
}

fn find<'a>(
    domains: impl Iterator<Item = &'a Domain> + Clone,
    class: &str,
    instance: Option<&str>,
) -> Option<Found<'a>> {
    let with_class = domains.filter_map(|domain| domain.classes.get(class).map(|class| (domain, class)));
    let Some(instance) = instance else {
        return with_class.map(|(domain, class)| Found { domain, class, instance: None }).next();
    };
    let called = |name: &str| {
        with_class.clone().find_map(|(domain, class)| {
            class.instances.get(name).map(|instance| Found { domain, class, instance: Some(instance) })
        })
    };
    called(instance).or_else(|| called(MISSING))
}
