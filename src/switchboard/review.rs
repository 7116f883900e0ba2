//! Looks through what events can reach, and tells what will not do what its author may expect.
//!
//! Only what events can reach: a domain may be a whole copy of ManageIQ's, whose other parts are nobody's business here.

use super::evaluate::ends_with_path;
use super::guard;
use super::handler_names::{Handler, is_target_name, needed_parameters};
use super::index::{EMS_EVENT, ENTRY_CLASS, ENTRY_INSTANCE, Found, Index, MISSING, POLICY_EVENT};
use super::model::{Class, Effective, FieldKind, Instance, MethodFile, SchemaField, is_commented_out};
use super::native::{native_method, native_state_machine};
use super::problem::{AutomateWarning, did_you_mean};
use super::review_names::unknown_names;
use super::substitution::{Object, Part, Template, is_unknown_root_attribute};
use super::uri::Uri;
use std::collections::BTreeSet;

/// All warnings, sorted by file and line.
pub(super) fn review(index: &Index, is_known: &dyn Fn(&str) -> bool) -> Vec<AutomateWarning> {
    let warnings = unknown_names(index, is_known).into_iter().collect();
    let mut review = Review { index, warnings, waiting: Vec::new(), seen: BTreeSet::new() };
    review.reach(ENTRY_CLASS, Some(ENTRY_INSTANCE));
    for class in index.domains.iter().flat_map(|domain| domain.classes.keys()) {
        let is_entered = [EMS_EVENT, POLICY_EVENT].iter().any(|namespace| class.starts_with(namespace));
        if is_entered || class == HANDLERS {
            review.reach(class, None);
        }
    }
    while let Some((class, instance)) = review.waiting.pop() {
        let of_that_path = index.domains.iter().filter_map(|domain| domain.classes.get(&class));
        of_that_path.for_each(|class| review.class(class, instance.as_deref()));
    }
    review.warnings.into_iter().collect()
}

/// The class of the handlers, in lower case.
const HANDLERS: &str = "system/event_handlers";

/// Class and instance, in lower case; without one, all of the class.
type Reached = (String, Option<String>);

struct Review<'a> {
    index: &'a Index,
    warnings: BTreeSet<AutomateWarning>,
    waiting: Vec<Reached>,
    seen: BTreeSet<Reached>,
}

impl Review<'_> {
    fn reach(&mut self, class: &str, instance: Option<&str>) {
        let reached = (class.to_ascii_lowercase(), instance.map(str::to_ascii_lowercase));
        if self.seen.insert(reached.clone()) {
            self.waiting.push(reached);
        }
    }

    fn warn(&mut self, file: &str, line: usize, message: String) {
        self.warnings.insert(AutomateWarning { file: file.to_owned(), line, message });
    }

    fn warn_at(&mut self, value: &Effective<'_>, field: &SchemaField, message: &str) {
        self.warn(value.file, value.line, format!("{}: {message}", field.name));
    }

    fn class(&mut self, class: &Class, only: Option<&str>) {
        // Of a class that is not wholly an event's, a method is told of where it is called.
        let methods = if only.is_none() { class.methods.as_slice() } else { &[] };
        for method in methods {
            self.method_file(class, method);
        }
        self.instance(class, None);
        let is_reached = |name: &String| only.is_none_or(|only| only == name || name == MISSING);
        for (_, instance) in class.instances.iter().filter(|(name, _)| is_reached(name)) {
            self.instance(class, Some(instance));
        }
    }

    fn method_file(&mut self, class: &Class, method: &MethodFile) {
        let is_machine = native_state_machine(&class.path, "default").is_some();
        let is_native = native_method(&class.path, &method.name).is_some() || is_machine;
        let is_handler = class.path.eq_ignore_ascii_case(HANDLERS);
        let why = match (is_native, is_handler) {
            (true, true) => return,
            (true, false) => "is not read: Catchall does natively what ManageIQ's method of this name does",
            (false, _) => "is not run: Catchall runs no methods of domains, only its own handlers",
        };
        self.warn(&method.shown, 1, why.to_owned());
    }

    fn instance(&mut self, class: &Class, instance: Option<&Instance>) {
        for field in &class.schema.fields {
            let collect =
                instance.and_then(|instance| instance.values.get(&field.key)).filter(|value| value.collect);
            if let (Some(instance), Some(value)) = (instance, collect) {
                let why = format!("{}: `collect` has no effect: values are not handed back", field.name);
                self.warn(&instance.file, value.line, why);
            }
            if instance.is_none() && field.collect {
                let why = format!("{}: `collect` has no effect: values are not handed back", field.name);
                self.warn(&class.schema.file, field.line, why);
            }
            if let Some(value) = class.effective(instance, field) {
                self.field(class, field, (instance, &value));
            }
        }
    }

    fn field(
        &mut self,
        class: &Class,
        field: &SchemaField,
        (instance, value): (Option<&Instance>, &Effective<'_>),
    ) {
        if field.kind != FieldKind::Attribute && is_commented_out(value.text) {
            return;
        }
        let template = if field.substitute { self.template(field, value) } else { Some(true) };
        let Some(is_plain) = template else { return };
        match field.kind {
            FieldKind::Attribute => {}
            FieldKind::State => self.state(class, field, (instance, value)),
            FieldKind::Method if is_plain && native_method(&class.path, value.text).is_none() => {
                let why = format!(
                    "the method {} is not run: Catchall runs its own handlers alone, through /System/event_handlers",
                    value.text.trim()
                );
                self.warn_at(value, field, &why);
            }
            FieldKind::Method => {}
            FieldKind::Assertion => self.guard(field, value),
            FieldKind::Relationship if is_plain => self.relationship(field, value),
            FieldKind::Relationship => {}
        }
    }

    fn state(
        &mut self,
        class: &Class,
        field: &SchemaField,
        (instance, value): (Option<&Instance>, &Effective<'_>),
    ) {
        let name = instance.map_or("", |instance| instance.name.as_str());
        if native_state_machine(&class.path, name).is_none() {
            self.warn_at(value, field, "is not run: Catchall has no state machines of domains");
        } else if !class.is_builtin {
            let why = "is not read: Catchall does natively what ManageIQ's state machine of this name does";
            self.warn_at(value, field, why);
        }
    }

    /// Whether the value is plain text; `None` after a warning.
    fn template(&mut self, field: &SchemaField, value: &Effective<'_>) -> Option<bool> {
        let template = match Template::parse(value.text) {
            Ok(template) => template,
            Err(why) => {
                self.warn_at(value, field, &format!("is passed over: {why}"));
                return None;
            }
        };
        for part in &template.parts {
            let Part::Attribute(reference) = part else { continue };
            match &reference.object {
                Object::Root
                    if reference.methods.is_empty() && is_unknown_root_attribute(&reference.attribute) =>
                {
                    let why = format!(
                        "is passed over: ${{/#{}}} is not known to the switchboard",
                        reference.attribute
                    );
                    self.warn_at(value, field, &why);
                    return None;
                }
                Object::Named(path) if !self.has_class(path) => {
                    let why = format!("ends the run of its event: no domain has a class `{path}`");
                    self.warn_at(value, field, &why);
                    return None;
                }
                _ => {}
            }
        }
        Some(template.is_plain())
    }

    /// Whether some class is at `path`, or an instance of one.
    fn has_class(&self, path: &str) -> bool {
        let above = path.rsplit_once('/').map(|(above, _)| above);
        let mut classes = self.index.domains.iter().flat_map(|domain| domain.classes.keys());
        classes.any(|class| {
            ends_with_path(class, path) || above.is_some_and(|above| ends_with_path(class, above))
        })
    }

    /// Tries the guard with a word and with a number for its placeholders.
    fn guard(&mut self, field: &SchemaField, value: &Effective<'_>) {
        let Ok(template) = Template::parse(value.text) else { return };
        let with = |filling: &str| {
            let pieces = template.parts.iter().map(|part| match part {
                Part::Text(text) => text.as_str(),
                _ => filling,
            });
            guard::holds(&pieces.collect::<String>())
        };
        if let (Err(why), Err(_)) = (with("x"), with("1")) {
            let why = format!("the guard always fails here, and nothing else of its instance runs: {why}");
            self.warn_at(value, field, &why);
        }
    }

    fn relationship(&mut self, field: &SchemaField, value: &Effective<'_>) {
        let uri = match Uri::parse(value.text) {
            Ok(uri) => uri,
            Err(why) => return self.warn_at(value, field, &format!("ends the run of its event: {why}")),
        };
        if uri.wildcard {
            return self.warn_at(
                value,
                field,
                "is passed over: an address cannot end in `*`; name the instances one by one",
            );
        }
        for record in &uri.records {
            let why = format!("`{record}` loads no record here; its id alone is known");
            self.warn_at(value, field, &why);
        }
        if uri.is_method {
            let method = uri.instance.unwrap_or_default();
            if native_method(&uri.class, &method).is_none() {
                self.warn_at(value, field, &format!("the method {method} is not run"));
            }
            return;
        }
        let asked = uri.instance.as_deref().unwrap_or_default();
        let Some(found) = self.index.resolve(&uri.class, uri.instance.as_deref()) else {
            let all = self.index.domains.iter().flat_map(|domain| domain.classes.values());
            let paths: BTreeSet<String> = all
                .flat_map(|class| {
                    class.instances.values().map(|instance| format!("/{}/{}", class.path, instance.name))
                })
                .collect();
            let path = format!("/{}/{asked}", uri.class);
            let hint = did_you_mean(&path, paths.iter().map(String::as_str));
            return self.warn_at(value, field, &format!("is passed over: no domain has {path}{hint}"));
        };
        self.reach(&found.class.path, found.instance.map(|instance| instance.name.as_str()).or(Some("")));
        let target = uri.params.get("target").filter(|target| !target.trim().is_empty());
        if let (Some(Handler::RefreshTarget), Some(target)) = (Handler::of_path(&uri.class, asked), target)
            && !is_target_name(target)
        {
            let why = format!(
                "ends the run of its event: there is no target `{target}`; known are vm, host, ems and the like"
            );
            self.warn_at(value, field, &why);
        }
        self.parameters(field, value, (&uri, &found));
    }

    /// A handler without one of the parameters that it needs fails for each event.
    fn parameters(&mut self, field: &SchemaField, value: &Effective<'_>, (uri, found): (&Uri, &Found<'_>)) {
        let Some(instance) = found.instance.filter(|_| uri.class.eq_ignore_ascii_case(HANDLERS)) else {
            return;
        };
        for parameter in needed_parameters(&instance.name.to_ascii_lowercase()) {
            let of_instance = found.class.schema.field(parameter);
            let of_instance = of_instance.and_then(|field| found.class.effective(found.instance, field));
            if of_instance.is_none() && !uri.params.contains_key(*parameter) {
                let why = format!(
                    "fails: {} needs `{parameter}`; write `{parameter}=`, even if empty",
                    instance.name
                );
                self.warn_at(value, field, &why);
            }
        }
    }
}
