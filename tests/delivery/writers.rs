//! Who stores an event is not alone: two writers at once, events told twice, and what one row of work may weigh.

use super::support::{Fresh, batch, event, on_both, postgres_settings};
use catchall::provider::{Secret, Target};
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, BatchOutcome, DeadLetter, ReadyBatch, Vmdb, VmdbError, Work, event_commit};

on_both! {
    two_writers_that_store_the_same_events_at_once_make_one_row_and_one_work_of_each
    an_event_told_again_with_another_time_and_text_is_the_same_event
    many_events_of_few_things_are_little_work_however_long_it_waits
    every_commit_is_on_the_disk_before_it_is_answered
}

/// An event of one VM, that asks for its refresh.
fn asking(uid: &str, vm: &str) -> ReadyBatch {
    let mut batch = batch(vec![event(uid, "X")]);
    batch.events[0].work = Work::Refresh(vec![Target::by_ems_ref("vms", vm)]);
    batch
}

/// Commits as the event handler does: what is only busy is tried again.
async fn commit(vmdb: &Vmdb, batch: ReadyBatch) -> BatchOutcome {
    loop {
        let again = vec![batch.clone()];
        match vmdb.commit(0, move |c| event_commit::commit(c, &again)).await {
            Ok(mut outcomes) => return outcomes.remove(0),
            Err(VmdbError::Busy(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Forty batches of ten events; the other writer has the events of each in reverse.
fn batches(reverse: bool) -> Vec<ReadyBatch> {
    let batch = |number: u32| {
        let uids: Vec<_> = (0..10).map(|event| format!("e{number}-{event}")).collect();
        let mut events: Vec<_> = uids.iter().flat_map(|uid| asking(uid, uid).events).collect();
        if reverse {
            events.reverse();
        }
        let letter = DeadLetter {
            event_uid: format!("l{number}"),
            native: "?".into(),
            reason: "?".into(),
            transport_id: None,
        };
        ReadyBatch { events, dead_letters: vec![letter], ..super::support::batch(vec![]) }
    };
    (0..40).map(batch).collect()
}

async fn two_writers_that_store_the_same_events_at_once_make_one_row_and_one_work_of_each(fresh: Fresh) {
    let other = Vmdb::open(&fresh.settings, Access::Worker).await.unwrap();
    let write = |vmdb: Vmdb, reverse: bool| async move {
        let mut new = (0, 0);
        for batch in batches(reverse) {
            let outcome = commit(&vmdb, batch).await;
            assert_eq!(outcome.new_events + outcome.duplicates, 10);
            new = (new.0 + outcome.new_events, new.1 + outcome.dead_letters);
        }
        new
    };
    let (one, two) =
        tokio::join!(tokio::spawn(write(fresh.vmdb.clone(), false)), tokio::spawn(write(other, true)));
    let (one, two) = (one.unwrap(), two.unwrap());
    println!("new events and letters: {one:?} and {two:?}");
    assert_eq!((one.0 + two.0, one.1 + two.1), (400, 40), "each is new for one of the two");
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 400);
    assert_eq!(fresh.count("SELECT count(*) FROM dead_letters").await, 40);
    let targets = fresh
        .vmdb
        .read(|c| c.rows("SELECT args FROM miq_queue WHERE class_name = 'EmsRefresh'", &[]))
        .await
        .unwrap();
    let args: String = targets.iter().filter_map(|row| row.string(0)).collect();
    for batch in batches(false) {
        for ready in &batch.events {
            let asked = args.matches(&format!("\"ems_ref\":\"{}\"", ready.event.event_uid)).count();
            assert_eq!(asked, 1, "{} is to be refreshed once", ready.event.event_uid);
        }
    }
}

/// Kubernetes counts up the same event; others correct a time or a text. The provider's identity of the event decides.
async fn an_event_told_again_with_another_time_and_text_is_the_same_event(fresh: Fresh) {
    assert_eq!(commit(&fresh.vmdb, asking("a", "vm-1")).await.new_events, 1);
    let mut again = asking("a", "vm-1");
    let told = &mut again.events[0].event.event;
    told.timestamp += chrono::TimeDelta::seconds(77);
    told.event_type = "Y".to_owned();
    told.message = Some("seen 2 times".to_owned());
    let outcome = commit(&fresh.vmdb, again).await;
    assert_eq!((outcome.new_events, outcome.duplicates, outcome.work), (0, 1, false));
    assert_eq!(
        commit(&fresh.vmdb, asking("b", "vm-1")).await.new_events,
        1,
        "the same, but for its identity"
    );
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 2);
}

async fn many_events_of_few_things_are_little_work_however_long_it_waits(fresh: Fresh) {
    for commits in 0..10 {
        let events =
            (0..2_000).flat_map(|n| asking(&format!("{commits}-{n}"), &format!("vm-{}", n % 10)).events);
        let batch = ReadyBatch { events: events.collect(), ..batch(vec![]) };
        assert_eq!(commit(&fresh.vmdb, batch).await.new_events, 2_000);
    }
    let bytes = fresh.count("SELECT sum(length(args)) FROM miq_queue WHERE class_name = 'EmsRefresh'").await;
    assert!(bytes < 10 * 10 * 400, "20,000 events of 10 VMs wait as {bytes} bytes of work");
}

async fn every_commit_is_on_the_disk_before_it_is_answered(fresh: Fresh) {
    if fresh.vmdb.lanes() == 1 {
        let pragma = |sql: &'static str| fresh.vmdb.commit(0, move |c| c.rows(sql, &[]));
        assert_eq!(pragma("PRAGMA synchronous").await.unwrap()[0].integer(0), Some(2), "2 is FULL");
        assert_eq!(pragma("PRAGMA journal_mode").await.unwrap()[0].text(0), Some("wal"));
        return;
    }
    let Some(server) = crate::postgres::server() else { return };
    let settings = postgres_settings().unwrap();
    for (default, expected) in [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")] {
        let url = format!("{}?options=-c%20synchronous_commit%3D{default}", server.url);
        let settings = VmdbSettings { url: Secret::new(url), ..settings.clone() };
        let vmdb = Vmdb::open(&settings, Access::Worker).await.unwrap();
        let shown = vmdb.commit(0, |c| c.rows("SHOW synchronous_commit", &[])).await.unwrap();
        assert_eq!(shown[0].text(0), Some(expected), "where the default is {default}");
    }
}
