//! Makes the pictures of the README anew: `scripts/screenshots`. No test, and run by nothing else.

use crate::chromium::{Browser, Look, WIDE};
use crate::site::Site;

#[tokio::test]
#[ignore = "writes docs/images; scripts/screenshots runs it"]
async fn pictures() {
    let light = Look { height: 900, ..WIDE };
    let dark = Look { height: 1040, dark: true, ..WIDE };
    for (name, look, path, click) in [
        ("timeline", light, "/", None),
        ("timeline-dark", dark, "/?ems=vcenter+east&last=12h", Some("tr.head .when a")),
        ("vm", light, "/vms/5?last=7d", None),
    ] {
        picture(name, look, path, click).await;
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
