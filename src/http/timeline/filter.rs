//! The query of a timeline page: what is filtered, which page, and the links that change one of these.

use crate::settings::EventGroups;
use crate::settings::event_groups::LEVELS;
use crate::vmdb::timeline::Position;
use chrono::DateTime;
use url::form_urlencoded;

/// What a page was asked for. What it does not know is passed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::http) struct Filter {
    /// An EMS's name.
    pub(in crate::http) ems: Option<String>,
    /// One of [`LEVELS`].
    pub(in crate::http) level: Option<&'static str>,
    /// A group's key.
    pub(in crate::http) group: Option<String>,
    /// An event type.
    pub(in crate::http) event_type: Option<String>,
    /// Where the page before ended.
    pub(in crate::http) before: Option<Position>,
    /// The page loads itself again.
    pub(in crate::http) follow: bool,
}

impl Filter {
    pub(in crate::http) fn parse(query: &str) -> Self {
        let mut filter = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            match &*key {
                "ems" => filter.ems = Some(value.into_owned()),
                "level" => filter.level = LEVELS.into_iter().find(|level| *level == value),
                "group" => filter.group = Some(value.into_owned()),
                "type" => filter.event_type = Some(value.into_owned()),
                "before" => filter.before = parse_position(&value),
                "follow" => filter.follow = value == "1",
                _ => {}
            }
        }
        filter
    }

    /// The same as a link below `path`.
    pub(in crate::http) fn link(&self, path: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let position = self.before.map(|at| format!("{}-{}", at.timestamp.timestamp_micros(), at.id));
        for (key, value) in [
            ("ems", self.ems.as_deref()),
            ("level", self.level),
            ("group", self.group.as_deref()),
            ("type", self.event_type.as_deref()),
            ("before", position.as_deref()),
            ("follow", self.follow.then_some("1")),
        ] {
            if let Some(value) = value {
                query.append_pair(key, value);
            }
        }
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The same, from the newest event on.
    pub(in crate::http) fn first_page(&self) -> Self {
        Self { before: None, ..self.clone() }
    }

    /// Whether it leaves out anything.
    pub(in crate::http) fn is_narrow(&self) -> bool {
        self.ems.is_some() || self.narrows_types()
    }

    /// Whether it leaves out event types.
    pub(in crate::http) fn narrows_types(&self) -> bool {
        self.level.is_some() || self.group.is_some() || self.event_type.is_some()
    }

    /// Whether events of this type are shown.
    pub(in crate::http) fn shows(&self, groups: &EventGroups, event_type: &str) -> bool {
        if self.event_type.as_deref().is_some_and(|only| only != event_type) {
            return false;
        }
        let found = groups.group_and_level(event_type);
        self.level.is_none_or(|level| level == found.level)
            && self.group.as_deref().is_none_or(|group| group == found.group)
    }
}

fn parse_position(text: &str) -> Option<Position> {
    let (micros, id) = text.rsplit_once('-')?;
    Some(Position { timestamp: DateTime::from_timestamp_micros(micros.parse().ok()?)?, id: id.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_its_own_link_whatever_the_names_hold() {
        let filter = Filter {
            ems: Some("a&b=\"<c> 50% ü".to_owned()),
            level: Some("critical"),
            group: Some("power".to_owned()),
            event_type: Some("vm.create".to_owned()),
            before: Some(Position {
                timestamp: DateTime::from_timestamp_micros(1_795_500_000_123_456).unwrap(),
                id: 42,
            }),
            follow: true,
        };
        let link = filter.link("/");
        assert!(link.starts_with("/?ems=a%26b%3D%22%3Cc%3E+50%25+%C3%BC&level=critical"), "{link}");
        assert_eq!(Filter::parse(link.split_once('?').unwrap().1), filter);
        assert_eq!(Filter::default().link("/vms/1"), "/vms/1");
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        let filter =
            Filter::parse("level=loud&before=x-1&before=99999999999999999999-1&ems=&what=ever&follow=yes");
        assert_eq!(filter, Filter::default());
        assert!(!filter.is_narrow());
    }

    #[test]
    fn types_are_chosen_by_group_and_level() {
        let mut groups = EventGroups::default();
        let power = groups.add_group("power", "Power Activity");
        groups.list(power, "critical", "vm.stop").unwrap();
        groups.list(power, "detail", "vm.start").unwrap();
        let shows = |query| {
            let filter = Filter::parse(query);
            ["vm.stop", "vm.start", "unlisted"].map(|event_type| filter.shows(&groups, event_type))
        };
        assert_eq!(shows(""), [true, true, true]);
        assert_eq!(shows("level=critical"), [true, false, false]);
        assert_eq!(shows("group=power&level=detail"), [false, true, false]);
        assert_eq!(shows("group=other"), [false, false, true]);
        assert_eq!(shows("type=vm.start"), [false, true, false]);
    }
}
