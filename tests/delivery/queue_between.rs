//! The two halves of the street as two processes: what lies between them waits for as long as it takes.

use super::cloud::Cloud;
use super::process::{Catchall, eventually, within};
use super::support::{Fresh, batch, cursor, on_both};
use super::vmdb_rows::Place;
use super::{count, doomed, judge, rows_are, write_settings};
use catchall::provider::{EmsEvent, EmsId, FullData, ParsedEvent};
use catchall::simulator::Faults;
use catchall::vmdb::miq_queue::{QueuedBatch, claim_events, put_events};
use catchall::vmdb::{Field, ReadyBatch, event_commit};
use std::path::Path;
use std::time::Duration;

const CATCHER: [&str; 3] = ["run-single-worker", "--role=event", "--ems-id=2"];
const HANDLER: [&str; 1] = ["simulate-queue-worker"];

/// Catches `events` events into the queue while nobody takes them from there.
fn caught_into_the_queue(folder: &Path, cloud: &Cloud, events: usize) -> Place {
    let place = Place::sqlite(folder);
    write_settings(&place, folder, cloud, (&["id: 2"], &[]));
    cloud.happen(events);
    let mut catcher = Catchall::start(folder, &CATCHER);
    rows_are(&place, "miq_queue WHERE queue_name = 'ems' AND class_name = 'EmsEvent'", events);
    assert!(catcher.terminate().success(), "{}", catcher.log());
    place
}

/// ManageIQ's one handler was measured at 1.8 events a second.
#[test]
fn what_was_put_while_no_handler_ran_is_delivered_whole_and_fast_when_one_starts() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(121, 20, Faults::default());
    let place = caught_into_the_queue(folder.path(), &cloud, 1_500);
    let _handler = Catchall::start(folder.path(), &HANDLER);
    within(Duration::from_secs(30), "1,500 events are delivered", || match count(&place, "event_streams")? {
        1_500 => Ok(()),
        rows => Err(rows.to_string()),
    });
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
}

#[test]
fn events_in_the_hands_of_a_handler_that_is_killed_are_delivered_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(122, 20, Faults::default());
    let place = caught_into_the_queue(folder.path(), &cloud, 100);
    let mut handler = doomed(folder.path(), &HANDLER, "queue.claimed");
    assert_eq!(handler.wait(Duration::from_secs(30)).code(), None, "{}", handler.log());
    assert_eq!(count(&place, "event_streams"), Ok(0));
    assert_eq!(count(&place, "miq_queue WHERE queue_name = 'ems' AND state = 'dequeue'"), Ok(100));
    let _next = Catchall::start(folder.path(), &HANDLER);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
}

#[test]
fn run_delivers_what_a_single_worker_left_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(123, 20, Faults::default());
    let place = caught_into_the_queue(folder.path(), &cloud, 50);
    let mut run = Catchall::start(folder.path(), &["run"]);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    assert!(run.terminate().success(), "{}", run.log());
}

/// ManageIQ's handler ends with such a message, and the message with it.
#[test]
fn a_row_that_is_no_event_stops_no_delivery_and_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(124, 20, Faults::default());
    let place = caught_into_the_queue(folder.path(), &cloud, 30);
    let settings = catchall::settings::VmdbSettings {
        url: catchall::provider::Secret::new(&place.url),
        schema: place.schema.clone(),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let vmdb =
            catchall::vmdb::Vmdb::open(&settings, catchall::vmdb::Access::Worker).await.unwrap();
        let sql = "UPDATE miq_queue SET args = '--- !ruby/object:Poison' WHERE id = (SELECT min(id) + 3 FROM miq_queue)";
        assert_eq!(vmdb.write(|c| c.execute(sql, &[])).await.unwrap(), 1);
        vmdb.close().await;
    });
    let mut handler = Catchall::start(folder.path(), &HANDLER);
    eventually("29 rows and one letter", || {
        match (count(&place, "event_streams")?, count(&place, "dead_letters")?) {
            (29, 1) => Ok(()),
            counts => Err(format!("{counts:?}")),
        }
    });
    rows_are(&place, "miq_queue WHERE queue_name = 'ems'", 0);
    assert!(handler.terminate().success(), "{}", handler.log());
}

on_both! {
    an_event_is_the_same_row_to_the_byte_whether_or_not_it_went_through_the_queue
}

/// Nothing that JSON in between could round, sort, merge or write in another way.
const NATIVE: &str = "{\"z\": 1,  \"a\":1.10, \"a\": 2, \"big\":12345678901234567890123, \"e\":1E400, \"id\": 7, \"7\": \"seven\",\n \
                      \"text\":\"\\u00e4 \\ud83d\\ude00 \\/\", \"null\":null, \"deep\":[[],{},[[1e0]]]}";

fn odd_events() -> Vec<ParsedEvent> {
    let event = |uid: &str, micros: i64| {
        let event = EmsEvent {
            event_type: "odd".to_owned(),
            source: "TEST".to_owned(),
            timestamp: chrono::DateTime::from_timestamp_micros(micros).unwrap(),
            full_data: FullData::from_text(NATIVE.to_owned()).unwrap(),
            ems_ref: Some(format!("ref-{uid}")),
            chain_id: Some(i64::MAX),
            is_task: Some(false),
            message: Some("two\nlines \u{1F600} \\u0041 \"quoted\"".to_owned()),
            username: Some(String::new()),
            vm_ems_ref: Some(" vm 1 ".to_owned()),
            ..EmsEvent::default()
        };
        ParsedEvent { event_uid: uid.to_owned(), event }
    };
    // Three within one second, one before 1970, one of a whole second.
    vec![
        event("a", 1_790_000_000_123_456),
        event("b", 1_790_000_000_123_457),
        event("c", 1_790_000_000_999_999),
        event("d", -1),
        event("e", 1_790_000_000_000_000),
    ]
}

async fn rows(fresh: &Fresh, ems_id: i64) -> Vec<Vec<Field>> {
    let sql = "SELECT event_uid, event_type, source, timestamp, full_data, ems_ref, chain_id, is_task, message, username, \
               vm_ems_ref FROM event_streams WHERE ems_id = ? ORDER BY event_uid";
    let rows = fresh.vmdb.read(move |c| c.rows(sql, &[ems_id.into()])).await.unwrap();
    rows.iter().map(|row| (0..11).map(|at| row.get(at).clone()).collect()).collect()
}

async fn an_event_is_the_same_row_to_the_byte_whether_or_not_it_went_through_the_queue(fresh: Fresh) {
    let direct = batch(odd_events());
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[direct])).await.unwrap();
    let queued = QueuedBatch {
        ems_id: EmsId(2),
        events: odd_events(),
        dead_letters: vec![],
        cursor: Some(cursor(1)),
        gap: None,
        is_refreshed: true,
    };
    fresh.write(move |c| put_events(c, &[queued])).await;
    let claimed = fresh.write(|c| claim_events(c, 1, 9)).await;
    let delivered = ReadyBatch {
        ems_id: EmsId(2),
        delivered: claimed.iter().map(|claimed| claimed.id).collect(),
        ..batch(claimed.into_iter().map(|claimed| claimed.event).collect())
    };
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &[delivered])).await.unwrap();
    let (direct, through) = (rows(&fresh, 1).await, rows(&fresh, 2).await);
    assert_eq!(direct.len(), 5);
    assert_eq!(direct, through);
    let distinct = fresh.count("SELECT count(DISTINCT timestamp) FROM event_streams").await;
    assert_eq!(distinct, 5, "parts of a second are kept");
    let kept = fresh
        .count("SELECT count(*) FROM event_streams WHERE full_data LIKE '%12345678901234567890123%1E400%'")
        .await;
    assert_eq!(kept, 10, "the native text is kept as it came");
}
