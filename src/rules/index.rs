//! Which rules an event meets, fast: a map of exact types, one set of all expressions, and a memory of what was answered,
//! since there are few event types and many events.

use super::definition::RuleDefinition;
use super::pattern::{self, Pattern};
use crate::settings::EventGroups;
use regex::RegexSet;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Types that are remembered; what sends more different ones is not remembered, and only slower.
const MOST_REMEMBERED: usize = 4_096;

/// All rules, and how they are found.
pub(super) struct Index {
    pub(super) rules: Vec<RuleDefinition>,
    pub(super) event_groups: EventGroups,
    exact: HashMap<String, Vec<usize>>,
    set: RegexSet,
    /// The rule of each expression of the set.
    of_expression: Vec<usize>,
    of_every_type: Vec<usize>,
    remembered: RwLock<HashMap<String, Arc<[usize]>>>,
}

impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules && self.event_groups == other.event_groups
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rules.iter().map(|rule| &rule.name)).finish()
    }
}

impl Index {
    pub(super) fn new(rules: Vec<RuleDefinition>, event_groups: EventGroups) -> Result<Self, String> {
        let mut exact: HashMap<String, Vec<usize>> = HashMap::new();
        let (mut expressions, mut of_expression, mut of_every_type) = (Vec::new(), Vec::new(), Vec::new());
        for (place, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.enabled) {
            if rule.on.event_types.is_empty() {
                of_every_type.push(place);
            }
            for entry in &rule.on.event_types {
                match pattern::read(entry) {
                    Pattern::Exact(event_type) => exact.entry(event_type).or_default().push(place),
                    Pattern::Expression(expression) => {
                        expressions.push(expression);
                        of_expression.push(place);
                    }
                }
            }
        }
        let set = RegexSet::new(&expressions).map_err(|error| error.to_string())?;
        let remembered = RwLock::default();
        Ok(Self { rules, event_groups, exact, set, of_expression, of_every_type, remembered })
    }

    /// In order of the settings.
    pub(super) fn candidates<'a>(
        &'a self,
        ems: &'a str,
        source: &'a str,
        event_type: &str,
    ) -> impl Iterator<Item = &'a RuleDefinition> {
        let places = self.of_type(event_type);
        (0..places.len())
            .map(move |at| &self.rules[places[at]])
            .filter(move |rule| is_among(&rule.on.ems, ems) && is_among(&rule.on.sources, source))
    }

    /// The rules whose types, groups and levels this type meets.
    fn of_type(&self, event_type: &str) -> Arc<[usize]> {
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = remembered.get(event_type) {
            return Arc::clone(places);
        }
        drop(remembered);
        let places: Arc<[usize]> = self.look_up(event_type).into();
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(event_type.to_owned(), Arc::clone(&places));
        }
        places
    }

    fn look_up(&self, event_type: &str) -> Vec<usize> {
        let exact = self.exact.get(event_type).into_iter().flatten().copied();
        let by_expression = self.set.matches(event_type).into_iter().map(|at| self.of_expression[at]);
        let mut places: Vec<usize> =
            exact.chain(by_expression).chain(self.of_every_type.iter().copied()).collect();
        places.sort_unstable();
        places.dedup();
        places.retain(|place| self.why_not_here(&self.rules[*place], event_type).is_none());
        places
    }

    /// What group and level have against it.
    fn why_not_here(&self, rule: &RuleDefinition, event_type: &str) -> Option<String> {
        let found = self.event_groups.group_and_level(event_type);
        if !is_among(&rule.on.groups, found.group) {
            return Some(format!("its group is {}, not {}", found.group, either(&rule.on.groups)));
        }
        if !is_among(&rule.on.levels, found.level) {
            return Some(format!("its level is {}, not {}", found.level, either(&rule.on.levels)));
        }
        None
    }

    pub(super) fn why_not(
        &self,
        rule: &RuleDefinition,
        ems: &str,
        source: &str,
        event_type: &str,
    ) -> Option<String> {
        if !rule.enabled {
            return Some("the rule is not enabled".to_owned());
        }
        if !is_among(&rule.on.ems, ems) {
            return Some(format!("it is of {ems}, not of {}", either(&rule.on.ems)));
        }
        if !is_among(&rule.on.sources, source) {
            return Some(format!("its source is {source}, not {}", either(&rule.on.sources)));
        }
        let of_type = |entry: &String| match pattern::read(entry) {
            Pattern::Exact(exact) => exact == event_type,
            Pattern::Expression(expression) => {
                regex::Regex::new(&expression).is_ok_and(|regex| regex.is_match(event_type))
            }
        };
        if !rule.on.event_types.is_empty() && !rule.on.event_types.iter().any(of_type) {
            return Some(format!("its type is {event_type}, not {}", either(&rule.on.event_types)));
        }
        self.why_not_here(rule, event_type)
    }
}

fn is_among(entries: &[String], found: &str) -> bool {
    entries.is_empty() || entries.iter().any(|entry| entry == found)
}

fn either(entries: &[String]) -> String {
    entries.join(" or ")
}
