//! The live tail: each row that is committed is told once, whatever the order of commits.

use crate::support::{Fresh, on_both};
use catchall::vmdb::resource::ResourceKind;
use catchall::vmdb::timeline::TimelineQuery;
use catchall::vmdb::timeline::tail::Tail;
use catchall::vmdb::{Connection, VmdbError};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::mpsc;

on_both! {
    what_is_new_is_told_once_and_only_if_it_is_asked_for
    a_storm_is_told_as_its_newest_events_and_a_count
    a_tail_begins_with_what_comes_after_it
}

/// Events of this EMS, else of three.
fn insert_of(c: &mut Connection, ems_id: Option<i64>, uids: Range<i64>) -> Result<usize, VmdbError> {
    let sql = "INSERT INTO event_streams (event_uid, type, event_type, ems_id, message, vm_or_template_id, timestamp) \
               WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) \
               SELECT 'e' || i, 'EmsEvent', CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END, CASE WHEN ? > 0 THEN ? ELSE 1 + i % 3 END, 'number ' || i, i % 4, ? FROM n";
    let at: chrono::DateTime<chrono::Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
    let ems_id = ems_id.unwrap_or_default();
    c.execute(sql, &[uids.start.into(), uids.end.into(), ems_id.into(), ems_id.into(), at.into()])
}

fn insert(c: &mut Connection, uids: Range<i64>) -> Result<usize, VmdbError> {
    insert_of(c, None, uids)
}

/// The numbers in the messages of what is told, and how many were passed over.
async fn next(fresh: &Fresh, tail: &mut Tail) -> (Vec<i64>, u64) {
    let mut moved = tail.clone();
    let (told, passed_over, moved) = fresh
        .vmdb
        .read(move |c| {
            let (told, passed_over) = moved.next(c)?;
            Ok((told, passed_over, moved))
        })
        .await
        .unwrap();
    *tail = moved;
    let number = |message: &str| message.strip_prefix("number ").unwrap().parse().unwrap();
    (told.iter().map(|event| number(event.message.as_deref().unwrap())).collect(), passed_over)
}

async fn tail(fresh: &Fresh, query: TimelineQuery) -> Tail {
    fresh.vmdb.read(move |c| Tail::from_now(c, query)).await.unwrap()
}

async fn what_is_new_is_told_once_and_only_if_it_is_asked_for(fresh: Fresh) {
    fresh.write(|c| insert(c, 0..10)).await;
    let types = |name: &str| Some(vec![name.to_owned()]);
    let mut everything = tail(&fresh, TimelineQuery::default()).await;
    let mut even = tail(&fresh, TimelineQuery { event_types: types("even"), ..Default::default() }).await;
    let mut of_ems = tail(&fresh, TimelineQuery { ems_id: Some(2), ..Default::default() }).await;
    let vm = Some((ResourceKind::Vm, 3));
    let mut of_vm = tail(&fresh, TimelineQuery { resource: vm, ..Default::default() }).await;
    let mut text =
        tail(&fresh, TimelineQuery { text: Some("NUMBER 12".to_owned()), ..Default::default() }).await;
    assert_eq!(next(&fresh, &mut everything).await, (vec![], 0));
    fresh.write(|c| insert(c, 10..16)).await;
    assert_eq!(next(&fresh, &mut everything).await, (vec![10, 11, 12, 13, 14, 15], 0));
    assert_eq!(next(&fresh, &mut everything).await, (vec![], 0));
    assert_eq!(next(&fresh, &mut even).await, (vec![10, 12, 14], 0));
    assert_eq!(next(&fresh, &mut of_ems).await, (vec![10, 13], 0));
    assert_eq!(next(&fresh, &mut of_vm).await, (vec![11, 15], 0));
    assert_eq!(next(&fresh, &mut text).await, (vec![12], 0));
}

async fn a_storm_is_told_as_its_newest_events_and_a_count(fresh: Fresh) {
    let mut tail = tail(&fresh, TimelineQuery::default()).await;
    fresh.write(|c| insert(c, 0..1_000)).await;
    assert_eq!(next(&fresh, &mut tail).await, ((800..1_000).collect(), 800));
    fresh.write(|c| insert(c, 1_000..22_000)).await;
    let (first, passed_over) = next(&fresh, &mut tail).await;
    assert_eq!((first.len(), passed_over), (200, 19_800));
    let (rest, passed_over) = next(&fresh, &mut tail).await;
    assert_eq!((rest, passed_over), ((21_800..22_000).collect(), 800));
}

async fn a_tail_begins_with_what_comes_after_it(fresh: Fresh) {
    fresh.write(|c| insert(c, 0..50)).await;
    fresh.write(|c| c.batch("DELETE FROM event_streams WHERE event_uid IN ('e7', 'e49')")).await;
    let mut tail = tail(&fresh, TimelineQuery::default()).await;
    assert_eq!(next(&fresh, &mut tail).await, (vec![], 0));
    fresh.write(|c| insert(c, 50..51)).await;
    assert_eq!(next(&fresh, &mut tail).await, (vec![50], 0));
}

/// Commits that go on side by side, in the order in which `go` lets them end.
#[tokio::test]
async fn commits_that_end_in_another_order_than_they_began_are_told_once_each() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let mut random = rand::rngs::SmallRng::seed_from_u64(20_261_129);
    let mut watch = tail(&fresh, TimelineQuery::default()).await;
    let (mut told, mut uid) = (Vec::new(), 0);
    for _ in 0..12 {
        let mut under_way = Vec::new();
        for lane in 0..fresh.vmdb.lanes() {
            let (began, begin) = mpsc::channel();
            let (go, wait) = mpsc::channel();
            let rows = uid..uid + random.random_range(1..9);
            uid = rows.end;
            let commit = fresh.vmdb.commit(lane, move |c| {
                c.transaction(|c| {
                    insert_of(c, Some(lane as i64 + 1), rows)?;
                    began.send(()).unwrap();
                    wait.recv().unwrap();
                    Ok(())
                })
            });
            let commit = tokio::spawn(commit);
            tokio::task::spawn_blocking(move || begin.recv().unwrap()).await.unwrap();
            under_way.push((go, commit));
        }
        under_way.shuffle(&mut random);
        for (go, commit) in under_way {
            go.send(()).unwrap();
            commit.await.unwrap().unwrap();
            if random.random_bool(0.7) {
                told.extend(next(&fresh, &mut watch).await.0);
            }
        }
    }
    told.extend(next(&fresh, &mut watch).await.0);
    assert_eq!(told.len() as i64, uid, "each once");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), (0..uid).collect());
}
