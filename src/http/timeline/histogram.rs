//! Events per hour as bars of the three levels: an SVG made here, without script or inline style.

use crate::http::html::Html;
use crate::settings::event_groups::LEVELS;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Hours that are shown, the current one included.
const HOURS: usize = 25;
const STEP: i64 = 40;
const WIDTH: i64 = STEP * HOURS as i64;
const HEIGHT: i64 = 120;
const BOTTOM: i64 = 20;

/// Counts of one hour, by level in the order of [`LEVELS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Hour {
    starts: DateTime<Utc>,
    counts: [i64; 3],
}

impl Hour {
    fn total(&self) -> i64 {
        self.counts.iter().sum()
    }
}

/// The last hours until `now`; `counts` is by `2026-11-24 15` and level.
pub(in crate::http) fn hours(
    now: DateTime<Utc>,
    counts: &BTreeMap<(String, &'static str), i64>,
) -> Vec<Hour> {
    let current = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let hour = |back: usize| {
        let starts = current - TimeDelta::hours(back as i64);
        let key = starts.format("%Y-%m-%d %H").to_string();
        Hour { starts, counts: LEVELS.map(|level| counts.get(&(key.clone(), level)).copied().unwrap_or(0)) }
    };
    (0..HOURS).rev().map(hour).collect()
}

/// Writes the bars. What they show is said in words too.
pub(in crate::http) fn draw(html: &mut Html, hours: &[Hour]) {
    let most = hours.iter().map(Hour::total).max().unwrap_or(0);
    let total: i64 = hours.iter().map(Hour::total).sum();
    html.raw("<svg class=\"histogram\" role=\"img\" aria-labelledby=\"histogram-title\" viewBox=\"0 0 ")
        .number(WIDTH);
    html.raw(" ").number(HEIGHT + BOTTOM).raw("\">\n<title id=\"histogram-title\">").number(total);
    html.raw(" events in the last 24 hours; at most ").number(most).raw(" in one hour</title>\n");
    for (index, hour) in hours.iter().enumerate() {
        bar(html, hour, index as i64 * STEP, most.max(1));
    }
    html.raw("<line class=\"axis\" x1=\"0\" x2=\"").number(WIDTH).raw("\" y1=\"").number(HEIGHT);
    html.raw("\" y2=\"").number(HEIGHT).raw("\"/>\n</svg>\n");
}

fn bar(html: &mut Html, hour: &Hour, x: i64, most: i64) {
    html.raw("<g><title>").text(hour.starts.format("%d %b %H:00 UTC: ").to_string()).number(hour.total());
    html.raw(" events");
    for (level, count) in LEVELS.iter().zip(hour.counts).filter(|(_, count)| *count > 0) {
        html.raw(", ").number(count).raw(" ").text(*level);
    }
    // The whole column answers to the pointer, not only its bar.
    html.raw("</title><rect x=\"").number(x).raw("\" y=\"0\" width=\"").number(STEP).raw("\" height=\"");
    html.number(HEIGHT).raw("\" fill-opacity=\"0\"/>");
    let mut below = HEIGHT;
    // Critical stands at the foot, where bars can be compared.
    for (level, count) in LEVELS.iter().zip(hour.counts).filter(|(_, count)| *count > 0) {
        // What there is must be seen, however little it is.
        let height = (count * (HEIGHT - 6) / most).max(2);
        below -= height;
        html.raw("<rect class=\"").text(*level).raw("\" x=\"").number(x + 4).raw("\" y=\"").number(below);
        html.raw("\" width=\"").number(STEP - 8).raw("\" height=\"").number(height).raw("\"/>");
    }
    if hour.starts.format("%H").to_string().parse::<u32>().is_ok_and(|hour| hour % 3 == 0) {
        html.raw("<text x=\"").number(x + STEP / 2).raw("\" y=\"").number(HEIGHT + BOTTOM - 5);
        html.raw("\" text-anchor=\"middle\">").text(hour.starts.format("%H:00").to_string()).raw("</text>");
    }
    html.raw("</g>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn every_hour_has_its_bar_and_says_its_numbers() {
        let now = Utc.with_ymd_and_hms(2026, 11, 24, 15, 4, 5).unwrap();
        let counts = BTreeMap::from([
            (("2026-11-24 15".to_owned(), "critical"), 1),
            (("2026-11-24 15".to_owned(), "detail"), 200),
            (("2026-11-23 15".to_owned(), "warning"), 3),
            (("2026-11-23 14".to_owned(), "warning"), 3),
        ]);
        let hours = hours(now, &counts);
        assert_eq!(hours.len(), HOURS);
        assert_eq!(hours.iter().map(Hour::total).sum::<i64>(), 204, "the hour before the window is left out");
        let mut html = Html::new();
        draw(&mut html, &hours);
        let svg = html.finish();
        assert!(svg.contains("204 events in the last 24 hours; at most 201 in one hour"), "{svg}");
        assert!(svg.contains("<title>24 Nov 15:00 UTC: 201 events, 1 critical, 200 detail</title>"), "{svg}");
        assert!(svg.contains("<title>23 Nov 15:00 UTC: 3 events, 3 warning</title>"), "{svg}");
        assert_eq!(svg.matches("<g>").count(), HOURS);
    }
}
