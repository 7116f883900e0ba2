//! Which event types `tail` and `events` show: one, those that a pattern matches, those of a level, those of a group.

use super::event_filter::EventFilterArguments;
use crate::settings::EventGroups;
use crate::settings::nearest::probably_meant;
use regex::Regex;

/// Which event types are asked for.
#[derive(Clone, Debug, Default)]
pub struct Types {
    only: Option<OneOrMatching>,
    level: Option<String>,
    group: Option<String>,
}

#[derive(Clone, Debug)]
enum OneOrMatching {
    One(String),
    Matching(Regex),
}

impl Types {
    /// Understands what was written.
    ///
    /// # Errors
    /// In words, with what was probably meant.
    pub fn new(written: &EventFilterArguments, groups: &EventGroups) -> Result<Self, String> {
        Ok(Self {
            only: written.event_type.as_deref().map(one_or_matching).transpose()?,
            level: written.level.clone(),
            group: written.group.as_deref().map(|group| known_group(group, groups)).transpose()?,
        })
    }

    /// Whether any type is left out.
    pub fn is_narrow(&self) -> bool {
        self.only.is_some() || self.level.is_some() || self.group.is_some()
    }

    /// The one type that is asked for by its name alone.
    pub fn one(&self) -> Option<&str> {
        match self {
            Self { only: Some(OneOrMatching::One(one)), level: None, group: None } => Some(one),
            _ => None,
        }
    }

    /// Whether this type is asked for.
    pub fn hold(&self, groups: &EventGroups, event_type: &str) -> bool {
        let only = match &self.only {
            None => true,
            Some(OneOrMatching::One(one)) => one == event_type,
            Some(OneOrMatching::Matching(pattern)) => pattern.is_match(event_type),
        };
        let found = groups.group_and_level(event_type);
        only && self.level.as_deref().is_none_or(|level| level == found.level)
            && self.group.as_deref().is_none_or(|group| group == found.group)
    }
}

fn one_or_matching(text: &str) -> Result<OneOrMatching, String> {
    match text.strip_prefix('/') {
        None => Ok(OneOrMatching::One(text.to_owned())),
        Some(pattern) => Regex::new(pattern.strip_suffix('/').unwrap_or(pattern))
            .map(OneOrMatching::Matching)
            .map_err(|error| format!("--type {text} is no regular expression: {error}")),
    }
}

fn known_group(group: &str, groups: &EventGroups) -> Result<String, String> {
    const OTHER: &str = "other";
    let known: Vec<&str> =
        groups.names.iter().map(|(key, _)| key.as_str()).filter(|key| *key != OTHER).chain([OTHER]).collect();
    if known.contains(&group) {
        return Ok(group.to_owned());
    }
    match probably_meant(group, known.iter().copied()) {
        Some(near) => Err(format!("there is no event group {group:?}; did you mean {near:?}?")),
        None => Err(format!("there is no event group {group:?}; there are: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> EventGroups {
        let mut groups = EventGroups::default();
        let power = groups.add_group("power", "Power Activity");
        groups.list(power, "critical", "vm.stop").unwrap();
        groups.list(power, "detail", "vm.start").unwrap();
        groups
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn types_are_chosen_by_name_pattern_level_and_group() {
        let held = |written: EventFilterArguments| {
            let types = Types::new(&written, &groups()).unwrap();
            ["vm.stop", "vm.start", "unlisted"].map(|name| types.hold(&groups(), name))
        };
        let none = EventFilterArguments::default;
        assert_eq!(held(none()), [true, true, true]);
        assert_eq!(
            held(EventFilterArguments { event_type: text("vm.stop"), ..none() }),
            [true, false, false]
        );
        assert_eq!(
            held(EventFilterArguments { event_type: text("/st[oa]/"), ..none() }),
            [true, true, false]
        );
        assert_eq!(held(EventFilterArguments { level: text("detail"), ..none() }), [false, true, true]);
        assert_eq!(held(EventFilterArguments { group: text("other"), ..none() }), [false, false, true]);
        let both = EventFilterArguments { group: text("power"), level: text("detail"), ..none() };
        assert_eq!(held(both), [false, true, false]);
    }
}
