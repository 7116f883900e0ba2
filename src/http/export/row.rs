//! An event as a row of an export.

use crate::settings::EventGroups;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::timeline::TimelineEvent;
use crate::vmdb::timeline::refresh::Progress;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// The names of the columns, in order.
pub(super) const COLUMNS: [&str; 14] = [
    "id",
    "timestamp",
    "created_on",
    "ems_id",
    "ems",
    "event_type",
    "group",
    "level",
    "message",
    "vms",
    "hosts",
    "clusters",
    "folded",
    "refresh",
];

/// An event.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row<'e> {
    pub(super) id: i64,
    pub(super) timestamp: String,
    pub(super) created_on: Option<String>,
    pub(super) ems_id: Option<i64>,
    pub(super) ems: Option<&'e str>,
    pub(super) event_type: &'e str,
    pub(super) group: &'e str,
    pub(super) level: &'static str,
    pub(super) message: Option<&'e str>,
    /// Names, else ids, of the VMs that the event is about.
    pub(super) vms: Vec<String>,
    /// The same of hosts.
    pub(super) hosts: Vec<String>,
    /// The same of clusters.
    pub(super) clusters: Vec<String>,
    /// Repeats that were folded into it.
    pub(super) folded: i64,
    /// How far the refresh got that it caused.
    pub(super) refresh: Option<String>,
}

impl<'e> Row<'e> {
    pub(super) fn new(
        event: &'e TimelineEvent,
        groups: &'e EventGroups,
        emss: &'e BTreeMap<i64, String>,
    ) -> Self {
        let found = groups.group_and_level(&event.event_type);
        Self {
            id: event.position.id,
            timestamp: written(event.position.timestamp),
            created_on: event.created_on.map(written),
            ems_id: event.ems_id,
            ems: event.ems_id.and_then(|id| emss.get(&id)).map(String::as_str),
            event_type: &event.event_type,
            group: found.group,
            level: found.level,
            message: event.message.as_deref(),
            vms: resources(event, ResourceKind::Vm),
            hosts: resources(event, ResourceKind::Host),
            clusters: resources(event, ResourceKind::Cluster),
            folded: event.folded,
            refresh: event.refresh.as_ref().map(|refresh| progress(&refresh.progress)),
        }
    }

    /// The values in the order of [`COLUMNS`].
    pub(super) fn cells(&self) -> [String; 14] {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        [
            self.id.to_string(),
            self.timestamp.clone(),
            text(self.created_on.as_deref()),
            self.ems_id.map(|id| id.to_string()).unwrap_or_default(),
            text(self.ems),
            self.event_type.to_owned(),
            self.group.to_owned(),
            self.level.to_owned(),
            text(self.message),
            self.vms.join(", "),
            self.hosts.join(", "),
            self.clusters.join(", "),
            self.folded.to_string(),
            text(self.refresh.as_deref()),
        ]
    }
}

fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn resources(event: &TimelineEvent, kind: ResourceKind) -> Vec<String> {
    let of_kind = event.resources.iter().filter(|resource| resource.kind == kind);
    of_kind.filter_map(|it| it.name.clone().or_else(|| it.id.map(|id| id.to_string()))).collect()
}

fn progress(progress: &Progress) -> String {
    match progress {
        Progress::Waiting => "waiting".to_owned(),
        Progress::Running => "running".to_owned(),
        Progress::Done(time) => format!("done {}", written(*time)),
        Progress::Failed(error) => format!("failed: {error}"),
        Progress::Retrying(error) => format!("failed, will be tried again: {error}"),
        Progress::Past => "done".to_owned(),
    }
}
