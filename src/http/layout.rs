//! What every page has around it: head, landmarks, heading, footer, and the stylesheet they share.

use super::html::Html;
use crate::clock;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

pub(super) const STYLE: &str = include_str!("style.css");

/// The stylesheet's address changes with its content, so that it may be kept for ever.
pub(super) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest: [u8; 32] = Sha256::digest(STYLE.as_bytes()).into();
    let hash: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/style-{hash}.css")
});

/// What is said around a page's own content.
pub(super) struct Frame<'a> {
    /// The heading, and the title of the window.
    pub(super) title: &'a str,
    /// When the page was made.
    pub(super) now: DateTime<Utc>,
    /// The page loads itself again every few seconds, since somebody asked for it.
    pub(super) follow: bool,
}

/// The whole page around what `content` writes.
pub(super) fn page(frame: &Frame<'_>, content: impl FnOnce(&mut Html)) -> String {
    let mut html = Html::new();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    if frame.follow {
        html.raw("<meta http-equiv=\"refresh\" content=\"5\">\n");
    }
    html.raw("<title>").text(frame.title).raw(" · Catchall</title>\n<link rel=\"stylesheet\" href=\"");
    html.text(&*STYLE_PATH).raw("\">\n<link rel=\"icon\" href=\"data:,\">\n</head>\n<body>\n")
        .raw("<a class=\"skip\" href=\"#content\">Skip to content</a>\n<header class=\"top\"><div>")
        .raw("<a class=\"name\" href=\"/\">Catchall</a> <nav aria-label=\"Pages\"><a href=\"/\">Timeline</a></nav>")
        .raw(" <span class=\"now\">as of ");
    moment(&mut html, frame.now, frame.now);
    html.raw("</span></div></header>\n<main id=\"content\">\n<h1>").foreign(frame.title).raw("</h1>\n");
    content(&mut html);
    html.raw("</main>\n<footer>Times are in UTC. Catchall ").text(env!("CARGO_PKG_VERSION"));
    html.raw(" · <a href=\"/metrics\">metrics</a> · <a href=\"/readyz\">readiness</a></footer>\n</body>\n</html>\n");
    html.finish()
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
    html.raw("<time datetime=\"").text(time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
    html.raw("\" title=\"").text(time.format("%Y-%m-%d %H:%M:%S UTC").to_string()).raw("\">");
    html.text(clock::in_words(now - time)).raw(" ago</time>");
}

/// A short word in a coloured frame; the colour only repeats what the word says.
pub(super) fn badge(html: &mut Html, class: &'static str, word: &str) {
    html.raw("<span class=\"badge ").raw(class).raw("\">").text(word).raw("</span>");
}
