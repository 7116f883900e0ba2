//! What the VMDB refuses for its data costs the one event its row, and nothing else anything.

use catchall::event_handler::bisect::Committer;
use catchall::observe::{ActorKind, ActorState, Observe};
use catchall::provider::{Cursor, EmsEvent, EmsId, FullData, ParsedEvent};
use catchall::vmdb::{
    Access, BatchOutcome, Connection, DeadLetter, ReadyBatch, ReadyEvent, Vmdb, VmdbError, Work, event_commit,
};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

fn event(uid: &str) -> ReadyEvent {
    let full_data = FullData::from_text(format!("{uid:?}")).unwrap();
    let (event_type, source) = (uid.to_owned(), "TEST".to_owned());
    let event = EmsEvent { event_type, source, full_data, ..EmsEvent::default() };
    ReadyEvent::new(ParsedEvent { event_uid: uid.to_owned(), event }, Work::None)
}

fn batch(ems_id: i64, uids: &[&str]) -> ReadyBatch {
    let cursor = Some(Cursor { source: "test".to_owned(), position: ems_id.into() });
    let events = uids.iter().map(|uid| event(uid)).collect();
    ReadyBatch { events, cursor, ..ReadyBatch::of(EmsId(ems_id)) }
}

async fn committer(
    folder: &std::path::Path,
    commit: fn(&mut Connection, &[ReadyBatch]) -> Result<Vec<BatchOutcome>, VmdbError>,
) -> Committer {
    let settings = super::settings(folder, Vec::new());
    let vmdb = Vmdb::open(&settings.vmdb, Access::Run).await.unwrap();
    vmdb.migrate().await.unwrap();
    let figures = Observe::default().actor(ActorKind::EventHandler, None);
    Committer { vmdb, lane: 0, commit, figures }
}

fn refuses_poison(
    connection: &mut Connection,
    batches: &[ReadyBatch],
) -> Result<Vec<BatchOutcome>, VmdbError> {
    let events = batches.iter().flat_map(|batch| &batch.events);
    if events.clone().any(|ready| ready.event.event_uid == "poison") {
        return Err(VmdbError::Data("poison".to_owned()));
    }
    assert!(events.clone().all(|ready| ready.event.event_uid != "panic"), "the commit panics on purpose");
    let letters = batches.iter().flat_map(|batch| &batch.dead_letters);
    if letters.clone().any(|letter| letter.native.contains('\u{1}')) {
        return Err(VmdbError::Data("a control character".to_owned()));
    }
    event_commit::commit(connection, batches)
}

#[tokio::test]
async fn one_poison_is_one_dead_letter_and_all_else_is_stored_with_its_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let committer = committer(folder.path(), refuses_poison).await;
    let mut first = batch(1, &["a", "b", "poison", "c", "panic"]);
    for native in ["good letter", "bad letter \u{1}"] {
        let uid = native.to_owned();
        first.dead_letters.push(DeadLetter {
            transport_id: None,
            event_uid: uid,
            native: native.to_owned(),
            reason: String::new(),
        });
    }
    let outcomes = committer.commit(vec![first, batch(2, &["a", "b"])]).await;
    let counts: Vec<_> = outcomes.iter().map(|outcome| (outcome.new_events, outcome.dead_letters)).collect();
    assert_eq!(counts, [(3, 4), (2, 0)]);
    let rows = |sql: &'static str| {
        let read = committer.vmdb.read(move |connection| connection.rows(sql, &[]));
        async move { read.await.unwrap().iter().filter_map(|row| row.string(0)).collect::<Vec<_>>() }
    };
    assert_eq!(
        rows("SELECT event_uid FROM event_streams WHERE ems_id = 1 ORDER BY id").await,
        ["a", "b", "c"]
    );
    assert_eq!(rows("SELECT cursor FROM ems_cursors").await.len(), 2);
}

static REFUSALS: AtomicU32 = AtomicU32::new(3);

fn refuses_everything_for_a_while(
    connection: &mut Connection,
    batches: &[ReadyBatch],
) -> Result<Vec<BatchOutcome>, VmdbError> {
    match REFUSALS.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Err(VmdbError::Data("nothing can be stored".to_owned())),
        Err(_) => event_commit::commit(connection, batches),
    }
}

#[tokio::test]
async fn a_vmdb_that_refuses_everything_is_waited_for_and_not_asked_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let committer = committer(folder.path(), refuses_everything_for_a_while).await;
    let waiting = committer.commit(vec![batch(1, &[])]);
    tokio::pin!(waiting);
    let (mut waited, mut tick) = (false, tokio::time::interval(std::time::Duration::from_millis(10)));
    loop {
        tokio::select! {
            _ = &mut waiting => break,
            _ = tick.tick() => waited |= committer.figures.state() == ActorState::WaitingForVmdb,
        }
    }
    assert!(waited, "it says that it waits");
    assert_eq!(committer.figures.state(), ActorState::Running);
}
