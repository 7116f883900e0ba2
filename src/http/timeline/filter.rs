//! The query of a timeline page: what is filtered, which stretch of time, which page, and the links that change one of
//! these. Reading it is pure; what it means for the VMDB is in `choice`.

use super::window::Window;
use crate::settings::EventGroups;
use crate::settings::event_groups::LEVELS;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::timeline::Position;
use chrono::{DateTime, TimeDelta};
use std::collections::BTreeSet;
use url::form_urlencoded;

/// The stretch of time of a page that is asked for nothing.
pub(in crate::http) const LAST_DAY: Window = Window::Last(TimeDelta::hours(24));

/// The kinds of resource that a query can name by id: `vm=10`.
pub(in crate::http) const RESOURCE_KEYS: [(&str, ResourceKind); 3] =
    [("vm", ResourceKind::Vm), ("host", ResourceKind::Host), ("cluster", ResourceKind::Cluster)];

/// What a page was asked for. What it does not know is passed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::http) struct Filter {
    /// An EMS's name.
    pub(in crate::http) ems: Option<String>,
    /// One resource.
    pub(in crate::http) resource: Option<WantedResource>,
    /// Some of [`LEVELS`]; all when empty.
    pub(in crate::http) levels: BTreeSet<&'static str>,
    /// Keys of groups; all when empty.
    pub(in crate::http) groups: BTreeSet<String>,
    /// An event type.
    pub(in crate::http) event_type: Option<String>,
    /// A text that the event must hold.
    pub(in crate::http) text: Option<String>,
    /// The stretch of time; `None` is the page's own.
    pub(in crate::http) window: Option<Window>,
    /// Where the page before ended.
    pub(in crate::http) before: Option<Position>,
    /// Chains are not folded.
    pub(in crate::http) unfolded: bool,
    /// The page loads itself again.
    pub(in crate::http) follow: bool,
}

/// How a query names a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum WantedResource {
    /// By its row.
    Row(ResourceKind, i64),
    /// By its name or key, of whatever kind.
    Named(String),
}

impl Filter {
    /// Reads the part of a URL after the `?`.
    pub(in crate::http) fn parse(query: &str) -> Self {
        let mut filter = Self::default();
        let (mut last, mut since, mut until) = (None, None, None);
        for (key, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            match &*key {
                "ems" => filter.ems = Some(value.into_owned()),
                "resource" => filter.resource = Some(WantedResource::Named(value.into_owned())),
                "level" => filter.levels.extend(LEVELS.into_iter().find(|level| *level == value)),
                "group" => drop(filter.groups.insert(value.into_owned())),
                "type" => filter.event_type = Some(value.into_owned()),
                "text" => filter.text = Some(value.into_owned()),
                "last" => last = Some(value),
                "since" => since = Some(value),
                "until" => until = Some(value),
                "before" => filter.before = parse_position(&value),
                "unfolded" => filter.unfolded = value == "1",
                "follow" => filter.follow = value == "1",
                other => {
                    let known = RESOURCE_KEYS.into_iter().find(|(name, _)| *name == other);
                    let row =
                        known.zip(value.parse().ok()).map(|((_, kind), id)| WantedResource::Row(kind, id));
                    filter.resource = row.or(filter.resource);
                }
            }
        }
        // All of them is the same as none.
        if filter.levels.len() == LEVELS.len() {
            filter.levels.clear();
        }
        filter.window = Window::parse(last.as_deref(), since.as_deref(), until.as_deref());
        filter
    }

    /// The same as the part of a URL after the `?`; empty when nothing is asked for.
    pub(in crate::http) fn query_string(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (key, value) in self.fields() {
            query.append_pair(key, &value);
        }
        if let Some(window) = self.window {
            window.append(&mut query);
        }
        if let Some(at) = self.before {
            query.append_pair("before", &format!("{}-{}", at.timestamp.timestamp_micros(), at.id));
        }
        for (key, _) in
            [("unfolded", self.unfolded), ("follow", self.follow)].into_iter().filter(|(_, is)| *is)
        {
            query.append_pair(key, "1");
        }
        query.finish()
    }

    /// Names and values of what leaves out events, time excepted.
    pub(in crate::http) fn fields(&self) -> Vec<(&'static str, String)> {
        let ems = self.ems.clone().map(|name| ("ems", name));
        let resource = self.resource.as_ref().and_then(|resource| match resource {
            WantedResource::Named(name) => Some(("resource", name.clone())),
            WantedResource::Row(kind, id) => {
                let (key, _) = RESOURCE_KEYS.into_iter().find(|(_, known)| known == kind)?;
                Some((key, id.to_string()))
            }
        });
        let levels = LEVELS.into_iter().filter(|level| self.levels.contains(level));
        let levels = levels.map(|level| ("level", level.to_owned()));
        let groups = self.groups.iter().map(|group| ("group", group.clone()));
        let event_type = self.event_type.clone().map(|event_type| ("type", event_type));
        let text = self.text.clone().map(|text| ("text", text));
        ems.into_iter().chain(resource).chain(levels).chain(groups).chain(event_type).chain(text).collect()
    }

    /// The same as a link below `path`.
    pub(in crate::http) fn link(&self, path: &str) -> String {
        let query = self.query_string();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The same, from the newest event on.
    pub(in crate::http) fn first_page(&self) -> Self {
        Self { before: None, ..self.clone() }
    }

    /// The same, of another stretch of time.
    pub(in crate::http) fn within(&self, window: Window) -> Self {
        Self { window: Some(window), ..self.first_page() }
    }

    /// The same stretch of time, with nothing left out.
    pub(in crate::http) fn wide(&self) -> Self {
        Self { window: self.window, ..Self::default() }
    }

    /// With this level when it was without, and the reverse.
    pub(in crate::http) fn toggled_level(&self, level: &'static str) -> Self {
        let mut other = self.first_page();
        if !other.levels.remove(level) {
            other.levels.insert(level);
        }
        other
    }

    /// With this group when it was without, and the reverse.
    pub(in crate::http) fn toggled_group(&self, group: &str) -> Self {
        let mut other = self.first_page();
        if !other.groups.remove(group) {
            other.groups.insert(group.to_owned());
        }
        other
    }

    /// Whether it leaves out anything but time.
    pub(in crate::http) fn is_narrow(&self) -> bool {
        self.ems.is_some() || self.resource.is_some() || self.text.is_some() || self.narrows_types()
    }

    /// Whether it leaves out event types.
    pub(in crate::http) fn narrows_types(&self) -> bool {
        !self.levels.is_empty() || !self.groups.is_empty() || self.event_type.is_some()
    }

    /// Whether events of this type are shown.
    pub(in crate::http) fn shows(&self, groups: &EventGroups, event_type: &str) -> bool {
        if self.event_type.as_deref().is_some_and(|only| only != event_type) {
            return false;
        }
        let found = groups.group_and_level(event_type);
        (self.levels.is_empty() || self.levels.contains(found.level))
            && (self.groups.is_empty() || self.groups.contains(found.group))
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
            resource: Some(WantedResource::Named("web=1 & more".to_owned())),
            levels: BTreeSet::from(["critical", "warning"]),
            groups: BTreeSet::from(["power".to_owned(), "other".to_owned()]),
            event_type: Some("vm.create".to_owned()),
            text: Some("100 % + ?".to_owned()),
            window: Some(Window::Last(TimeDelta::minutes(90))),
            before: Some(Position {
                timestamp: DateTime::from_timestamp_micros(1_795_500_000_123_456).unwrap(),
                id: 42,
            }),
            unfolded: true,
            follow: true,
        };
        let link = filter.link("/");
        assert!(link.starts_with("/?ems=a%26b%3D%22%3Cc%3E+50%25+%C3%BC&resource=web%3D1+%26+more&level=critical&level=warning&group=other&group=power&"), "{link}");
        assert_eq!(Filter::parse(link.split_once('?').unwrap().1), filter);
        let of_vm = Filter { resource: Some(WantedResource::Row(ResourceKind::Vm, 7)), ..filter };
        assert_eq!(Filter::parse(&of_vm.query_string()), of_vm);
        assert_eq!(Filter::default().link("/vms/1"), "/vms/1");
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        let filter = Filter::parse(
            "level=loud&before=x-1&before=99999999999999999999-1&ems=&what=ever&follow=yes&vm=x&last=never&since=x",
        );
        assert_eq!(filter, Filter::default());
        assert!(!filter.is_narrow());
        assert_eq!(
            Filter::parse("level=critical&level=warning&level=detail"),
            Filter::default(),
            "all is none"
        );
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
        assert_eq!(shows("level=critical&level=detail&group=power"), [true, true, false]);
        assert_eq!(shows("group=power&level=detail"), [false, true, false]);
        assert_eq!(shows("group=other"), [false, false, true]);
        assert_eq!(shows("type=vm.stop&level=detail"), [false, false, false]);
        assert_eq!(shows("type=unlisted"), [false, false, true]);
    }

    #[test]
    fn a_level_or_group_is_toggled_alone() {
        let filter = Filter::parse("level=critical&group=power&text=x&before=1-1");
        assert_eq!(filter.toggled_level("critical").query_string(), "group=power&text=x");
        assert_eq!(
            filter.toggled_level("detail").query_string(),
            "level=critical&level=detail&group=power&text=x"
        );
        assert_eq!(filter.toggled_group("power").query_string(), "level=critical&text=x");
    }
}
