//! How often a rule may fire: `at_most: 5 per 10.minutes by vm` and `group_within: 30.seconds`.
//!
//! Decides from what was done before; where that is kept is the caller's.

use super::facts::{self, Facts};
use crate::settings::{nearest, values};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// `at_most`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtMost {
    /// So many firings.
    pub count: u32,
    /// In any span of this length.
    pub per: Duration,
}

/// Both limits of a rule, counted by one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// More are suppressed.
    pub at_most: Option<AtMost>,
    /// What follows a firing within this time is folded into it.
    pub group_within: Option<Duration>,
    /// What is counted apart.
    pub by: Key,
}

/// What firings are counted by; nothing: by the rule alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key(Vec<String>);

/// What a rule did before, for one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// When it fired last.
    pub last: Option<DateTime<Utc>>,
    /// How often it fired within the span of `at_most`.
    pub fired: u32,
}

/// What the limits say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Do it.
    Fire,
    /// Fold it into the firing before, and say why.
    Group(String),
    /// Do not do it, and say why.
    Suppress(String),
}

impl Limits {
    /// Whether there is anything to count.
    pub fn is_empty(&self) -> bool {
        self.at_most.is_none() && self.group_within.is_none()
    }

    /// What may be done now.
    pub fn decide(&self, past: &Past, now: DateTime<Utc>) -> Decision {
        if let (Some(within), Some(last)) = (self.group_within, past.last)
            && now - last < span(within)
        {
            return Decision::Group(format!(
                "folded into the firing of {}, less than {} ago",
                last.format("%Y-%m-%d %H:%M:%S"),
                in_words(within)
            ));
        }
        match self.at_most {
            Some(AtMost { count, per }) if past.fired >= count => Decision::Suppress(format!(
                "it fired {} times within {}, at most {count} are wanted",
                past.fired,
                in_words(per)
            )),
            _ => Decision::Fire,
        }
    }
}

/// As a difference of times; settings are never longer than a century.
pub(super) fn span(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}

/// `10.minutes`, as it is written in the settings.
pub fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    for (unit, name) in [(86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")] {
        if seconds >= unit && seconds % unit == 0.0 {
            return format!("{}.{name}", seconds / unit);
        }
    }
    format!("{seconds}.seconds")
}

/// A limit as it is written: what is before `by`, and the key behind it.
fn split_key(text: &str) -> Result<(&str, Option<Key>), String> {
    match text.split_once(" by ") {
        None => Ok((text.trim(), None)),
        Some((limit, key)) => Ok((limit.trim(), Some(Key::read(key)?))),
    }
}

impl AtMost {
    /// Reads `5 per 10.minutes by vm`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(text: &str) -> Result<(Self, Option<Key>), String> {
        let (limit, key) = split_key(text)?;
        let read = limit.split_once(" per ").and_then(|(count, per)| {
            let count = values::whole_number(count).and_then(|count| u32::try_from(count).ok());
            let per = values::duration(per.trim()).filter(|per| !per.is_zero());
            Some(Self { count: count.filter(|count| *count > 0)?, per: per? })
        });
        let wanted =
            || format!("{text:?} was found; wanted a number and a duration, such as 5 per 10.minutes by vm");
        Ok((read.ok_or_else(wanted)?, key))
    }
}

impl Key {
    /// Reads `vm` or `ems, event_type`.
    ///
    /// # Errors
    /// Names what can be counted by.
    pub fn read(text: &str) -> Result<Self, String> {
        let short = ["vm", "host", "ems", "rule"];
        let part = |part: &str| {
            let part = part.trim();
            let known =
                || short.into_iter().chain(["group", "level"]).chain(facts::EVENT_COLUMNS.iter().copied());
            match known().any(|name| name == part) {
                true => Ok(part.to_owned()),
                false => Err(match nearest::within_two_edits(part, known()) {
                    Some(near) => {
                        format!("there is nothing to count by that is called {part:?}; did you mean {near}?")
                    }
                    None => format!(
                        "there is nothing to count by that is called {part:?}; wanted vm, host, ems, event_type, rule or \
                         another column of event_streams"
                    ),
                }),
            }
        };
        text.split(',').map(part).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Reads `30.seconds by vm`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read_behind_duration(text: &str) -> Result<(Duration, Option<Self>), String> {
        let (duration, key) = split_key(text)?;
        let read = values::duration(duration).filter(|duration| !duration.is_zero());
        let wanted = || {
            format!(
                "{text:?} was found; wanted a duration above zero, such as 30.seconds or 30.seconds by vm"
            )
        };
        Ok((read.ok_or_else(wanted)?, key))
    }

    /// What this event is counted under.
    pub fn of(&self, facts: &Facts) -> String {
        let event = |names: &[&str]| names.iter().find_map(|name| facts.event.get(*name)).map(facts::plain);
        let value = |part: &str| match part {
            "rule" => None,
            "vm" => event(&["vm_or_template_id", "vm_ems_ref", "vm_name"]),
            "host" => event(&["host_id", "host_name"]),
            "ems" => facts.ems.get("name").map(facts::plain),
            column => event(&[column]),
        };
        let parts: Vec<String> = self
            .0
            .iter()
            .filter(|part| *part != "rule")
            .map(|part| format!("{part}={}", value(part).unwrap_or_default()))
            .collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap_or_default()
    }

    #[test]
    fn limits_are_read_and_told_when_they_cannot_be() {
        let (at_most, key) = AtMost::read("5 per 10.minutes by ems, event_type").unwrap();
        assert_eq!(at_most, AtMost { count: 5, per: Duration::from_secs(600) });
        assert_eq!(key, Some(Key(vec!["ems".to_owned(), "event_type".to_owned()])));
        assert_eq!(Key::read_behind_duration("30.seconds").unwrap(), (Duration::from_secs(30), None));
        for wrong in ["5", "five per 10.minutes", "0 per 10.minutes", "5 per minute", "5 per 0.seconds"] {
            assert!(AtMost::read(wrong).unwrap_err().contains("such as 5 per 10.minutes by vm"), "{wrong}");
        }
        assert!(AtMost::read("5 per 10.minutes by hots").unwrap_err().contains("did you mean host?"));
        assert!(Key::read_behind_duration("soon").is_err());
    }

    #[test]
    fn a_firing_folds_what_follows_and_then_the_limit_holds() {
        let at_most = Some(AtMost { count: 2, per: Duration::from_secs(600) });
        let limits = Limits { at_most, group_within: Some(Duration::from_secs(30)), by: Key::default() };
        assert_eq!(limits.decide(&Past::default(), at(0)), Decision::Fire);
        let past = Past { last: Some(at(0)), fired: 1 };
        assert!(matches!(limits.decide(&past, at(29)), Decision::Group(_)));
        assert_eq!(limits.decide(&past, at(30)), Decision::Fire);
        let past = Past { last: Some(at(30)), fired: 2 };
        assert!(
            matches!(limits.decide(&past, at(61)), Decision::Suppress(why) if why.contains("10.minutes"))
        );
    }

    #[test]
    fn a_key_takes_what_names_the_vm_best() {
        let facts = |event| Facts { event: serde_json::from_value(event).unwrap(), ..Facts::default() };
        let vm = Key::read("vm").unwrap();
        assert_eq!(vm.of(&facts(json!({"vm_or_template_id": 7, "vm_ems_ref": "vm-7"}))), "vm=7");
        assert_eq!(vm.of(&facts(json!({"vm_ems_ref": "vm-7"}))), "vm=vm-7");
        assert_eq!(vm.of(&facts(json!({}))), "vm=");
        assert_eq!(Key::read("rule").unwrap().of(&facts(json!({}))), "");
    }
}
