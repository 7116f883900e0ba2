//! Stretches of missing or late events in words, below the histogram that shows them as bands.

use crate::http::html::Html;
use crate::http::layout::moment;
use crate::vmdb::timeline::bands::{Band, BandKind};
use chrono::{DateTime, Utc};

/// More are counted, not listed.
const LISTED: usize = 6;

/// A band with the name of its EMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct NamedBand {
    /// The EMS's name.
    pub(in crate::http) ems: String,
    /// The band.
    pub(in crate::http) band: Band,
}

fn what(kind: BandKind) -> &'static str {
    match kind {
        BandKind::Lost => "events were lost at the provider",
        BandKind::CatcherDown => "nobody caught events; those that the provider kept came later",
    }
}

/// One of them as a sentence, in UTC.
pub(in crate::http) fn in_words(band: &NamedBand) -> String {
    let time = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let from = band.band.from.map_or_else(|| "the beginning".to_owned(), time);
    let to = band.band.to.map_or_else(|| "now".to_owned(), time);
    format!("{}: {} from {from} to {to}: {}", band.ems, what(band.band.kind), band.band.reason)
}

/// Writes the latest of them.
pub(in crate::http) fn write(html: &mut Html, bands: &[NamedBand], now: DateTime<Utc>) {
    if bands.is_empty() {
        return;
    }
    html.raw("<ul class=\"bands\" aria-label=\"Missing or late events\">\n");
    for band in bands.iter().rev().take(LISTED) {
        let class = if band.band.kind == BandKind::Lost { "lost" } else { "down" };
        html.raw("<li class=\"").raw(class).raw("\"><strong>").foreign(&band.ems).raw("</strong> ");
        html.raw(what(band.band.kind)).raw(", from ");
        match band.band.from {
            Some(from) => moment(html, from, now),
            None => drop(html.raw("the beginning")),
        }
        html.raw(" to ");
        match band.band.to {
            Some(to) => moment(html, to, now),
            None => drop(html.raw("now")),
        }
        html.raw(": ").foreign(&band.band.reason).raw("</li>\n");
    }
    if bands.len() > LISTED {
        html.raw("<li>and ").count((bands.len() - LISTED) as i64).raw(" more in this time</li>\n");
    }
    html.raw("</ul>\n");
}
