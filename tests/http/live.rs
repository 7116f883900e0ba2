//! `/live`: server-sent events, as a browser or a program follows them.

use crate::filled::{Fresh, event, groups, on_both};
use crate::site::Site;
use catchall::http::{HttpContext, SettingsPart};
use catchall::observe::Observe;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::io::Write;
use std::time::{Duration, Instant};

on_both! {
    what_is_committed_is_told_once_as_a_row_of_the_table_or_as_json
    who_comes_back_is_told_what_came_meanwhile
    a_client_that_reads_no_more_is_let_go_and_its_place_is_free
}

const LOOPBACK: &str = "127.0.0.1:0";

struct House {
    site: Site,
    observe: Observe,
}

fn house(fresh: &Fresh) -> House {
    let observe = Observe::default();
    let context = HttpContext::new(observe.clone(), None);
    context.set_vmdb(fresh.vmdb.clone());
    context.set_settings(SettingsPart { event_groups: groups(), ..SettingsPart::default() });
    House { site: Site::open(LOOPBACK, context), observe }
}

/// A stream that is read up to a mark.
struct Followed(Response, String);

impl Followed {
    async fn begin(site: &Site, path: &str, headers: &[(&'static str, &str)]) -> Self {
        let answer = site.open_answer(path, headers).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
        let mut followed = Self(answer, String::new());
        followed.until(": following\n\n").await;
        followed
    }

    /// What came up to `mark`, which has to come within 30 s.
    async fn until(&mut self, mark: &str) -> String {
        let reading = async {
            loop {
                if let Some(at) = self.1.find(mark) {
                    let rest = self.1.split_off(at + mark.len());
                    return std::mem::replace(&mut self.1, rest);
                }
                let chunk = self
                    .0
                    .chunk()
                    .await
                    .unwrap()
                    .unwrap_or_else(|| panic!("ended before {mark}: {}", self.1));
                self.1.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reading)
            .await
            .unwrap_or_else(|_| panic!("{mark} did not come"))
    }

    /// The next row: its id and its data.
    async fn row(&mut self) -> (i64, String) {
        let text = self.until("\n\n").await;
        let field = |name: &str| {
            text.lines().filter_map(|line| line.strip_prefix(name)).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(field("event: "), "row", "{text}");
        (field("id: ").parse().unwrap(), field("data: "))
    }
}

async fn what_is_committed_is_told_once_as_a_row_of_the_table_or_as_json(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(event("vm.stop", 9)).await;
    let House { site, observe } = house(&fresh);
    let mut html = Followed::begin(&site, "/live", &[]).await;
    let mut json = Followed::begin(&site, "/live?format=json&level=critical&ems=demo+%3Ccloud%3E", &[]).await;
    assert_eq!(observe.web().subscribers(), 2);

    let first = fresh
        .event(crate::filled::Event { message: Some("<b>\nnow</b>"), vm: Some(10), ..event("vm.stop", 3) })
        .await;
    // Nobody rings: another process committed it.
    let (id, row) = html.row().await;
    assert_eq!(id, first);
    assert!(row.starts_with("<tr") && row.ends_with("</tr>") && row.contains("&lt;b&gt;"), "{row}");
    let (id, row) = json.row().await;
    let told: Value = serde_json::from_str(&row).unwrap();
    assert_eq!(
        (id, &told["id"], &told["level"], &told["group"]),
        (first, &first.into(), &"critical".into(), &"power".into())
    );
    assert_eq!((&told["ems"], &told["message"]), (&"demo <cloud>".into(), &"<b>\nnow</b>".into()));
    assert_eq!(told["resources"][0]["id"], 10);

    fresh.event(event("vm.create", 2)).await;
    let last = fresh.event(event("vm.stop", 1)).await;
    observe.commit().record(Duration::from_millis(1), 2);
    assert_eq!(json.row().await.0, last, "what is not critical is not told, and nothing twice");
    let two = [html.row().await.0, html.row().await.0];
    assert_eq!(two, [last - 1, last]);

    assert_eq!(site.get("/live?ems=nobody").await.status, StatusCode::NOT_FOUND);
    site.close().await;
    // Let go, not cut off.
    while let Some(chunk) = html.0.chunk().await.unwrap() {
        assert!(!chunk.is_empty());
    }
}

async fn who_comes_back_is_told_what_came_meanwhile(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let mut ids = Vec::new();
    for minutes_ago in [9, 8, 7, 6] {
        ids.push(fresh.event(event("vm.stop", minutes_ago)).await);
    }
    let House { site, .. } = house(&fresh);
    let last = ids[1].to_string();
    let mut back =
        Followed(site.open_answer("/live?format=json", &[("last-event-id", &last)]).await, String::new());
    assert_eq!([back.row().await.0, back.row().await.0], ids[2..]);
    back.until(": following\n\n").await;
    ids.push(fresh.event(event("vm.stop", 5)).await);
    assert_eq!(back.row().await.0, ids[4]);
    site.close().await;
}

#[tokio::test]
async fn there_are_thirty_two_places_and_one_that_leaves_is_followed_by_another() {
    let fresh = Fresh::sqlite().await.unwrap();
    let House { site, observe } = house(&fresh);
    let mut all = Vec::new();
    for _ in 0..32 {
        all.push(Followed::begin(&site, "/live", &[]).await);
    }
    let refused = site.get("/live").await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    assert_eq!(observe.web().subscribers(), 32);
    drop(all.pop());
    let end = Instant::now() + Duration::from_secs(40);
    while site.open_answer("/live", &[]).await.status() != StatusCode::OK {
        assert!(Instant::now() < end, "its place was not given to another");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
    site.close().await;
}

async fn a_client_that_reads_no_more_is_let_go_and_its_place_is_free(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let House { site, observe } = house(&fresh);
    let mut stalled = std::net::TcpStream::connect(site.address()).unwrap();
    stalled.write_all(b"GET /live?format=json HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while observe.web().subscribers() == 0 {
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // 800 KB at a time, until the system's buffers and then the outbox are full.
    while observe.web().subscribers() == 1 {
        assert!(Instant::now() < end, "it was not let go");
        fresh.batch(MANY_LONG_ONES).await;
        observe.commit().record(Duration::from_millis(1), 200);
        // The others are served meanwhile.
        assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // What the system holds for it may still be read; then its connection is at its end.
    stalled.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let ended = tokio::task::spawn_blocking(move || std::io::copy(&mut stalled, &mut std::io::sink()));
    let bytes = ended.await.unwrap();
    assert!(
        bytes.as_ref().map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true),
        "{bytes:?}"
    );
    site.close().await;
}

const MANY_LONG_ONES: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) \
    INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp, created_on, message) \
    SELECT 'EmsEvent', 1, 'long ' || (SELECT coalesce(max(id), 0) FROM event_streams) || ' ' || i, 'vm.stop', \
    CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, replace('0123456789012345678901234567890123456789', '0', \
    '0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789') || \
    replace('00000000000000000000000000000000000', '0', \
    '0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789') FROM n";
