//! axe-core looks for barriers, WCAG 2.1 A and AA, on every page, in both themes, wide and narrow.

use crate::chromium::{Browser, Look, WIDE, cached, skips};
use crate::site::Site;
use serde_json::Value;

const NARROW: u32 = 500;

/// Page, and what must be there before it is looked at.
const PAGES: [(&str, &str); 10] = [
    ("/", "true"),
    ("/?level=critical&level=warning&group=power&text=web&last=7d", "document.querySelector('.chip')"),
    ("/?resource=web", "document.querySelector('.which')"),
    ("/?type=never-there", "document.querySelector('.empty')"),
    ("/vms/1", "document.querySelector('dl.facts')"),
    ("/hosts/2", "document.querySelector('dl.facts')"),
    ("/clusters/1", "document.querySelector('dl.facts')"),
    ("/providers/2", "document.querySelector('.bands')"),
    ("/pipeline", "document.querySelector('.street')"),
    ("/events/30", "document.querySelector('.story')"),
];

#[tokio::test]
async fn no_page_has_a_barrier_in_light_and_wide() {
    look(WIDE).await;
}

#[tokio::test]
async fn no_page_has_a_barrier_in_dark_and_narrow() {
    look(Look { width: NARROW, height: 900, dark: true }).await;
}

async fn look(look: Look) {
    if skips("axe") {
        return;
    }
    let path = cached("axe/axe.min.js");
    let axe = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("axe: {}: {error}; `make test` brings it, SKIP=axe leaves it out", path.display())
    });
    let Some(browser) = Browser::open(look).await else { return };
    let site = Site::open().await;
    for (page, ready) in PAGES {
        browser.goto(&format!("{}{page}", site.url)).await;
        browser.until(ready).await;
        no_barriers(&browser, &axe, page).await;
        no_sideways_scrolling(&browser, page).await;
    }
    // With a row and a chain open, and the list of keys.
    browser.goto(&site.url).await;
    browser.click(".fold").await;
    browser.click(".when a").await;
    browser.until("document.querySelector('.opened .story')").await;
    no_barriers(&browser, &axe, "an open row").await;
    browser.press("?").await;
    browser.until("document.querySelector('dialog[open]')").await;
    no_barriers(&browser, &axe, "the keys").await;
    browser.close().await;
    site.close().await;
}

async fn no_barriers(browser: &Browser, axe: &str, page: &str) {
    // WebDriver's own scripts are not bound by the page's policy.
    browser.client.execute(&format!("{axe}; window.axe = axe;"), vec![]).await.unwrap();
    let run = "const done = arguments[arguments.length - 1]; \
               axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}) \
               .then(found => done(found.violations.map(v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary)])), \
               error => done([[String(error)]]))";
    let violations = browser.client.execute_async(run, vec![]).await.unwrap();
    assert_eq!(violations, Value::Array(vec![]), "{page}");
}

async fn no_sideways_scrolling(browser: &Browser, page: &str) {
    let overflow =
        browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
    assert_eq!(overflow, 0, "{page} is wider than its window");
}
