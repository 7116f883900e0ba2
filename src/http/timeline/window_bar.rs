//! The stretch of time that is shown, in words, and the links that change it.

use super::filter::Filter;
use super::window::{PRESETS, Window, length_in_words};
use crate::http::html::Html;
use crate::http::layout::moment;
use chrono::{DateTime, Utc};

/// Writes it; `window` is what the page shows, asked for or not.
pub(in crate::http) fn write(
    html: &mut Html,
    path: &str,
    filter: &Filter,
    window: Window,
    now: DateTime<Utc>,
) {
    let (since, until) = window.ends(now);
    html.raw("<div class=\"window\"><p class=\"stretch\"><strong>");
    if window.is_open() {
        html.raw("Last ");
    }
    html.text(length_in_words(until - since)).raw("</strong> <span class=\"quiet\">");
    moment(html, since, now);
    html.raw(" – ");
    moment(html, until, now);
    html.raw("</span></p>\n<ul class=\"presets\" aria-label=\"Time\">");
    for (words, span) in PRESETS {
        let preset = Window::Last(span);
        html.raw("<li><a href=\"").text(filter.within(preset).link(path)).raw("\"");
        if preset == window {
            html.raw(" aria-current=\"true\"");
        }
        html.raw(">").raw(words).raw("</a></li>");
    }
    html.raw("</ul>\n<ul class=\"steps-in-time\" aria-label=\"Zoom and move\">");
    for (id, sign, words, other) in [
        ("earlier", "←", "Earlier", window.earlier(now)),
        ("later", "→", "Later", window.later(now)),
        ("zoom-in", "+", "Zoom in", window.zoomed_in(now)),
        ("zoom-out", "−", "Zoom out", window.zoomed_out(now)),
    ] {
        html.raw("<li><a id=\"").raw(id).raw("\" title=\"").raw(words).raw("\" aria-label=\"").raw(words);
        html.raw("\" href=\"").text(filter.within(other).link(path)).raw("\">").raw(sign).raw("</a></li>");
    }
    html.raw("<li><button type=\"button\" id=\"back\" hidden>Back</button></li></ul></div>\n");
}
