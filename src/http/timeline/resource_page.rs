//! `/vms/:id`, `/hosts/:id`, `/clusters/:id`, `/providers/:id`: one resource, its facts and its events.

use super::cells::path_of;
use super::filter::{Filter, LAST_DAY};
use super::view::{Shown, View};
use super::window::Window;
use crate::http::html::Html;
use crate::http::layout::{self, Frame, age};
use crate::settings::EventGroups;
use crate::vmdb::resource::{Fact, Resource, ResourceKind};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};

/// What the page was asked for, and by which settings.
pub(in crate::http) struct ResourcePage<'a> {
    pub(in crate::http) kind: ResourceKind,
    pub(in crate::http) id: i64,
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    pub(in crate::http) now: DateTime<Utc>,
}

impl ResourcePage<'_> {
    fn view<'v>(&'v self, path: &'v str) -> View<'v> {
        // Little happens to one resource, and much to an EMS.
        let own_window = match self.kind {
            ResourceKind::Ems => LAST_DAY,
            ResourceKind::Vm | ResourceKind::Host | ResourceKind::Cluster => {
                Window::Last(TimeDelta::days(30))
            }
        };
        let about = Some((self.kind, self.id));
        View { path, filter: self.filter, groups: self.groups, own_window, about, now: self.now }
    }

    /// Without a resource when there is none.
    pub(in crate::http) fn read(&self, connection: &mut Connection) -> Result<Shown, VmdbError> {
        self.view("").read(connection)
    }

    pub(in crate::http) fn write(&self, shown: &Shown, resource: &Resource) -> String {
        let title = format!("{} {}", self.kind.noun(), resource.name);
        let frame = Frame { title: &title, now: self.now, follow: self.filter.follow };
        layout::page(&frame, |html| {
            self.facts(html, resource);
            self.view(&path_of(self.kind, self.id)).write(html, shown);
        })
    }

    fn facts(&self, html: &mut Html, resource: &Resource) {
        html.raw("<section aria-label=\"Facts\"><dl class=\"facts\">\n");
        // The heading tells its name.
        for (label, fact) in resource.facts.iter().filter(|(label, _)| *label != "Name") {
            html.raw("<div><dt>").raw(label).raw("</dt><dd>");
            match fact {
                Fact::Text(text) => drop(html.foreign(text)),
                Fact::Time(time) => age(html, *time, self.now),
                Fact::Link(kind, id, name) => drop(html.link(path_of(*kind, *id), name)),
            }
            html.raw("</dd></div>\n");
        }
        html.raw("</dl></section>\n");
    }
}
