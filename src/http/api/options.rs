//! OPTIONS of a collection: what can be asked for; of `event_streams` also what ManageIQ's timeline builds its form from.

use super::record::Record;
use crate::settings::EventGroups;
use crate::settings::event_groups::LEVELS;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a collection knows.
#[derive(Serialize, ToSchema)]
pub(super) struct CollectionOptions {
    /// Columns, for `attributes`, `filter[]` and `sort_by`.
    attributes: Vec<&'static str>,
    /// Computed ones, for `attributes` and `filter[]`.
    virtual_attributes: Vec<&'static str>,
    /// Related records, for `attributes`.
    relationships: Vec<&'static str>,
    /// None.
    #[schema(value_type = Vec<String>, max_items = 0)]
    subcollections: [(); 0],
    /// More, of `event_streams` alone.
    data: OptionsData,
}

#[derive(Default, Serialize, ToSchema)]
struct OptionsData {
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline_events: Option<TimelineEvents>,
}

/// By the classes of ManageIQ.
#[derive(Serialize, ToSchema)]
struct TimelineEvents {
    #[serde(rename = "EmsEvent")]
    ems_event: TimelineClass,
    #[serde(rename = "MiqEvent")]
    miq_event: TimelineClass,
}

/// A class of events.
#[derive(Serialize, ToSchema)]
struct TimelineClass {
    /// What people read.
    description: &'static str,
    /// Key → name.
    group_names: BTreeMap<String, String>,
    /// Level → name.
    group_levels: BTreeMap<String, String>,
}

/// Of the collection of `R`.
pub(super) fn of<R: Record>(groups: &EventGroups) -> CollectionOptions {
    CollectionOptions {
        attributes: R::COLUMNS.iter().map(|column| column.name).collect(),
        virtual_attributes: R::COMPUTED.iter().map(|computed| computed.name).collect(),
        relationships: R::ASSOCIATIONS.iter().map(|association| association.name).collect(),
        subcollections: [],
        data: OptionsData { timeline_events: (R::TABLE == "event_streams").then(|| timeline_events(groups)) },
    }
}

fn timeline_events(groups: &EventGroups) -> TimelineEvents {
    let other = || [("other".to_owned(), "Other".to_owned())];
    let levels = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), capitalised(name))).collect();
    TimelineEvents {
        ems_event: TimelineClass {
            description: "Management Events",
            group_names: groups.names.iter().cloned().chain(other()).collect(),
            group_levels: levels(&LEVELS),
        },
        miq_event: TimelineClass {
            description: "Policy Events",
            group_names: other().into(),
            group_levels: levels(&["success", "failure", "detail"]),
        },
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
