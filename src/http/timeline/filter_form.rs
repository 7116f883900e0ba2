//! How a timeline is filtered: a plain form above the events. What is chosen elsewhere on the page goes along in it.

use super::filter::{Filter, WantedResource};
use crate::http::html::Html;
use crate::settings::EventGroups;

/// More event types than this are not offered; they can still be typed.
const OFFERED_TYPES: usize = 60;
/// More EMSs than this are typed instead of chosen.
const OFFERED_EMS: usize = 100;

/// The form.
pub(in crate::http) struct FilterForm<'a> {
    pub(in crate::http) path: &'a str,
    pub(in crate::http) filter: &'a Filter,
    pub(in crate::http) groups: &'a EventGroups,
    /// Offered when there are any: a resource's page has one EMS.
    pub(in crate::http) ems_names: &'a [&'a str],
    /// Those that occurred, the most frequent first.
    pub(in crate::http) types: &'a [(String, i64)],
}

impl FilterForm<'_> {
    pub(in crate::http) fn write(&self, html: &mut Html) {
        let filter = self.filter;
        html.raw("<form class=\"filter\" method=\"get\" action=\"")
            .text(self.path)
            .raw("\" role=\"search\">\n");
        // What the form has no field for.
        let window = filter.window.map(|window| window.fields()).unwrap_or_default();
        let kept = filter
            .fields()
            .into_iter()
            .filter(|(key, _)| !["ems", "resource", "group", "type", "text"].contains(key));
        for (name, value) in window.into_iter().chain(kept) {
            html.raw("<input type=\"hidden\" name=\"").raw(name).raw("\" value=\"").text(value).raw("\">\n");
        }
        field(html, ("text", "Search", "type, message, name"), filter.text.as_deref(), None);
        if !self.ems_names.is_empty() {
            self.ems(html);
            let named = match &filter.resource {
                Some(WantedResource::Named(name)) => Some(name.as_str()),
                _ => None,
            };
            field(html, ("resource", "VM, host, cluster", "name or key"), named, None);
        }
        self.group(html);
        field(html, ("type", "Event type", ""), filter.event_type.as_deref(), Some("types"));
        html.raw("<datalist id=\"types\">");
        for (event_type, _) in self.types.iter().take(OFFERED_TYPES) {
            html.raw("<option value=\"").text(event_type).raw("\">");
        }
        html.raw("</datalist>\n<button>Filter</button>\n</form>\n");
    }

    fn ems(&self, html: &mut Html) {
        if self.ems_names.len() > OFFERED_EMS {
            field(html, ("ems", "EMS", "its whole name"), self.filter.ems.as_deref(), None);
            return;
        }
        let names = self.ems_names.iter().map(|name| (*name, *name));
        let chosen: Vec<&str> = self.filter.ems.as_deref().into_iter().collect();
        select(html, ("ems", "EMS"), &chosen, names);
    }

    /// One more can be chosen here; those that are chosen go along.
    fn group(&self, html: &mut Html) {
        let named = self.groups.names.iter().map(|(key, name)| (key.as_str(), name.as_str()));
        let chosen: Vec<&str> = self.filter.groups.iter().map(String::as_str).collect();
        for group in chosen.iter().skip(1) {
            html.raw("<input type=\"hidden\" name=\"group\" value=\"").text(group).raw("\">\n");
        }
        select(html, ("group", "Group"), &chosen[..chosen.len().min(1)], named.chain([("other", "Other")]));
    }
}

fn field(
    html: &mut Html,
    (name, label, hint): (&'static str, &'static str, &'static str),
    value: Option<&str>,
    list: Option<&'static str>,
) {
    html.raw("<label class=\"").raw(name).raw("\">").raw(label).raw("<input name=\"").raw(name);
    html.raw("\" autocomplete=\"off\" spellcheck=\"false\"");
    if !hint.is_empty() {
        html.raw(" placeholder=\"").raw(hint).raw("\"");
    }
    if let Some(list) = list {
        html.raw(" list=\"").raw(list).raw("\"");
    }
    html.raw(" value=\"").text(value.unwrap_or_default()).raw("\"></label>\n");
}

fn select<'o>(
    html: &mut Html,
    (name, label): (&'static str, &'static str),
    chosen: &[&str],
    options: impl Iterator<Item = (&'o str, &'o str)>,
) {
    html.raw("<label>").raw(label).raw("<select name=\"").raw(name).raw("\"><option value=\"\">all</option>");
    for (value, words) in options {
        html.raw("<option value=\"").text(value).raw("\"");
        if chosen.contains(&value) {
            html.raw(" selected");
        }
        html.raw(">").text(words).raw("</option>");
    }
    html.raw("</select></label>\n");
}
