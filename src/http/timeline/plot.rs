//! Lanes, bands and the time axis as SVG: no script, no inline style. What they show is said in words too.
//!
//! Bars are strokes of one path for each lane and level, so that a page stays small; a script reads the numbers from
//! `data-bars`.

use super::axis;
use super::bands_list::{self, NamedBand};
use super::lanes::{Lane, Lanes};
use crate::http::html::Html;
use crate::settings::event_groups::LEVELS;
use crate::vmdb::timeline::bands::BandKind;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::fmt::Write;

/// A lane's height and its highest bar's, in pixels.
const LANE: i64 = 30;
const HIGHEST: i64 = 25;
/// The axis below the lanes, in pixels.
const AXIS: i64 = 22;
/// Width of a bar, and of its stroke, in the drawing's own measure, which is stretched to the page.
const BAR: i64 = 10;
const STROKE: i64 = 9;

/// A link for a stretch of time.
type LinkBetween<'a> = &'a dyn Fn(DateTime<Utc>, DateTime<Utc>) -> String;

/// Writes the drawing; `zoomed` is the link to a stretch of time.
pub(in crate::http) fn draw(html: &mut Html, lanes: &Lanes, bands: &[NamedBand], zoomed: LinkBetween<'_>) {
    let height = LANE * lanes.lanes.len().max(1) as i64;
    html.raw("<div class=\"canvas\" id=\"canvas\" data-since=\"").text(rfc3339(lanes.since));
    html.raw("\" data-until=\"").text(rfc3339(lanes.until));
    html.raw("\" data-first=\"").text(rfc3339(lanes.starts(0))).raw("\" data-width=\"");
    html.text(lanes.width.num_seconds().to_string())
        .raw("\">\n<svg class=\"bars\" role=\"img\" aria-label=\"");
    html.text(in_words(lanes, bands.len())).raw("\" width=\"100%\" height=\"").number(height).raw("\">\n");
    html.raw(PATTERNS);
    for band in bands {
        draw_band(html, lanes, band);
    }
    for number in 1..=lanes.lanes.len() as i64 {
        html.raw("<line class=\"base\" x2=\"100%\" y1=\"").number(number * LANE - 1);
        html.raw("\" y2=\"").number(number * LANE - 1).raw("\"/>");
    }
    html.raw("\n<svg viewBox=\"").text(visible(lanes)).raw(" ").number(height);
    html.raw("\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\" stroke-width=\"").number(STROKE);
    html.raw("\">\n");
    for (number, lane) in lanes.lanes.iter().enumerate() {
        draw_lane(html, lane, (number as i64 + 1) * LANE - 1);
    }
    html.raw("</svg>\n</svg>\n");
    draw_axis(html, lanes, zoomed);
    html.raw("</div>\n");
}

/// Lost is crossed, nobody there is hatched: told apart without colour.
const PATTERNS: &str = "<defs><pattern id=\"lost\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
    <path d=\"M0 0l8 8M8 0l-8 8\"/></pattern><pattern id=\"down\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\">\
    <path d=\"M-1 8l9-9M-2 2l4-4M5 9l4-4\"/></pattern></defs>\n";

fn draw_band(html: &mut Html, lanes: &Lanes, band: &NamedBand) {
    let from = band.band.from.map_or(0.0, |from| share(lanes, from));
    let to = band.band.to.map_or(1.0, |to| share(lanes, to));
    let class = match band.band.kind {
        BandKind::Lost => "lost",
        BandKind::CatcherDown => "down",
    };
    html.raw("<g class=\"band ")
        .raw(class)
        .raw("\"><title>")
        .text(bands_list::in_words(band))
        .raw("</title>");
    html.raw("<rect x=\"").text(percent(from)).raw("\" width=\"").text(percent((to - from).max(0.002)));
    html.raw("\" height=\"100%\"/></g>\n");
}

/// The part of the drawing that is seen: the first and the last bar may reach beyond the stretch.
fn visible(lanes: &Lanes) -> String {
    let bars = |span: TimeDelta| micros(span) / micros(lanes.width).max(1.0) * BAR as f64;
    format!("{:.2} 0 {:.2}", bars(lanes.since - lanes.starts(0)), bars(lanes.until - lanes.since))
}

fn draw_lane(html: &mut Html, lane: &Lane, foot: i64) {
    let most = lane.most().max(1);
    let mut paths = [const { String::new() }; 3];
    for (bar, counts) in &lane.bars {
        let mut below = foot;
        // Critical stands at the foot, where bars can be compared.
        for (path, count) in paths.iter_mut().zip(counts).filter(|(_, count)| **count > 0) {
            // What there is must be seen, however little it is.
            let height = (count * HIGHEST / most).max(2);
            // Writing to a String cannot fail.
            let _ = write!(path, "M{} {below}v-{height}", bar * BAR + BAR / 2);
            below -= height;
        }
    }
    html.raw("<g data-lane=\"").text(&lane.name).raw("\" data-bars=\"").text(data(lane)).raw("\">");
    for (level, path) in LEVELS.into_iter().zip(paths).filter(|(_, path)| !path.is_empty()) {
        html.raw("<path class=\"").text(level).raw("\" d=\"").text(path).raw("\"/>");
    }
    html.raw("</g>\n");
}

/// A bar after the other, `critical.warning.detail` between commas; what is 0 is left out.
fn data(lane: &Lane) -> String {
    let mut text = String::new();
    let mut next = 0;
    for (bar, counts) in &lane.bars {
        (next..*bar).for_each(|_| text.push(','));
        next = *bar;
        let [critical, warning, detail] =
            counts.map(|count| if count > 0 { count.to_string() } else { String::new() });
        text += format!("{critical}.{warning}.{detail}").trim_end_matches('.');
    }
    text
}

/// Every mark is a link to the stretch that it begins, for whoever has no pointer or no script.
fn draw_axis(html: &mut Html, lanes: &Lanes, zoomed: LinkBetween<'_>) {
    html.raw("<svg class=\"axis\" role=\"group\" aria-label=\"Time axis: each mark shows the time from it to the next\"");
    html.raw(" width=\"100%\" height=\"").number(AXIS).raw("\">\n");
    for mark in axis::marks(lanes.since, lanes.until) {
        let at = percent(share(lanes, mark.at));
        html.raw("<g><line x1=\"").text(&at).raw("\" x2=\"").text(&at).raw("\" y2=\"5\"/><a href=\"");
        html.text(zoomed(mark.at, mark.next)).raw("\"><text x=\"").text(&at).raw("\" y=\"17\" data-at=\"");
        html.text(rfc3339(mark.at)).raw("\">").text(mark.words).raw("</text></a></g>\n");
    }
    html.raw("</svg>\n");
}

/// What somebody is told who does not see the drawing.
fn in_words(lanes: &Lanes, bands: usize) -> String {
    let mut words = format!("{} events", lanes.total());
    for lane in &lanes.lanes {
        let [critical, warning, detail] = lane.totals();
        let _ = write!(words, "; {}: {critical} critical, {warning} warning, {detail} detail", lane.name);
        if let Some((bar, _)) = lane.bars.iter().max_by_key(|(_, bar)| bar.iter().sum::<i64>()) {
            let _ =
                write!(words, ", most ({}) at {}", lane.most(), lanes.starts(*bar).format("%d %b %H:%M UTC"));
        }
    }
    if bands > 0 {
        let _ = write!(words, "; {bands} stretches of missing or late events, listed below");
    }
    words
}

/// How far into the stretch a point in time lies, from 0 to 1.
fn share(lanes: &Lanes, at: DateTime<Utc>) -> f64 {
    (micros(at - lanes.since) / micros(lanes.until - lanes.since).max(1.0)).clamp(0.0, 1.0)
}

fn micros(span: TimeDelta) -> f64 {
    span.num_microseconds().unwrap_or(i64::MAX) as f64
}

fn percent(share: f64) -> String {
    format!("{:.3}%", share * 100.0)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vmdb::timeline::bands::Band;
    use chrono::TimeZone;
    use std::collections::BTreeMap;

    fn drawn(bands: &[NamedBand]) -> String {
        let since = Utc.with_ymd_and_hms(2026, 11, 24, 10, 0, 0).unwrap();
        let bars = BTreeMap::from([(0, [1, 0, 200]), (3, [0, 0, 1])]);
        let lanes = Lanes {
            since,
            until: since + TimeDelta::hours(1),
            width: TimeDelta::minutes(15),
            lanes: vec![Lane { group: "power".to_owned(), name: "Power <Activity>".to_owned(), bars }],
            by_level: [1, 0, 201],
            by_group: vec![],
            types: vec![("vm.stop".to_owned(), 202)],
        };
        let mut html = Html::new();
        draw(&mut html, &lanes, bands, &|since, until| {
            format!("/?{}-{}", since.format("%H%M"), until.format("%H%M"))
        });
        html.finish()
    }

    #[test]
    fn bars_are_stacked_from_the_foot_and_what_there_is_is_seen() {
        let svg = drawn(&[]);
        assert!(svg.contains("<svg viewBox=\"0.00 0 40.00 30\""), "{svg}");
        assert!(svg.contains("<path class=\"critical\" d=\"M5 29v-2\"/>"), "{svg}");
        assert!(svg.contains("<path class=\"detail\" d=\"M5 27v-24M35 29v-2\"/>"), "{svg}");
        assert!(svg.contains("data-lane=\"Power &lt;Activity&gt;\" data-bars=\"1..200,,,..1\""), "{svg}");
        let words = "202 events; Power &lt;Activity&gt;: 1 critical, 0 warning, 201 detail, most (201) at 24 Nov 10:00 UTC";
        assert!(svg.contains(words), "{svg}");
    }

    #[test]
    fn each_mark_of_the_axis_leads_to_its_stretch() {
        let svg = drawn(&[]);
        assert!(svg.contains("<a href=\"/?1010-1020\"><text x=\"16.667%\" y=\"17\" data-at=\"2026-11-24T10:10:00Z\">10:10</text>"), "{svg}");
    }

    #[test]
    fn a_band_is_cut_at_the_ends_of_the_stretch_and_says_what_it_is() {
        let time = |minute| Utc.with_ymd_and_hms(2026, 11, 24, 10, minute, 0).unwrap();
        let band = |kind, from, to| NamedBand {
            ems: "demo".to_owned(),
            band: Band { ems_id: crate::provider::EmsId(1), kind, from, to, reason: "a <reason>".to_owned() },
        };
        let lost = band(BandKind::Lost, None, Some(time(15)));
        let down = band(BandKind::CatcherDown, Some(time(45)), None);
        let svg = drawn(&[lost, down]);
        assert!(
            svg.contains("<g class=\"band lost\"><title>demo: events were lost at the provider"),
            "{svg}"
        );
        assert!(svg.contains("<rect x=\"0.000%\" width=\"25.000%\" height=\"100%\"/>"), "{svg}");
        assert!(svg.contains("<rect x=\"75.000%\" width=\"25.000%\" height=\"100%\"/>"), "{svg}");
        assert!(svg.contains("a &lt;reason&gt;"), "{svg}");
    }
}
