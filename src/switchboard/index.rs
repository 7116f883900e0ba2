//! The overlay of all domains: which domain answers for an address, and the calls of every event type, worked out once.

use super::Call;
use super::evaluate::{Asked, explain};
use super::model::{Class, Domain, FieldKind, Instance};
use std::collections::HashMap;
use std::sync::Arc;

/// Namespace of the classes that provider events go to, in lower case.
pub(super) const EMS_EVENT: &str = "system/event/emsevent/";
/// Namespace of the classes that policy events go to, in lower case.
pub(super) const POLICY_EVENT: &str = "system/event/miqevent/";
/// Namespace of all classes that events go to, in lower case.
const EVENT: &str = "system/event/";
/// Where an event enters, in lower case.
pub(super) const ENTRY_CLASS: &str = "system/process";
/// The instance that it enters at, in lower case.
pub(super) const ENTRY_INSTANCE: &str = "event";
/// The one value of ManageIQ's entry.
const PLAIN_ENTRY: &str =
    "/System/Event/${/#event_stream.event_namespace}/${/#event_stream.source}/${/#event_type}";
/// The reserved instance that answers for all names that no instance has.
pub(super) const MISSING: &str = ".missing";
/// The reserved instance of an address without one.
const DEFAULT: &str = ".default";

/// All enabled domains, lowest first.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub domains: Vec<Domain>,
    plans: Plans,
}

/// Lower-case `namespace/source` → lower-case event type → calls; `None` for what depends on the event itself.
type Plans = HashMap<String, HashMap<String, Option<Arc<[Call]>>>>;

/// What answers for an address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub domain: &'a Domain,
    pub class: &'a Class,
    /// `None`: the address asks for the class's defaults alone.
    pub instance: Option<&'a Instance>,
}

impl Found<'_> {
    /// Whether it does nothing but go on to the event's class and instance, as ManageIQ's does.
    fn is_plain_entry(&self) -> bool {
        let fields = self.class.schema.fields.iter();
        let values = fields.filter_map(|field| Some((field, self.class.effective(self.instance, field)?)));
        values
            .map(|(field, value)| (field.kind, field.substitute, field.answers_to("create"), value.text))
            .eq([(FieldKind::Relationship, true, true, PLAIN_ENTRY)])
    }
}

impl Index {
    pub(super) fn new(domains: Vec<Domain>) -> Self {
        Self { domains, plans: Plans::new() }
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
    pub(super) fn plan(&self, namespace: &str, source: &str, event_type: &str) -> Option<&Arc<[Call]>> {
        if event_type.is_empty() || event_type.contains('/') || event_type.eq_ignore_ascii_case(DEFAULT) {
            return None;
        }
        let mut key = String::with_capacity(namespace.len() + source.len() + 1 + event_type.len());
        key.extend([namespace, "/", source]);
        key.make_ascii_lowercase();
        let class = self.plans.get(key.as_str())?;
        key.clear();
        key.push_str(event_type);
        key.make_ascii_lowercase();
        class.get(key.as_str()).or_else(|| class.get(MISSING))?.as_ref()
    }

    /// Works out the calls of all event types.
    pub(super) fn with_plans(self) -> Self {
        // An entry of one's own may send an event anywhere, so that nothing is known beforehand.
        let entry = self.resolve(ENTRY_CLASS, Some(ENTRY_INSTANCE));
        if !entry.is_some_and(|found| found.is_plain_entry()) {
            return self;
        }
        let mut plans = Plans::new();
        for (path, class) in self.domains.iter().flat_map(|domain| &domain.classes) {
            let Some((namespace, source)) = path.strip_prefix(EVENT).and_then(|path| path.split_once('/'))
            else {
                continue;
            };
            if source.contains('/') {
                continue;
            }
            let plans = plans.entry(format!("{namespace}/{source}")).or_default();
            for (key, instance) in &class.instances {
                plans.entry(key.clone()).or_insert_with(|| {
                    let asked = Asked { namespace, source, event_type: &instance.name };
                    let explanation = explain(&self, &asked);
                    (!explanation.depends_on_event).then(|| explanation.calls.into())
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
    let called = |name: &str| {
        with_class.clone().find_map(|(domain, class)| {
            class.instances.get(name).map(|instance| Found { domain, class, instance: Some(instance) })
        })
    };
    match instance {
        Some(name) if name != DEFAULT => called(name).or_else(|| called(MISSING)),
        // The class's defaults need no instance.
        _ => called(DEFAULT).or_else(|| {
            with_class.clone().map(|(domain, class)| Found { domain, class, instance: None }).next()
        }),
    }
}
