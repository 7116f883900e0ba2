//! Without the pointer: everything can be reached and done with keys.

use crate::chromium::{Browser, WIDE};
use crate::site::Site;
use fantoccini::key::Key;

fn key(key: Key) -> String {
    char::from(key).to_string()
}

#[tokio::test]
async fn rows_are_walked_and_opened_with_keys() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    let here = "[...document.querySelectorAll('#rows > tr:not([hidden])')].findIndex(row => row.contains(document.activeElement))";
    for (key, row) in [("j", 0), ("j", 1), ("j", 2), ("k", 1)] {
        browser.press(key).await;
        assert_eq!(browser.value(here).await, row, "{key}");
    }
    let down = key(Key::Down);
    browser.press(&down).await;
    assert_eq!(browser.value(here).await, 2, "arrow down");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.text(outline).await, "solid", "the focus is seen");
    let enter = key(Key::Enter);
    browser.press(&enter).await;
    browser.until("document.querySelector('.opened .story')").await;
    browser.press(&enter).await;
    browser.until("!document.querySelector('.opened')").await;
    browser.press("/").await;
    assert_eq!(browser.text("document.activeElement.name").await, "text");
    // Whoever types a j means a j.
    browser.press("jt").await;
    assert_eq!(browser.text("document.activeElement.value").await, "jt");
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}

#[tokio::test]
async fn the_window_is_zoomed_and_moved_with_keys() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    let settled = |search: &str| {
        format!("location.search.startsWith('{search}') && !document.querySelector('main[aria-busy]')")
    };
    browser.press("+").await;
    browser.until(&settled("?last=12h")).await;
    browser.press("-").await;
    browser.until(&settled("?last=24h")).await;
    let left = key(Key::Left);
    browser.press(&left).await;
    browser.until(&settled("?since=")).await;
    let right = key(Key::Right);
    browser.press(&right).await;
    browser.until(&settled("?last=24h")).await;
    browser.press("b").await;
    browser.until(&settled("?since=")).await;

    // The same on the histogram itself: to its begin, three bars, zoom.
    browser.value("document.getElementById('surface').focus()").await;
    let (home, shift, enter) = (key(Key::Home), key(Key::Shift), key(Key::Enter));
    browser.press(&home).await;
    browser.press(&format!("{shift}{right}{right}")).await;
    let value = "document.getElementById('surface').getAttribute('aria-valuetext')";
    assert!(!browser.text(value).await.is_empty());
    let before = browser.text("location.search").await;
    browser.press(&enter).await;
    browser
        .until(&format!("location.search !== '{before}' && !document.querySelector('main[aria-busy]')"))
        .await;
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}

#[tokio::test]
async fn a_question_mark_tells_the_keys_and_t_changes_the_zone() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    browser.press("?").await;
    browser.until("document.querySelector('dialog[open]')").await;
    assert!(browser.text("document.querySelector('dialog').textContent").await.contains("zoom in"));
    let escape = key(Key::Escape);
    browser.press(&escape).await;
    browser.until("!document.querySelector('dialog[open]')").await;
    browser.press("t").await;
    assert_eq!(browser.text("document.getElementById('zone').getAttribute('aria-pressed')").await, "true");
    // Tab goes from the skip link through everything, and nothing is a trap.
    let tab = key(Key::Tab);
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..80 {
        browser.press(&tab).await;
        reached.insert(browser.text("document.activeElement.id || document.activeElement.name || document.activeElement.className.toString()").await);
    }
    for id in [
        "surface", "zoom-in", "zoom-out", "earlier", "later", "live", "help", "text", "ems", "resource",
        "type",
    ] {
        assert!(reached.contains(id), "{id} in {reached:?}");
    }
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}
