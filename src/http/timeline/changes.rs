//! Changes of the inventory as rows between the events: what changed of a resource, from what to what, and the event that it
//! followed from.

use super::cells::{cut, path_of};
use crate::http::html::Html;
use crate::http::layout::{badge, moment};
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::state_changes::StateChange;
use chrono::{DateTime, Utc};

/// What changed while events happened.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::http) struct Changes<'a> {
    /// Newest first.
    pub(in crate::http) rows: &'a [StateChange],
    /// The name of what changed, when it is one resource.
    pub(in crate::http) name: Option<&'a str>,
}

/// Writes a row of the table of events.
pub(in crate::http) fn row(html: &mut Html, change: &StateChange, name: Option<&str>, now: DateTime<Utc>) {
    html.raw("<tr class=\"change\"><td class=\"when\">");
    moment(html, change.changed_on, now);
    html.raw("</td><td class=\"how\">");
    badge(html, "changed", "change");
    html.raw("</td><td class=\"what\">");
    words(html, change);
    html.raw("</td><td class=\"about\">");
    resource(html, change, name);
    html.raw("</td><td class=\"ems\"></td><td class=\"refresh\">");
    if let Some((id, event_type)) = &change.event {
        html.raw("after <code>").link(format!("/events/{id}"), cut(event_type)).raw("</code>");
    } else if change.work_id.is_some() {
        html.raw("seen by a refresh");
    }
    html.raw("</td></tr>\n");
}

/// `power_state on → off`
pub(in crate::http) fn words(html: &mut Html, change: &StateChange) {
    html.text(change.attribute.replace('_', " ")).raw(" ");
    match &change.before {
        Some(before) => html.foreign(cut(before)),
        None => html.raw("<span class=\"quiet\">nothing</span>"),
    };
    html.raw(" <span aria-label=\"became\" role=\"img\">→</span> <strong>");
    match &change.after {
        Some(after) => html.foreign(cut(after)),
        None => html.raw("nothing"),
    };
    html.raw("</strong>");
}

/// The resource that changed.
pub(in crate::http) fn resource(html: &mut Html, change: &StateChange, name: Option<&str>) {
    let (noun, kind) = match change.resource_type.as_str() {
        "VmOrTemplate" => ("VM", Some(ResourceKind::Vm)),
        "Host" => ("host", Some(ResourceKind::Host)),
        "EmsCluster" => ("cluster", Some(ResourceKind::Cluster)),
        other => (other, None),
    };
    html.raw("<span class=\"kind\">").text(noun).raw("</span> ");
    let name = name.map_or_else(|| change.resource_id.to_string(), cut);
    match kind {
        Some(kind) => html.link(path_of(kind, change.resource_id), name),
        None => html.foreign(name),
    };
}
