//! Texts of automate files for tests.

const CLASS: &str = include_str!("../data/automate/ems_event/__class__.yaml");
pub const EMS_EVENT: &str = "System/Event/EmsEvent";
pub const REFRESH: &str = "/System/event_handlers/refresh";

/// `__class__.yaml` of a class of provider events.
pub fn class(name: &str) -> String {
    CLASS.replace("NAME", name)
}

/// An instance with these fields.
pub fn instance(name: &str, fields: &[(&str, &str)]) -> String {
    let mut text = format!(
        "---\nobject_type: instance\nversion: 1.0\nobject:\n  attributes:\n    name: {name}\n  fields:\n"
    );
    for (field, value) in fields {
        text.push_str(&format!("  - {field}:\n      value: '{}'\n", value.replace('\'', "''")));
    }
    text
}
