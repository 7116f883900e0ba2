//! What a filter comes to in this VMDB: names become ids, groups and levels become event types.

use super::filter::{Filter, LAST_DAY, WantedResource};
use super::window::Window;
use crate::settings::EventGroups;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::resource_search::{self, FoundResource};
use crate::vmdb::timeline::{self, TimelineQuery};
use crate::vmdb::{Connection, VmdbError, ems};
use chrono::{DateTime, Utc};

/// What was found of what a filter names.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Choice {
    /// Which events are shown; `None`: it names an EMS or a resource that there is not, or several.
    pub(in crate::http) query: Option<TimelineQuery>,
    /// The resources that answer to the name that was asked for.
    pub(in crate::http) resources: Vec<FoundResource>,
}

impl Filter {
    /// The events that it asks for, without a limit on their number; `None` when it names an EMS or a resource that there
    /// is not, or several. A filter that says no time means the last 24 hours.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub(in crate::http) fn query(
        &self,
        connection: &mut Connection,
        groups: &EventGroups,
        now: DateTime<Utc>,
    ) -> Result<Option<TimelineQuery>, VmdbError> {
        Ok(self.choose(connection, groups, self.window_or(LAST_DAY).ends(now))?.query)
    }

    /// Its stretch of time, or the page's own.
    pub(in crate::http) fn window_or(&self, own: Window) -> Window {
        self.window.unwrap_or(own)
    }

    /// What it comes to between two points in time.
    pub(in crate::http) fn choose(
        &self,
        connection: &mut Connection,
        groups: &EventGroups,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Choice, VmdbError> {
        let ems_id = match &self.ems {
            None => None,
            Some(name) => match ems::list(connection)?.into_iter().find(|ems| ems.name == *name) {
                Some(ems) => Some(ems.id.0),
                None => return Ok(Choice::default()),
            },
        };
        let (resource, resources) = match &self.resource {
            None => (None, Vec::new()),
            Some(WantedResource::Row(kind, id)) => (Some((*kind, *id)), Vec::new()),
            Some(WantedResource::Named(name)) => match resource_search::find_named(connection, name)? {
                found if found.len() == 1 => (Some((found[0].kind, found[0].id)), found),
                several_or_none => return Ok(Choice { query: None, resources: several_or_none }),
            },
        };
        let query = TimelineQuery {
            resource,
            ems_id,
            event_types: self.event_types(connection, groups)?,
            text: self.text.clone(),
            since: Some(since),
            // What happened within this second is shown, and what a provider dates a little ahead.
            until: (!self.window.is_none_or(Window::is_open)).then_some(until),
            before: self.before,
            ..TimelineQuery::default()
        };
        Ok(Choice { query: Some(query), resources })
    }

    /// `None`: all.
    fn event_types(
        &self,
        connection: &mut Connection,
        groups: &EventGroups,
    ) -> Result<Option<Vec<String>>, VmdbError> {
        if !self.narrows_types() {
            return Ok(None);
        }
        let types = match &self.event_type {
            Some(only) => vec![only.clone()],
            None => timeline::event_types(connection)?,
        };
        Ok(Some(types.into_iter().filter(|name| self.shows(groups, name)).collect()))
    }

    /// The same, about one resource.
    pub(in crate::http) fn about(&self, kind: ResourceKind, id: i64) -> Self {
        Self { resource: Some(WantedResource::Row(kind, id)), ..self.first_page() }
    }
}
