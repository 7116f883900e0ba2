//! Pages of the timeline: walked from one to the next, they tell each event that is asked for once, in order.

use crate::support::{Fresh, on_both};
use catchall::vmdb::resource::{self, Fact, ResourceKind};
use catchall::vmdb::timeline::{Position, TimelineQuery, events, page, page_within};
use catchall::vmdb::{Connection, Fields, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

on_both! {
    pages_tell_all_that_is_asked_for_once_broken_off_or_not
    a_text_is_found_whatever_its_case_and_nothing_in_it_is_a_pattern
    a_cluster_has_its_facts_and_its_events
    an_event_without_a_time_is_in_no_timeline
}

/// Enough for several slices.
const EVENTS: i64 = 13_000;

fn start() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

/// 40 days with much on the last one, ties in time, types of which some are rare, VMs of which one has a third of all.
fn fill(c: &mut Connection) -> Result<(), VmdbError> {
    let sql = "INSERT INTO event_streams (event_uid, type, event_type, ems_id, message, vm_or_template_id, dest_vm_or_template_id, timestamp) \
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
               SELECT 'e' || i, CASE WHEN i % 101 = 0 THEN 'MiqEvent' ELSE 'EmsEvent' END, \
               CASE WHEN i % 997 = 0 THEN 'rare' WHEN i % 10 = 0 THEN 'some' ELSE 'most' END, 1 + i % 3, 'number ' || i, \
               CASE WHEN i % 3 = 0 THEN 1 ELSE 2 + i % 50 END, CASE WHEN i % 7 = 0 THEN 1 ELSE NULL END, ? FROM n WHERE i % 100 = ?";
    for part in 0..100 {
        let hours = if part < 60 { part * 16 } else { 960 + (part - 60) / 4 };
        let at = start() + TimeDelta::hours(hours) + TimeDelta::microseconds(part);
        c.execute(sql, &[EVENTS.into(), at.into(), part.into()])?;
    }
    Ok(())
}

fn all(c: &mut Connection, condition: &str) -> Result<Vec<i64>, VmdbError> {
    let sql = format!(
        "SELECT id FROM event_streams WHERE type = 'EmsEvent' AND {condition} ORDER BY timestamp DESC, id DESC"
    );
    c.rows(&sql, &[])?.iter().map(|row: &Fields| row.id(0)).collect()
}

/// The ids of all pages, and how often one was broken off.
fn walked(
    c: &mut Connection,
    query: &TimelineQuery,
    budget: Duration,
) -> Result<(Vec<i64>, usize), VmdbError> {
    let (mut ids, mut broken_off, mut before) = (Vec::new(), 0, None::<Position>);
    loop {
        let page = page_within(c, &TimelineQuery { before, ..query.clone() }, budget)?;
        ids.extend(page.events.iter().map(|event| event.position.id));
        broken_off += usize::from(page.broken_off);
        assert!(!page.broken_off || page.next.is_some());
        match page.next {
            Some(next) if before.is_none_or(|before| next < before) => before = Some(next),
            Some(next) => panic!("page after page goes on to older ones: {next:?} after {before:?}"),
            None => return Ok((ids, broken_off)),
        }
    }
}

fn queries() -> Vec<(&'static str, TimelineQuery)> {
    let types = |types: &[&str]| Some(types.iter().map(|name| (*name).to_owned()).collect());
    let base = TimelineQuery { limit: 700, ..TimelineQuery::default() };
    let vm = Some((ResourceKind::Vm, 1));
    vec![
        ("1 = 1", base.clone()),
        ("ems_id = 2", TimelineQuery { ems_id: Some(2), ..base.clone() }),
        ("ems_id = 2", TimelineQuery { resource: Some((ResourceKind::Ems, 2)), ..base.clone() }),
        ("event_type = 'rare'", TimelineQuery { event_types: types(&["rare"]), limit: 2, ..base.clone() }),
        (
            "event_type IN ('rare', 'some')",
            TimelineQuery { event_types: types(&["rare", "some"]), ..base.clone() },
        ),
        ("1 = 1", TimelineQuery { event_types: types(&["rare", "some", "most"]), ..base.clone() }),
        ("1 = 0", TimelineQuery { event_types: types(&[]), ..base.clone() }),
        (
            "event_type = 'rare' AND ems_id = 1",
            TimelineQuery { event_types: types(&["rare"]), ems_id: Some(1), limit: 1, ..base.clone() },
        ),
        (
            "event_type IN ('some', 'most') AND ems_id = 3",
            TimelineQuery { event_types: types(&["some", "most"]), ems_id: Some(3), ..base.clone() },
        ),
        ("message LIKE '%99%'", TimelineQuery { text: Some("99".to_owned()), limit: 100, ..base.clone() }),
        (
            "message LIKE '%99%' AND ems_id = 1 AND event_type = 'most'",
            TimelineQuery {
                text: Some("99".to_owned()),
                ems_id: Some(1),
                event_types: types(&["most"]),
                limit: 30,
                ..base.clone()
            },
        ),
        (
            "(vm_or_template_id = 1 OR dest_vm_or_template_id = 1)",
            TimelineQuery { resource: vm, ..base.clone() },
        ),
        (
            "(vm_or_template_id = 1 OR dest_vm_or_template_id = 1) AND event_type = 'rare'",
            TimelineQuery { resource: vm, event_types: types(&["rare"]), limit: 1, ..base.clone() },
        ),
        (
            "(vm_or_template_id = 1 OR dest_vm_or_template_id = 1) AND message LIKE '%99%' AND ems_id = 1",
            TimelineQuery {
                resource: vm,
                text: Some("99".to_owned()),
                ems_id: Some(1),
                limit: 20,
                ..base.clone()
            },
        ),
        (
            "timestamp >= '2026-03-04 00:00:00' AND timestamp < '2026-04-10 01:00:00' AND event_type IN ('rare', 'some')",
            TimelineQuery {
                since: Some("2026-03-04T00:00:00Z".parse().unwrap()),
                until: Some("2026-04-10T01:00:00Z".parse().unwrap()),
                event_types: types(&["rare", "some"]),
                ..base
            },
        ),
    ]
}

async fn pages_tell_all_that_is_asked_for_once_broken_off_or_not(fresh: Fresh) {
    fresh.write(fill).await;
    for (condition, query) in queries() {
        let (asked, expected) = (query.clone(), fresh.write(move |c| all(c, condition)).await);
        let (hurried, broken_off) = fresh.write(move |c| walked(c, &asked, Duration::ZERO)).await;
        assert!(hurried == expected, "{condition}: {} and not {}", hurried.len(), expected.len());
        if condition.starts_with("message") {
            assert!(broken_off > 0, "{condition}: nothing was broken off");
        }
        let asked = query.clone();
        let (calm, broken_off) = fresh.write(move |c| walked(c, &asked, Duration::MAX)).await;
        assert!(calm == expected, "{condition}: {} and not {}", calm.len(), expected.len());
        assert_eq!(broken_off, 0, "{condition}");
        let most: Vec<_> = expected.into_iter().take(query.limit).collect();
        let at_once = fresh.write(move |c| events(c, &query)).await;
        assert!(at_once.iter().map(|event| event.position.id).eq(most), "{condition}");
    }
}

async fn a_text_is_found_whatever_its_case_and_nothing_in_it_is_a_pattern(fresh: Fresh) {
    fresh
        .write(|c| {
            for (uid, column, text) in [
                ("a", "message", "Disk is 100% full"),
                ("b", "message", "disk is 1000 full"),
                ("c", "host_name", "ESX_01!"),
                ("d", "vm_ems_ref", "vm-DISK-7"),
                ("e", "full_data", "disk"),
            ] {
                let sql = format!(
                    "INSERT INTO event_streams (event_uid, type, event_type, ems_id, timestamp, {column}) \
                     VALUES (?, 'EmsEvent', 'X', 1, ?, ?)"
                );
                c.execute(&sql, &[uid.into(), start().into(), text.into()])?;
            }
            Ok(())
        })
        .await;
    for (text, found) in
        [("disk", 3), ("DISK IS 100%", 1), ("x_01!", 1), ("_", 1), ("%", 1), ("esx", 1), ("", 5)]
    {
        let query = TimelineQuery { text: Some(text.to_owned()), limit: 10, ..TimelineQuery::default() };
        let page = fresh.write(move |c| page(c, &query)).await;
        assert_eq!(page.events.len(), found, "{text:?}");
    }
}

async fn a_cluster_has_its_facts_and_its_events(fresh: Fresh) {
    fresh
        .write(|c| {
            c.batch(
                "INSERT INTO ext_management_systems (id, name) VALUES (1, 'east'); \
                 INSERT INTO ems_clusters (id, ems_id, ems_ref, name, ha_enabled) VALUES (5, 1, 'domain-c5', 'gold', true); \
                 INSERT INTO event_streams (event_uid, type, event_type, ems_id, timestamp, ems_cluster_id, dest_ems_cluster_id) VALUES \
                 ('a', 'EmsEvent', 'X', 1, '2026-03-01 00:00:00', 5, NULL), ('b', 'EmsEvent', 'X', 1, '2026-03-01 00:00:01', 6, 5), \
                 ('c', 'EmsEvent', 'X', 1, '2026-03-01 00:00:02', 6, NULL)",
            )
        })
        .await;
    let found = fresh.write(|c| resource::find(c, ResourceKind::Cluster, 5)).await.unwrap();
    assert_eq!(found.name, "gold");
    assert!(found.facts.contains(&("High availability", Fact::Text("yes".to_owned()))));
    assert!(found.facts.contains(&("EMS", Fact::Link(ResourceKind::Ems, 1, "east".to_owned()))));
    let query =
        TimelineQuery { resource: Some((ResourceKind::Cluster, 5)), limit: 10, ..TimelineQuery::default() };
    let page = fresh.write(move |c| page(c, &query)).await;
    let named: Vec<_> =
        page.events.iter().map(|event| event.resources.last().unwrap().name.clone()).collect();
    assert_eq!(named, [Some("gold".to_owned()), Some("gold".to_owned())]);
}

async fn an_event_without_a_time_is_in_no_timeline(fresh: Fresh) {
    fresh
        .write(|c| {
            c.batch(
                "INSERT INTO event_streams (event_uid, type, event_type, ems_id) VALUES ('a', 'EmsEvent', 'X', 1)",
            )
        })
        .await;
    let page = fresh.write(|c| page(c, &TimelineQuery { limit: 10, ..TimelineQuery::default() })).await;
    assert_eq!(page.events, []);
}
