//! Pages: every record once, by offset and by cursor, while more come in.

use crate::filled::{Event, Fresh, event, on_both};
use crate::house::{House, filled, ids};
use serde_json::Value;

on_both! {
    following_next_or_next_cursor_gives_every_event_once
    events_that_come_in_while_somebody_reads_neither_move_nor_double_anything
    other_collections_have_cursors_too
}

async fn walked(house: &House, start: &str, link: &str) -> Vec<i64> {
    let (mut found, mut path) = (Vec::new(), start.to_owned());
    loop {
        let page = house.get(&path).await;
        found.extend(ids(&page));
        assert!(found.len() < 1_000, "it ends");
        match page["links"][link].as_str() {
            Some(next) => path = next.to_owned(),
            None => return found,
        }
    }
}

async fn following_next_or_next_cursor_gives_every_event_once(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    // At one time, so that ids alone tell them apart where a page ends.
    fresh
        .batch(
            "INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp) \
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 57) \
             SELECT 'EmsEvent', 1 + n % 2, 'n-' || n, 'a', '2026-11-24 15:00:00' FROM numbers",
        )
        .await;
    let house = House::open(&fresh.vmdb);
    let newest_first: Vec<i64> = (1..=57).rev().collect();
    let oldest_first: Vec<i64> = (1..=57).collect();
    for link in ["next", "next_cursor"] {
        for (query, expected) in [
            ("limit=10", &newest_first),
            ("limit=57", &newest_first),
            ("limit=7&sort_by=timestamp&sort_order=asc", &oldest_first),
            ("limit=7&sort_by=id&sort_order=desc", &newest_first),
            ("limit=20&sort_by=event_type,id", &oldest_first),
            ("limit=10&filter[]=event_type=a", &newest_first),
        ] {
            let found = walked(&house, &format!("/api/event_streams?{query}"), link).await;
            assert_eq!(&found, expected, "{query} by {link}");
        }
    }
    let page = house.get("/api/event_streams?limit=10&offset=20&filter[]=ems_id=1").await;
    let counts = ["count", "subcount", "subquery_count", "pages"].map(|name| page[name].as_i64().unwrap());
    assert_eq!(counts, [57, 8, 28, 3]);
    assert_eq!(page["links"]["last"], "/api/event_streams?limit=10&filter%5B%5D=ems_id%3D1&offset=20");
    assert_eq!(page["links"]["previous"], "/api/event_streams?limit=10&filter%5B%5D=ems_id%3D1&offset=10");
    assert_eq!(page["links"].get("next"), None::<&Value>);
    house.close().await;
}

async fn events_that_come_in_while_somebody_reads_neither_move_nor_double_anything(fresh: Fresh) {
    let (fresh, events) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    let first = house.get("/api/event_streams?limit=3&filter[]=type=EmsEvent").await;
    for minutes in [0, 1, 2] {
        fresh.event(Event { ems_id: 2, ..event("newer", minutes) }).await;
    }
    let rest = walked(&house, first["links"]["next_cursor"].as_str().unwrap(), "next").await;
    assert_eq!([ids(&first), rest].concat(), events);
    house.close().await;
}

async fn other_collections_have_cursors_too(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let house = House::open(&fresh.vmdb);
    for link in ["next", "next_cursor"] {
        assert_eq!(walked(&house, "/api/vms?limit=1&sort_by=name&sort_order=desc", link).await, [11, 10]);
    }
    house.close().await;
}
