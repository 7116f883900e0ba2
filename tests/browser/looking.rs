//! With the pointer: what opens, zooms, filters, folds, follows, and that the URL says it.

use crate::chromium::{Browser, Look, WIDE};
use crate::site::Site;
use catchall::clock;
use fantoccini::Locator;
use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use serde_json::json;
use std::time::Duration;

const ROWS: &str = "document.querySelectorAll('#rows > tr:not([hidden])').length";

#[tokio::test]
async fn it_opens_with_the_last_day_of_all_emss() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    assert_eq!(browser.text("document.querySelector('.stretch strong').textContent").await, "Last 24 hours");
    assert!(browser.value(ROWS).await.as_u64().unwrap() > 30);
    let lanes =
        browser.value("[...document.querySelectorAll('.lane-names a')].map(lane => lane.textContent)").await;
    for lane in ["Power Activity", "Alarm/Status Change/Errors"] {
        assert!(lanes.as_array().unwrap().iter().any(|name| name == lane), "{lane} in {lanes}");
    }
    assert!(
        browser.value("document.querySelectorAll('.bars path.detail').length").await.as_u64().unwrap() >= 3
    );
    assert_eq!(browser.value("document.querySelectorAll('.band.lost').length").await, 1);
    assert!(
        browser
            .text("document.querySelector('.bands').textContent")
            .await
            .contains("events were lost at the provider")
    );
    let weight = "Math.round([performance.getEntriesByType('navigation')[0], ...performance.getEntriesByType('resource')]\
                  .reduce((all, one) => all + one.encodedBodySize, 0) / 1024)";
    assert!(browser.value(weight).await.as_u64().unwrap() <= 100, "KB: {}", browser.value(weight).await);
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}

#[tokio::test]
async fn a_stretch_of_the_histogram_becomes_the_window_and_back_brings_the_day() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    let surface = browser.client.find(Locator::Css(".surface")).await.unwrap();
    let (_, _, width, _) = surface.rectangle().await.unwrap();
    let point = |share: f64| PointerAction::MoveToElement {
        element: surface.clone(),
        duration: Some(Duration::from_millis(50)),
        x: (width * share).round(),
        y: 5.0,
    };
    let drag = MouseActions::new("mouse".to_owned())
        .then(point(-0.2))
        .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
        .then(point(0.2))
        .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
    browser.client.perform_actions(drag).await.unwrap();
    browser.until("location.search.includes('since=') && location.search.includes('until=')").await;
    browser.until("document.querySelector('main:not([aria-busy]) .stretch')").await;
    let hours = "(new Date(new URL(location).searchParams.get('until')) - new Date(new URL(location).searchParams.get('since'))) / 3.6e6";
    let hours = browser.value(hours).await.as_f64().unwrap();
    assert!((9.0..=12.5).contains(&hours), "four tenths of a day, in whole bars: {hours} h");
    assert!(!browser.text("document.querySelector('.stretch strong').textContent").await.contains("Last"));

    browser.client.back().await.unwrap();
    browser.until("document.querySelector('.stretch strong').textContent === 'Last 24 hours'").await;
    assert_eq!(browser.text("location.search").await, "");
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}

#[tokio::test]
async fn what_is_chosen_is_a_chip_that_can_be_removed() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    browser
        .client
        .find(Locator::Css("form.filter [name=resource]"))
        .await
        .unwrap()
        .send_keys("web-05")
        .await
        .unwrap();
    browser.click("form.filter button").await;
    browser.until("location.search === '?resource=web-05' && document.querySelector('.chip')").await;
    let all = "[...document.querySelectorAll('#rows > tr')].every(row => row.textContent.includes('web-05'))";
    assert_eq!(browser.value(all).await, true);
    browser.click(".levels .critical").await;
    browser.until("document.querySelectorAll('.chip').length === 2").await;
    assert_eq!(browser.text("location.search").await, "?resource=web-05&level=critical");
    browser.click(".chips li:nth-child(1) a").await;
    browser.until("document.querySelectorAll('.chip').length === 1").await;
    assert_eq!(browser.text("location.search").await, "?level=critical");
    // What was shown stays under its own address.
    browser.client.refresh().await.unwrap();
    browser.until("document.querySelectorAll('.chip').length === 1").await;
    assert_eq!(browser.value("document.querySelectorAll('#rows .level:not(.critical)').length").await, 0);
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}

#[tokio::test]
async fn a_chain_opens_in_place_and_a_row_opens_to_its_story() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    let rows = browser.value(ROWS).await.as_u64().unwrap();
    browser.click(".fold").await;
    browser.until(&format!("{ROWS} === {}", rows + 3)).await;
    browser.click("tr.head .when a").await;
    browser.until("document.querySelector('.opened .story')").await;
    let story = browser.text("document.querySelector('.opened').textContent").await;
    for part in [
        "How long it took",
        "committed",
        "Refresh it caused",
        "What the provider sent",
        "fullFormattedMessage",
    ] {
        assert!(story.contains(part), "{part} in {story}");
    }
    // The address names the open row, and opens it again.
    browser.until("location.hash.startsWith('#e')").await;
    browser.client.refresh().await.unwrap();
    browser.until("document.querySelector('.opened .story')").await;
    browser.click(".opened .story a[href^='/vms/'], .opened .story a[href^='/providers/']").await;
    browser
        .until("document.querySelector('dl.facts') && document.querySelectorAll('#rows tr').length > 0")
        .await;
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}

#[tokio::test]
async fn local_time_and_dark_are_kept_and_the_server_writes_utc() {
    let Some(browser) = Browser::open(Look { dark: true, ..WIDE }).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    let ground = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.text(ground).await, "rgb(15, 19, 23)", "as the system says");
    browser.devtools("Emulation.setTimezoneOverride", json!({"timezoneId": "Asia/Tokyo"})).await;
    browser.client.refresh().await.unwrap();
    browser.until("document.querySelector('.switches')?.hidden === false").await;
    let shown = "document.querySelector('#rows time').textContent.slice(-8)";
    let utc = browser.text("document.querySelector('#rows time').dateTime.slice(11, 19)").await;
    assert_eq!(browser.text(shown).await, utc);
    browser.click("#zone").await;
    let hour = |text: &str| text[..2].parse::<u32>().unwrap();
    assert_eq!(hour(&browser.text(shown).await), (hour(&utc) + 9) % 24, "Tokyo is nine hours ahead");
    browser.click("#theme").await;
    browser.client.refresh().await.unwrap();
    browser.until("document.querySelector('.switches')?.hidden === false").await;
    assert_eq!(browser.text(ground).await, "rgb(245, 246, 248)", "light was chosen");
    assert_eq!(hour(&browser.text(shown).await), (hour(&utc) + 9) % 24, "and local time");
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}

#[tokio::test]
async fn a_new_event_appears_on_top_after_its_commit() {
    let Some(browser) = Browser::open(WIDE).await else { return };
    let site = Site::open().await;
    browser.goto(&site.url).await;
    browser.click("#live").await;
    browser.until("document.getElementById('live').getAttribute('aria-pressed') === 'true'").await;
    // Not in the table: rows wait while the pointer is there.
    let away =
        MouseActions::new("mouse".to_owned()).then(PointerAction::MoveTo { duration: None, x: 5.0, y: 5.0 });
    browser.client.perform_actions(away).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let insert = |connection: &mut catchall::vmdb::Connection| {
        let sql = "INSERT INTO event_streams (type, ems_id, event_uid, event_type, source, timestamp, created_on, message) \
                   VALUES ('EmsEvent', 1, 'new', 'VmSuspendedEvent', 'VC', ?, ?, 'just <now>')";
        connection.execute(sql, &[clock::now().into(), clock::now().into()])
    };
    site.vmdb.write(insert).await.unwrap();
    browser.until("document.querySelector('#rows tr')?.textContent.includes('just <now>')").await;
    browser.until("document.getElementById('spoken').textContent.includes('1 new event')").await;
    browser.click("#live").await;
    assert_eq!(browser.text("document.getElementById('live').getAttribute('aria-pressed')").await, "false");
    browser.check_log().await;
    browser.close().await;
    site.close().await;
}
