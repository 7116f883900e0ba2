//! `/`: everything, of the last 24 hours unless another stretch of time is asked for.

use super::filter::{Filter, LAST_DAY};
use super::states;
use super::view::{Shown, View};
use crate::http::layout::{self, Frame};
use crate::observe::Observe;
use crate::settings::EventGroups;
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};

/// What the page was asked for, and by which settings.
pub(in crate::http) struct TimelinePage<'a> {
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    pub(in crate::http) now: DateTime<Utc>,
}

impl TimelinePage<'_> {
    fn view(&self) -> View<'_> {
        let (filter, groups, now) = (self.filter, self.groups, self.now);
        View { path: "/", filter, groups, own_window: LAST_DAY, about: None, now }
    }

    pub(in crate::http) fn read(&self, connection: &mut Connection) -> Result<Shown, VmdbError> {
        self.view().read(connection)
    }

    pub(in crate::http) fn write(&self, shown: &Shown, observe: &Observe) -> String {
        let frame = Frame { title: "Timeline", now: self.now, follow: self.filter.follow };
        layout::page(&frame, |html| {
            states::strip(html, &shown.all_ems, observe);
            self.view().write(html, shown);
        })
    }
}
