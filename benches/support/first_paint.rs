//! How long a real Chromium that never saw the page takes from asking for it to its first paint with something on it.

#[allow(dead_code, reason = "it only looks")]
#[path = "../../tests/browser/chromium.rs"]
mod chromium;

use crate::month;
use crate::places::Place;
use crate::quantiles::Quantiles;
use crate::run::Run;
use chromium::{Browser, WIDE};
use chrono::{SecondsFormat, TimeDelta};
use std::time::Duration;

const PAINT: &str = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";

/// Milliseconds of the timeline's opening, served by a real `catchall run`; `None` when Chromium is to be skipped.
pub async fn of_timeline(place: &Place, rounds: usize) -> Option<Quantiles> {
    let (url, schema) = (place.settings.url.expose(), &place.settings.schema);
    let run = Run::start(
        place,
        &format!("vmdb: {{url: \"{url}\", schema: {schema}}}\nhttp: {{listen: \"127.0.0.1:0\"}}\n"),
    );
    let address = address(&run).await;
    let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (since, until) = (time(month::end() - TimeDelta::hours(24)), time(month::end()));
    let mut times = Quantiles::default();
    for _ in 0..rounds {
        // A profile of its own: nothing is in its cache.
        let browser = Browser::open(WIDE).await?;
        browser.goto(&format!("{address}/?since={since}&until={until}")).await;
        let drawn = browser.value("document.querySelectorAll('.bars path').length").await;
        assert!(drawn.as_u64().is_some_and(|bars| bars > 0), "the histogram is not there: {drawn}");
        browser.until(PAINT).await;
        times.add(browser.value(PAINT).await.as_f64().unwrap());
        browser.close().await;
    }
    Some(times)
}

async fn address(run: &Run) -> String {
    for _ in 0..1_200 {
        let log = run.log();
        if let Some((_, rest)) = log.rsplit_once("listening on ") {
            return rest.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not serve: {}", run.log());
}
