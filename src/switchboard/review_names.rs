//! Finds classes and instances of domains that no provider's events are called like.

use super::index::{EMS_EVENT, Index, MISSING};
use super::model::{Class, Domain, Instance};
use super::problem::{AutomateWarning, did_you_mean, nearest};
use std::collections::BTreeMap;

/// A warning for each: against the lower domains, and for event types against what `is_known` knows.
pub(super) fn unknown_names(index: &Index, is_known: &dyn Fn(&str) -> bool) -> Vec<AutomateWarning> {
    let mut warnings = Vec::new();
    for (position, domain) in index.domains.iter().enumerate().filter(|(_, domain)| !domain.builtin) {
        for (path, class) in &domain.classes {
            let Some(source) = path.strip_prefix(EMS_EVENT) else { continue };
            let lower = &index.domains[..position];
            let of_that_path = lower.iter().filter_map(|domain| domain.classes.get(path));
            let siblings: BTreeMap<&str, &str> = of_that_path
                .flat_map(|class| &class.instances)
                .map(|(key, instance)| (key.as_str(), instance.name.as_str()))
                .collect();
            if siblings.is_empty() {
                warnings.push(unknown_source(class, source, lower));
                continue;
            }
            let unknown = class.instances.iter().filter(|(key, instance)| {
                *key != MISSING && !siblings.contains_key(key.as_str()) && !is_known(&instance.name)
            });
            warnings
                .extend(unknown.map(|(_, instance)| unknown_event_type(instance, &class.path, &siblings)));
        }
    }
    warnings
}

fn unknown_source(class: &Class, source: &str, lower: &[Domain]) -> AutomateWarning {
    let sources = lower.iter().flat_map(|domain| domain.classes.keys());
    let hint = did_you_mean(source, sources.filter_map(|path| path.strip_prefix(EMS_EVENT)));
    let name = class.path.rsplit('/').next().unwrap_or_default();
    let message =
        format!("no provider in this build has events of the source {name}{hint}; its instances never run");
    AutomateWarning { file: class.shown.clone(), line: 1, message }
}

fn unknown_event_type(instance: &Instance, class: &str, siblings: &BTreeMap<&str, &str>) -> AutomateWarning {
    let name = &instance.name;
    let hint = match nearest(name, siblings.values().copied().filter(|name| *name != MISSING)) {
        Some(near) => format!("did you mean `{near}`? The nearest event type that is known is called so"),
        None => "it runs if the provider sends such events".to_owned(),
    };
    let message = format!("no event type `{name}` is known in {class}; {hint}");
    AutomateWarning { file: instance.file.clone(), line: instance.line, message }
}
