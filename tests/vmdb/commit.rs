//! The commit: events, dead letters, cursors and the work that follows, together or not at all.

use crate::support::{Fresh, batch, cursor, event, on_both};
use catchall::event_catcher::prepare::check;
use catchall::event_handler::portions::portions;
use catchall::provider::{EmsId, Gap, Target};
use catchall::vmdb::refresh_work::claim_refresh;
use catchall::vmdb::{
    BatchOutcome, DeadLetter, ReadyBatch, VmdbError, Work, cursors, dead_letters, event_commit, events, gaps,
};

on_both! {
    an_event_is_stored_once_however_often_it_is_committed
    two_events_with_one_identity_in_one_commit_are_one_row
    the_same_identity_in_two_emss_is_two_events
    a_row_holds_what_the_event_said
    the_cursor_moves_with_its_events_and_never_without_them
    what_a_crash_between_portions_left_is_known_when_the_batch_comes_again
    only_new_events_make_work_and_it_carries_their_ids
    a_dead_letter_is_counted_once
    a_gap_is_kept_and_asks_for_a_full_refresh
    the_same_gap_is_kept_once_however_often_it_is_committed
    content_that_cannot_be_stored_fails_the_commit_as_data
    thousands_of_events_go_in_one_commit
    what_is_holdable_is_held_and_what_is_not_is_said
    a_dead_letter_is_held_whatever_is_in_it
    a_new_dead_letter_asks_for_a_full_refresh_in_its_turn_and_a_known_one_for_nothing
}

async fn commit(fresh: &Fresh, batches: Vec<ReadyBatch>) -> Vec<BatchOutcome> {
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &batches)).await.expect("the commit succeeds")
}

async fn an_event_is_stored_once_however_often_it_is_committed(fresh: Fresh) {
    let batches = vec![batch(vec![event("a", "X"), event("b", "X")])];
    let first = commit(&fresh, batches.clone()).await;
    assert_eq!((first[0].new_events, first[0].duplicates), (2, 0));
    assert_eq!(first[0].timestamps.iter().max(), Some(&batches[0].events[0].event.event.timestamp));
    let second = commit(&fresh, batches).await;
    assert_eq!((second[0].new_events, second[0].duplicates, &*second[0].timestamps), (0, 2, &[][..]));
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 2);
    let recent = fresh.vmdb.read(|c| events::recent_uids(c, EmsId(1), 10)).await.unwrap();
    assert_eq!(recent, ["b", "a"]);
}

async fn two_events_with_one_identity_in_one_commit_are_one_row(fresh: Fresh) {
    let outcome = commit(&fresh, vec![batch(vec![event("a", "first"), event("a", "second")])]).await;
    assert_eq!((outcome[0].new_events, outcome[0].duplicates), (1, 1));
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams WHERE event_type = 'first'").await, 1);
}

async fn the_same_identity_in_two_emss_is_two_events(fresh: Fresh) {
    let other = ReadyBatch { ems_id: EmsId(2), ..batch(vec![event("a", "X")]) };
    let outcomes = commit(&fresh, vec![batch(vec![event("a", "X")]), other]).await;
    assert_eq!(outcomes.iter().map(|outcome| outcome.new_events).collect::<Vec<_>>(), [1, 1]);
    let counts = fresh.vmdb.read(events::counts).await.unwrap();
    assert_eq!(counts.iter().map(|(ems, count)| (ems.0, count.events)).collect::<Vec<_>>(), [(1, 1), (2, 1)]);
    assert_eq!(counts[&EmsId(1)].newest, Some(event("a", "X").event.timestamp));
}

async fn a_row_holds_what_the_event_said(fresh: Fresh) {
    let mut said = event("a", "VmStarted");
    said.event.message = Some("it's \u{1F600} up?".to_owned());
    said.event.chain_id = Some(7);
    said.event.is_task = Some(false);
    said.event.vm_ems_ref = Some("vm-1".to_owned());
    let expected = said.clone();
    commit(&fresh, vec![batch(vec![event("other", "X"), said])]).await;
    let sql = "SELECT type, event_type, source, timestamp, message, chain_id, is_task, vm_ems_ref, full_data, vm_name \
               FROM event_streams WHERE event_uid = 'a'";
    let row = fresh.vmdb.read(move |c| c.rows(sql, &[])).await.unwrap().remove(0);
    assert_eq!((row.text(0), row.text(1), row.text(2)), (Some("EmsEvent"), Some("VmStarted"), Some("TEST")));
    assert_eq!(row.time(3), Some(expected.event.timestamp));
    assert_eq!(row.text(4), expected.event.message.as_deref());
    assert_eq!((row.integer(5), row.boolean(6), row.text(7)), (Some(7), Some(false), Some("vm-1")));
    assert_eq!((row.text(8), row.text(9)), (Some("{\"id\": \"a\"}"), None));
}

async fn the_cursor_moves_with_its_events_and_never_without_them(fresh: Fresh) {
    let load = |c: &mut catchall::vmdb::Connection| cursors::load(c, EmsId(1));
    assert_eq!(fresh.vmdb.read(load).await.unwrap(), None);
    commit(&fresh, vec![ReadyBatch { cursor: Some(cursor(1)), ..batch(vec![event("a", "X")]) }]).await;
    assert_eq!(fresh.vmdb.read(load).await.unwrap(), Some(cursor(1)));
    let failed: Result<(), _> = fresh
        .vmdb
        .commit(0, |c| {
            c.transaction(|c| {
                event_commit::commit(
                    c,
                    &[ReadyBatch { cursor: Some(cursor(2)), ..batch(vec![event("b", "X")]) }],
                )?;
                Err(VmdbError::Data("what follows fails".to_owned()))
            })
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(fresh.vmdb.read(load).await.unwrap(), Some(cursor(1)));
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 1);
}

async fn what_a_crash_between_portions_left_is_known_when_the_batch_comes_again(fresh: Fresh) {
    let load = |c: &mut catchall::vmdb::Connection| cursors::load(c, EmsId(1));
    let events = (0..10).map(|n| event(&format!("e{n}"), "X")).collect();
    let whole = ReadyBatch { cursor: Some(cursor(7)), ..batch(events) };
    let (mut all, last) = portions(whole, 4);
    all.push(last);
    assert_eq!(commit(&fresh, vec![all[0].clone()]).await[0].new_events, 4);
    assert_eq!(fresh.vmdb.read(load).await.unwrap(), None, "the cursor waits for the last portion");
    let (mut new, mut known) = (0, 0);
    for portion in all {
        let outcome = commit(&fresh, vec![portion]).await.remove(0);
        (new, known) = (new + outcome.new_events, known + outcome.duplicates);
    }
    assert_eq!((new, known), (6, 4));
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 10);
    assert_eq!(fresh.vmdb.read(load).await.unwrap(), Some(cursor(7)));
}

async fn only_new_events_make_work_and_it_carries_their_ids(fresh: Fresh) {
    let mut asking = batch(vec![event("a", "X"), event("b", "X"), event("c", "X")]);
    asking.events[0].work = Work::Refresh(vec![Target::by_ems_ref("vms", "vm-1")]);
    asking.events[1].work =
        Work::Refresh(vec![Target::by_ems_ref("vms", "vm-2"), Target::by_ems_ref("vms", "vm-3")]);
    commit(&fresh, vec![batch(vec![event("a", "X")])]).await;
    let outcome = commit(&fresh, vec![asking.clone()]).await;
    assert!(outcome[0].work);
    assert!(!commit(&fresh, vec![asking]).await[0].work, "an event is known now, so nothing follows");
    let joined = "SELECT count(*) FROM event_streams e JOIN miq_queue q ON q.work_id = e.work_id WHERE e.event_uid = 'b'";
    assert_eq!(fresh.count(joined).await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams WHERE work_id IS NOT NULL").await, 1);
    let work = fresh.write(|c| claim_refresh(c, EmsId(1), 9, 10)).await;
    assert_eq!(work.len(), 1);
    let asked: Vec<_> = work[0].requests.iter().filter_map(|request| request.target.ems_ref()).collect();
    assert_eq!((asked, work[0].full), (vec!["vm-2", "vm-3"], false));
}

async fn a_dead_letter_is_counted_once(fresh: Fresh) {
    let letter = |uid: &str| DeadLetter {
        transport_id: None,
        event_uid: uid.to_owned(),
        native: "not JSON".to_owned(),
        reason: "expected value".to_owned(),
    };
    let with = |letters| ReadyBatch { dead_letters: letters, ..batch(vec![]) };
    assert_eq!(commit(&fresh, vec![with(vec![letter("a")])]).await[0].dead_letters, 1);
    assert_eq!(commit(&fresh, vec![with(vec![letter("a"), letter("b")])]).await[0].dead_letters, 1);
    let taken = fresh.write(|c| dead_letters::take_for_retry(c, 0, 1)).await;
    assert_eq!(taken[0].letter, letter("a"));
    let (id, after) = (taken[0].id, taken[0].id);
    assert_eq!(fresh.write(move |c| dead_letters::take_for_retry(c, after, 9)).await[0].letter, letter("b"));
    fresh.write(move |c| dead_letters::remove(c, vec![id])).await;
    let left = fresh.vmdb.read(|c| dead_letters::list(c, 9)).await.unwrap();
    assert_eq!(
        left.iter().map(|l| (l.letter.event_uid.as_str(), l.attempts)).collect::<Vec<_>>(),
        [("b", 1)]
    );
    assert_eq!(fresh.vmdb.read(dead_letters::counts).await.unwrap()[&EmsId(1)], 1);
}

async fn a_gap_is_kept_and_asks_for_a_full_refresh(fresh: Fresh) {
    let gap =
        Gap { from: None, to: Some(event("a", "X").event.timestamp), reason: "history_lost".to_owned() };
    let outcome = commit(&fresh, vec![ReadyBatch { gap: Some(gap.clone()), ..batch(vec![]) }]).await;
    assert!(outcome[0].work);
    let kept = fresh.vmdb.read(|c| gaps::list(c, 9)).await.unwrap();
    assert_eq!((kept.len(), &kept[0].gap), (1, &gap));
    let work = fresh.write(|c| claim_refresh(c, EmsId(1), 9, 10)).await;
    assert_eq!((work.len(), work[0].full), (1, true));
}

async fn the_same_gap_is_kept_once_however_often_it_is_committed(fresh: Fresh) {
    let time = event("a", "X").event.timestamp;
    for (number, from) in [(1, Some(time)), (2, None)] {
        let gap = Gap { from, to: None, reason: "source_changed".to_owned() };
        let found =
            |position| ReadyBatch { gap: Some(gap.clone()), cursor: Some(cursor(position)), ..batch(vec![]) };
        let outcome = commit(&fresh, vec![found(number)]).await;
        assert_eq!((outcome[0].gaps, outcome[0].work), (1, true), "{from:?}");
        let again = commit(&fresh, vec![found(number)]).await;
        assert_eq!((again[0].gaps, again[0].work), (0, false), "the answer was lost: {from:?}");
        let other = ReadyBatch { ems_id: EmsId(2), ..found(number) };
        assert_eq!(commit(&fresh, vec![other]).await[0].gaps, 1, "of another EMS: {from:?}");
    }
    // A stream that was replaced while its batch waited finds it again, and the cursor may stand elsewhere by then.
    let gap = Gap { from: Some(time), to: Some(time), reason: "source_changed".to_owned() };
    let again = ReadyBatch { gap: Some(gap.clone()), cursor: Some(cursor(9)), ..batch(vec![]) };
    assert_eq!(commit(&fresh, vec![again]).await[0].gaps, 0);
    // Where nobody knows where it began, a cursor that moved on since tells it apart.
    let unknown = Gap { from: None, ..gap };
    let later = ReadyBatch { gap: Some(unknown), cursor: Some(cursor(10)), ..batch(vec![]) };
    assert_eq!(commit(&fresh, vec![later]).await[0].gaps, 1);
}

async fn content_that_cannot_be_stored_fails_the_commit_as_data(fresh: Fresh) {
    let poison = |c: &mut catchall::vmdb::Connection| {
        c.execute("INSERT INTO event_streams (event_type, ems_id) VALUES ('X', 1)", &[])
    };
    let failed = fresh.vmdb.commit(0, poison).await;
    assert!(matches!(failed, Err(VmdbError::Data(_))), "{failed:?}");
}

async fn thousands_of_events_go_in_one_commit(fresh: Fresh) {
    let many: Vec<_> = (0..6000).map(|n| event(&format!("e{n}"), "X")).collect();
    let outcome = commit(&fresh, vec![batch(many)]).await;
    assert_eq!(outcome[0].new_events, 6000);
    let order = "SELECT count(*) FROM event_streams a JOIN event_streams b ON b.id = a.id + 1 \
                 WHERE a.event_uid = 'e4998' AND b.event_uid = 'e4999'";
    assert_eq!(fresh.count(order).await, 1);
}

async fn what_is_holdable_is_held_and_what_is_not_is_said(fresh: Fresh) {
    let with = |change: fn(&mut catchall::provider::ParsedEvent)| {
        let mut changed = event("a", "X");
        change(&mut changed);
        changed
    };
    let held = [
        with(|e| e.event_uid = "u".repeat(255)),
        with(|e| e.event.event_type = "x".repeat(255)),
        with(|e| e.event.message = Some("\u{1F600}".repeat(100_000))),
        with(|e| e.event.timestamp = chrono::DateTime::from_timestamp(-62_135_596_800, 0).unwrap()),
        with(|e| e.event.timestamp = chrono::DateTime::from_timestamp(253_402_300_799, 0).unwrap()),
    ];
    for (index, mut event) in held.into_iter().enumerate() {
        if event.event_uid == "a" {
            event.event_uid = index.to_string();
        }
        assert_eq!(check(&event), Ok(()), "{index}");
        assert_eq!(commit(&fresh, vec![batch(vec![event])]).await[0].new_events, 1, "{index}");
    }
    let not = [
        with(|e| e.event_uid = "u".repeat(256)),
        with(|e| e.event_uid.clear()),
        with(|e| e.event.vm_name = Some("a\0b".to_owned())),
        with(|e| e.event.event_type = "x".repeat(3000)),
        with(|e| e.event.timestamp = chrono::DateTime::<chrono::Utc>::MAX_UTC),
    ];
    for event in not {
        assert!(check(&event).is_err(), "{event:?}");
    }
}

async fn a_dead_letter_is_held_whatever_is_in_it(fresh: Fresh) {
    let letter = DeadLetter {
        transport_id: None,
        event_uid: "a".to_owned(),
        native: "a\0b".to_owned(),
        reason: "a NUL: \0".to_owned(),
    };
    let batches = vec![ReadyBatch { dead_letters: vec![letter], ..batch(vec![]) }];
    assert_eq!(commit(&fresh, batches).await[0].dead_letters, 1);
    assert_eq!(fresh.vmdb.read(|c| dead_letters::list(c, 1)).await.unwrap()[0].letter.native, "a\u{fffd}b");
}

async fn a_new_dead_letter_asks_for_a_full_refresh_in_its_turn_and_a_known_one_for_nothing(fresh: Fresh) {
    let letter = |uid: &str| DeadLetter {
        transport_id: None,
        event_uid: uid.to_owned(),
        native: "?".to_owned(),
        reason: "no JSON".to_owned(),
    };
    let ask = |uid: &str| ReadyBatch { dead_letters: vec![letter(uid)], ..batch(vec![]) };
    assert!(commit(&fresh, vec![ask("a")]).await[0].work);
    assert!(!commit(&fresh, vec![ask("a")]).await[0].work, "it is known");
    let nobody_refreshes = ReadyBatch { is_refreshed: false, ..ask("b") };
    assert!(!commit(&fresh, vec![nobody_refreshes]).await[0].work);
    let work = fresh.write(|c| claim_refresh(c, EmsId(1), 1, 9)).await;
    assert_eq!(work.iter().map(|work| (work.full, work.doubt)).collect::<Vec<_>>(), [(false, true)]);
}

#[tokio::test]
async fn on_sqlite_a_full_disk_says_so_and_the_next_commit_works_once_there_is_room() {
    let Some(fresh) = Fresh::sqlite().await else { return };
    fresh.vmdb.commit(0, |c| c.rows("PRAGMA max_page_count = 120", &[])).await.unwrap();
    let big = || {
        let mut big = event("big", "X");
        big.event.message = Some("x".repeat(1_000_000));
        vec![batch(vec![big])]
    };
    let failed = fresh.vmdb.commit(0, move |c| event_commit::commit(c, &big())).await;
    assert!(matches!(failed, Err(VmdbError::Full(_))), "{failed:?}");
    fresh.vmdb.commit(0, |c| c.rows("PRAGMA max_page_count = 1000000", &[])).await.unwrap();
    assert_eq!(commit(&fresh, big()).await[0].new_events, 1);
}

#[tokio::test]
async fn on_postgres_a_nul_in_a_text_is_a_data_error() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let batches = vec![batch(vec![event("a", "with \0")])];
    let failed = fresh.vmdb.commit(0, move |c| event_commit::commit(c, &batches)).await;
    assert!(matches!(failed, Err(VmdbError::Data(_))), "{failed:?}");
}
