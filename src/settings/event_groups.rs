//! Event groups and levels: under which heading of the timeline an event type stands (ManageIQ: `event_groups`,
//! `group_and_level`; reference: `app/models/ems_event.rb`).

use regex::{Regex, RegexSet};
use std::collections::HashMap;
use std::sync::OnceLock;

/// The levels in ManageIQ's order; the first that lists a type wins.
pub const LEVELS: [&str; 3] = ["critical", "warning", "detail"];

/// Event type → group and level. Built once from the merged settings.
#[derive(Clone, Debug, Default)]
pub struct EventGroups {
    /// Group key → the name people see, in order of the settings.
    pub names: Vec<(String, String)>,
    exact: HashMap<String, (usize, &'static str)>,
    patterns: Vec<(Regex, usize, &'static str)>,
    /// All of them as one, compiled when first asked; `None` when they are too large together and are tried in turn.
    all_patterns: OnceLock<Option<RegexSet>>,
}

impl PartialEq for EventGroups {
    fn eq(&self, other: &Self) -> bool {
        let patterns = |groups: &Self| -> Vec<(String, usize, &'static str)> {
            groups
                .patterns
                .iter()
                .map(|(pattern, group, level)| (pattern.as_str().to_owned(), *group, *level))
                .collect()
        };
        self.names == other.names && self.exact == other.exact && patterns(self) == patterns(other)
    }
}

/// Where an event type stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupAndLevel<'a> {
    /// Key, such as `power`; `other` when nothing lists the type.
    pub group: &'a str,
    /// What people read, such as `Power Activity`.
    pub group_name: &'a str,
    /// `critical`, `warning` or `detail`.
    pub level: &'static str,
}

impl EventGroups {
    /// Adds a group (an empty one too, so that its name is known). Adding it again changes its name.
    pub fn add_group(&mut self, key: &str, name: &str) -> usize {
        match self.names.iter().position(|(known, _)| known == key) {
            Some(index) => {
                name.clone_into(&mut self.names[index].1);
                index
            }
            None => {
                self.names.push((key.to_owned(), name.to_owned()));
                self.names.len() - 1
            }
        }
    }

    /// Lists `event_type` (or `/regular expression/`) under a group that was added. What was listed first wins.
    ///
    /// # Errors
    /// When it is written as a regular expression and is none.
    pub fn list(&mut self, group: usize, level: &'static str, event_type: &str) -> Result<(), regex::Error> {
        match event_type.strip_prefix('/') {
            Some(body) => {
                let body = body.strip_suffix('/').unwrap_or(body);
                self.patterns.push((Regex::new(body)?, group, level));
                self.all_patterns = OnceLock::new();
            }
            None => {
                self.exact.entry(event_type.to_owned()).or_insert((group, level));
            }
        }
        Ok(())
    }

    /// Literal entries first, then regular expressions in order, else `other`/`detail`.
    pub fn group_and_level(&self, event_type: &str) -> GroupAndLevel<'_> {
        let found = self.exact.get(event_type).copied().or_else(|| {
            let (_, group, level) = self.first_match(event_type)?;
            Some((*group, *level))
        });
        match found {
            Some((index, level)) => {
                let (group, group_name) = &self.names[index];
                GroupAndLevel { group, group_name, level }
            }
            None => GroupAndLevel { group: "other", group_name: "Other", level: "detail" },
        }
    }

    fn first_match(&self, event_type: &str) -> Option<&(Regex, usize, &'static str)> {
        let all = self
            .all_patterns
            .get_or_init(|| RegexSet::new(self.patterns.iter().map(|(pattern, ..)| pattern.as_str())).ok());
        match all {
            Some(all) => self.patterns.get(all.matches(event_type).iter().next()?),
            None => self.patterns.iter().find(|(pattern, ..)| pattern.is_match(event_type)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_regular_expressions_the_first_that_is_listed_wins_also_after_another_is_added() {
        let mut groups = EventGroups::default();
        let (power, other) = (groups.add_group("power", "Power"), groups.add_group("late", "Late"));
        groups.list(power, "critical", "/^vm_start/").unwrap();
        groups.list(other, "detail", "/vm_/").unwrap();
        let found = |groups: &EventGroups, event_type: &str| {
            let found = groups.group_and_level(event_type);
            (found.group.to_owned(), found.level)
        };
        assert_eq!(found(&groups, "vm_start_now"), ("power".to_owned(), "critical"));
        assert_eq!(found(&groups, "a vm_stop"), ("late".to_owned(), "detail"));
        assert_eq!(found(&groups, "host_stop"), ("other".to_owned(), "detail"));
        groups.list(power, "warning", "/^host_/").unwrap();
        groups.list(power, "detail", "vm_start_now").unwrap();
        assert_eq!(found(&groups, "host_stop"), ("power".to_owned(), "warning"));
        assert_eq!(found(&groups, "vm_start_now"), ("power".to_owned(), "detail"), "exact names come first");
        assert!(groups.list(power, "detail", "/(/").is_err());
    }
}
