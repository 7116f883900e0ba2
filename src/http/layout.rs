//! What every page has around it: head, landmarks, navigation, footer; and the small things that all pages write alike.

use super::assets;
use super::html::Html;
use crate::clock;
use chrono::{DateTime, Utc};

/// What is said around a page's own content.
pub(super) struct Frame<'a> {
    /// The heading, and the title of the window.
    pub(super) title: &'a str,
    /// When the page was made.
    pub(super) now: DateTime<Utc>,
    /// The page loads itself again every few seconds, since somebody asked for it.
    pub(super) follow: bool,
}

/// Where the pages are that every page leads to.
const NAVIGATION: [(&str, &str); 4] =
    [("Timeline", "/"), ("Pipeline", "/pipeline"), ("API", "/api"), ("Metrics", "/metrics")];

/// The whole page around what `content` writes.
pub(super) fn page(frame: &Frame<'_>, content: impl FnOnce(&mut Html)) -> String {
    let mut html = Html::new();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    if frame.follow {
        html.raw("<meta http-equiv=\"refresh\" content=\"5\">\n");
    }
    html.raw("<title>").text(frame.title).raw(" · Catchall</title>\n");
    // The first paint waits for the styles and for the chosen colours, not for the rest.
    html.raw("<script src=\"")
        .text(assets::path("theme.js"))
        .raw("\"></script>\n<link rel=\"stylesheet\" href=\"");
    html.text(assets::path("style.css")).raw("\">\n<link rel=\"stylesheet\" href=\"");
    html.text(assets::path("timeline.css")).raw("\">\n<script type=\"module\" src=\"");
    html.text(assets::path("main.js"))
        .raw("\"></script>\n<link rel=\"icon\" href=\"data:,\">\n</head>\n<body>\n");
    top(&mut html, frame);
    html.raw("<main id=\"content\">\n<h1>").foreign(frame.title).raw("</h1>\n");
    content(&mut html);
    html.raw("</main>\n<footer><span>Catchall ").text(env!("CARGO_PKG_VERSION")).raw("</span>");
    html.raw(
        "<span class=\"zone-note\">Times are in UTC.</span><a href=\"/readyz\">Readiness</a></footer>\n",
    );
    html.raw("<p class=\"spoken\" id=\"spoken\" role=\"status\"></p>\n</body>\n</html>\n");
    html.finish()
}

fn top(html: &mut Html, frame: &Frame<'_>) {
    html.raw("<a class=\"skip\" href=\"#content\">Skip to content</a>\n<header class=\"top\">");
    html.raw("<a class=\"name\" href=\"/\">Catchall</a><nav aria-label=\"Pages\">");
    for (name, path) in NAVIGATION {
        html.raw("<a href=\"").raw(path).raw("\">").raw(name).raw("</a>");
    }
    html.raw("</nav><span class=\"now\">as of ");
    moment(html, frame.now, frame.now);
    // Both switches need the script, which shows them.
    html.raw(
        "</span><div class=\"switches\" hidden><button type=\"button\" id=\"zone\" aria-pressed=\"false\">",
    );
    html.raw(
        "Local time</button><button type=\"button\" id=\"theme\">Theme: system</button></div></header>\n",
    );
}

/// A point in time: the hour for what is of today, the day besides for what is not; all of it in the title.
pub(super) fn moment(html: &mut Html, time: DateTime<Utc>, now: DateTime<Utc>) {
    let shown = if time.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    html.raw("<time datetime=\"").text(time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
    html.raw("\" title=\"").text(time.format("%Y-%m-%d %H:%M:%S%.6f UTC").to_string());
    html.raw("\">").text(time.format(shown).to_string()).raw("</time>");
}

/// How long ago something was, with the point in time in the title.
pub(super) fn age(html: &mut Html, time: DateTime<Utc>, now: DateTime<Utc>) {
    html.raw("<time data-age datetime=\"").text(time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
    html.raw("\" title=\"").text(time.format("%Y-%m-%d %H:%M:%S UTC").to_string()).raw("\">");
    html.text(clock::in_words(now - time)).raw(" ago</time>");
}

/// A short word in a coloured frame; the colour only repeats what the word says.
pub(super) fn badge(html: &mut Html, class: &'static str, word: &str) {
    html.raw("<span class=\"badge ").raw(class).raw("\">").text(word).raw("</span>");
}

/// A level; its sign, which the stylesheet adds, tells it without colour.
pub(super) fn level_badge(html: &mut Html, level: &'static str) {
    html.raw("<span class=\"badge level ").raw(level).raw("\">").raw(level).raw("</span>");
}
