//! What was caught, into a VMDB (SQLite in a temporary folder): what passed the checks can be stored.
//!
//! Two ways lead there: a provider's native event, and what waits in `miq_queue` between two processes.

use super::events::{self, Caught};
use catchall::event_catcher::prepare::{check, dead_letter};
use catchall::provider::{EmsId, Secret};
use catchall::settings::VmdbSettings;
use catchall::vmdb::{
    Access, BatchOutcome, Connection, ReadyBatch, ReadyEvent, Value, Vmdb, VmdbError, Work,
};
use catchall::vmdb::{event_commit, miq_queue};
use std::cell::LazyCell;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A VMDB that is emptied between trials.
pub struct Store {
    runtime: Runtime,
    vmdb: Vmdb,
    _folder: TempDir,
}

thread_local! {
    static STORE: LazyCell<Store> = LazyCell::new(Store::new);
}

/// An odd first byte: the rest is the args of a row of `miq_queue`. An even one: the rest is for [`events::hold`], and is
/// committed, twice.
pub fn hold(data: &[u8]) {
    let [way, rest @ ..] = data else { return };
    STORE.with(|store| match (way % 2, rest) {
        (1, args) => {
            store.deliver(&String::from_utf8_lossy(args));
        }
        (_, [provider, wrapping, text @ ..]) => {
            let native = events::native(*wrapping, text);
            store.keep(events::catch(events::provider_of(*provider), &native));
        }
        _ => {}
    });
}

impl Store {
    /// Opens and migrates it.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = Secret::new(format!("sqlite://{}/catchall.db", folder.path().display()));
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let settings = VmdbSettings { url, schema: "catchall".to_owned() };
        let vmdb = runtime.block_on(async {
            let vmdb = Vmdb::open(&settings, Access::Run).await.expect("the VMDB opens");
            vmdb.migrate().await.expect("the migrations run");
            vmdb
        });
        Self { runtime, vmdb, _folder: folder }
    }

    /// Commits it twice: all of it is stored by the first, and nothing is new to the second.
    pub fn keep(&self, caught: Caught) {
        let (events, letters) = (caught.events.len() as u64, caught.dead_letters.len() as u64);
        if events + letters == 0 {
            return;
        }
        let batch = ReadyBatch {
            events: caught.events,
            dead_letters: caught.dead_letters,
            ..ReadyBatch::of(EmsId(1))
        };
        let (first, second) = self.write(move |connection| {
            let first = commit(connection, &batch)?;
            let second = commit(connection, &batch)?;
            clear(connection)?;
            Ok((first, second))
        });
        assert_eq!(first.new_events + first.duplicates, events, "{first:?}");
        assert_eq!((second.new_events, second.duplicates, second.dead_letters), (0, events, 0), "{letters}");
        assert!(first.dead_letters <= letters && (letters == 0 || first.dead_letters > 0), "{first:?}");
    }

    /// Has a row with these `args` delivered: it becomes an event or a dead letter. Tells whether it is an event.
    pub fn deliver(&self, args: &str) -> bool {
        // What holds NUL is in no column.
        let args = args.replace('\0', "\u{FFFD}");
        self.write(move |connection| {
            let sql = "INSERT INTO miq_queue (queue_name, class_name, method_name, state, target_id, args, created_on, \
                       updated_on) VALUES ('ems', 'EmsEvent', 'add', 'ready', 1, ?, '2026-11-24', '2026-11-24')";
            connection.execute(sql, &[Value::from(&args)])?;
            let mut batch = ReadyBatch::of(EmsId(1));
            for claimed in miq_queue::claim_events(connection, 7, 10)? {
                batch.delivered.push(claimed.id);
                match check(&claimed.event) {
                    Ok(()) => batch.events.push(ReadyEvent::new(claimed.event, Work::FullRefresh)),
                    Err(error) => {
                        batch.dead_letters.push(dead_letter(claimed.event.event.full_data.text(), &error.0));
                    }
                }
            }
            let is_event = !batch.events.is_empty();
            commit(connection, &batch)?;
            let count = |connection: &mut Connection, sql: &str| connection.rows(sql, &[])?[0].id(0);
            let waiting = count(connection, "SELECT count(*) FROM miq_queue WHERE class_name = 'EmsEvent'")?;
            assert_eq!(waiting, 0, "the row is answered");
            let kept = count(connection, "SELECT count(*) FROM event_streams")?
                + count(connection, "SELECT count(*) FROM dead_letters")?;
            assert_eq!(kept, 1, "as an event or as a dead letter");
            clear(connection)?;
            Ok(is_event)
        })
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> T {
        // One transaction, so that a trial costs no more than it must.
        let work = |connection: &mut Connection| connection.transaction(work);
        self.runtime.block_on(self.vmdb.write(work)).expect("what was checked can be stored")
    }
}

fn commit(connection: &mut Connection, batch: &ReadyBatch) -> Result<BatchOutcome, VmdbError> {
    Ok(event_commit::commit(connection, std::slice::from_ref(batch))?.remove(0))
}

fn clear(connection: &mut Connection) -> Result<(), VmdbError> {
    for table in ["event_streams", "dead_letters", "miq_queue", "event_gaps"] {
        connection.execute(&format!("DELETE FROM {table}"), &[])?;
    }
    Ok(())
}
