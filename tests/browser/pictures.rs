//! Makes the pictures of the README anew: `scripts/screenshots`. No test, and run by nothing else.

use crate::chromium::{Browser, Look, WIDE};
use crate::site::Site;

#[tokio::test]
#[ignore = "writes docs/images; scripts/screenshots runs it"]
async fn pictures() {
    let light = Look { height: 860, ..WIDE };
    let dark = Look { dark: true, ..light };
    let extra = std::env::var("CATCHALL_PICTURES").ok();
    for (name, look, path, click) in [
        ("timeline", light, "/", None),
        ("timeline-dark", dark, "/?level=critical&level=warning&last=12h", Some("tr.head .when a")),
        ("vm", light, "/vms/5?last=7d", None),
    ] {
        picture(name, look, path, click).await;
    }
    if extra.is_some() {
        let narrow = Look { width: 500, ..light };
        picture("x-narrow", narrow, "/", None).await;
        picture("x-open", light, "/?vm=5", Some(".when a")).await;
        picture("x-event", dark, "/events/30", None).await;
        picture("x-ems", light, "/providers/2", None).await;
        picture("x-which", light, "/?resource=web&group=power", None).await;
        picture("x-hour", dark, "/?last=1h", None).await;
    }
}

async fn picture(name: &str, look: Look, path: &str, click: Option<&str>) {
    let Some(browser) = Browser::open(look).await else { panic!("pictures need Chromium") };
    let site = Site::open().await;
    browser.goto(&format!("{}{path}", site.url)).await;
    if let Some(selector) = click {
        browser.click(selector).await;
        browser.until("document.querySelector('.opened .story')").await;
        browser.value("document.activeElement.blur()").await;
    }
    let png = browser.client.screenshot().await.unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    browser.close().await;
    site.close().await;
}
