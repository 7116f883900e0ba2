//! What stands in the cells of an event's row, and the words and links that other pages write alike.

use crate::clock;
use crate::http::html::Html;
use crate::http::layout::badge;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::timeline::refresh::{CausedRefresh, Progress};
use crate::vmdb::timeline::{EventResource, TimelineEvent};

/// Longer texts are cut in a table: a message may be as long as a provider likes.
const LONGEST: usize = 300;

/// The page of a resource.
pub(in crate::http) fn path_of(kind: ResourceKind, id: i64) -> String {
    let folder = match kind {
        ResourceKind::Vm => "vms",
        ResourceKind::Host => "hosts",
        ResourceKind::Cluster => "clusters",
        ResourceKind::Ems => "providers",
    };
    format!("/{folder}/{id}")
}

/// What the event is about.
pub(in crate::http) fn about(html: &mut Html, resource: &EventResource) {
    html.raw("<div><span class=\"kind\">");
    html.raw(match (resource.kind, resource.destination) {
        (ResourceKind::Vm, false) => "VM",
        (ResourceKind::Vm, true) => "to VM",
        (ResourceKind::Host, false) => "host",
        (ResourceKind::Host, true) => "to host",
        (ResourceKind::Cluster, false) => "cluster",
        (ResourceKind::Cluster, true) => "to cluster",
        (ResourceKind::Ems, _) => "EMS",
    });
    html.raw("</span> ");
    let name = resource.name.as_deref().map(cut);
    match resource.id {
        Some(id) => html.link(path_of(resource.kind, id), name.unwrap_or_else(|| id.to_string())),
        None => html.foreign(name.unwrap_or_default()),
    };
    html.raw("</div>");
}

/// The refresh that the event caused.
pub(in crate::http) fn refresh(html: &mut Html, event: &TimelineEvent) {
    let Some(CausedRefresh { kind, progress }) = &event.refresh else {
        html.raw("<span class=\"quiet\">none</span>");
        return;
    };
    let said = |words: &str| match kind {
        Some(kind) => format!("{kind}, {words}"),
        None => words.to_owned(),
    };
    match progress {
        Progress::Waiting => badge(html, "wait", "waiting"),
        Progress::Running => badge(html, "wait", "running"),
        Progress::Done(finished_on) => {
            let stored = event.created_on.unwrap_or(event.position.timestamp);
            html.text(said("done in ")).text(clock::in_words(*finished_on - stored));
        }
        Progress::Failed(error) => {
            badge(html, "bad", &said("failed"));
            html.raw("<span class=\"more\">").foreign(cut(error)).raw("</span>");
        }
        Progress::Retrying(error) => {
            badge(html, "wait", &said("failed, will be tried again"));
            html.raw("<span class=\"more\">").foreign(cut(error)).raw("</span>");
        }
        Progress::Past => drop(html.raw("<span class=\"quiet\">done, no longer recorded</span>")),
    }
}

/// As much of a text as a cell holds.
pub(in crate::http) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
