//! [`Vmdb`]: the threads that own the connections, and how work reaches them.

use super::dialect::Connection;
use super::postgres::PostgresAddress;
use super::task_queue::{TaskQueue, Urgency, serve};
use super::{VmdbError, checkpoints, migrations, sqlite};
use crate::settings::VmdbSettings;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What somebody opens the VMDB for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `catchall run`: on SQLite, one per file.
    Run,
    /// The two halves of the street as processes of their own, and commands that write: side by side.
    Worker,
    /// Beside a running Catchall; makes nothing, writes nothing.
    Read,
}

/// The VMDB. Cheap to clone; closures run on its threads, in the order in which they were given for each thread.
#[derive(Clone)]
pub struct Vmdb(Arc<Inner>);

struct Inner {
    /// SQLite's one writer serves them all; PostgreSQL has some for events alone.
    lanes: Vec<Arc<TaskQueue>>,
    general: Arc<TaskQueue>,
    /// A refresh is saved in one transaction where that keeps nobody waiting but those who would use its connection.
    saves: Arc<TaskQueue>,
    reads: Arc<TaskQueue>,
    checkpoints: Arc<checkpoints::Closing>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    access: Access,
}

enum Address {
    Sqlite(PathBuf),
    Postgres(Box<PostgresAddress>),
}

const POSTGRES_LANES: usize = 4;
const GENERAL_WRITERS: usize = 2;
const SAVERS: usize = 2;
const READERS: usize = 3;

impl Vmdb {
    /// Opens the VMDB and checks that it answers. Tables are made by [`Vmdb::migrate`].
    ///
    /// # Errors
    /// [`VmdbError::Away`]: wait and try again. [`VmdbError::Locked`]: another `run` has this file.
    /// [`VmdbError::Refused`]: a wrong URL, or a database that is not ours.
    pub async fn open(settings: &VmdbSettings, access: Access) -> Result<Self, VmdbError> {
        let settings = settings.clone();
        let (answer, answered) = tokio::sync::oneshot::channel();
        // Not a thread of the async runtime: opening blocks, and PostgreSQL brings a runtime of its own.
        let opening = std::thread::Builder::new().name("vmdb-open".to_owned());
        opening
            .spawn(move || {
                let _ = answer.send(Self::open_here(&settings, access));
            })
            .map_err(|error| VmdbError::Away(format!("no thread for the VMDB: {error}")))?;
        answered.await.unwrap_or_else(|_| Err(VmdbError::Bug("opening the VMDB panicked".to_owned())))
    }

    fn open_here(settings: &VmdbSettings, access: Access) -> Result<Self, VmdbError> {
        let url = settings.url.expose();
        let (address, lock) = match sqlite::path_of(url) {
            Some(path) => {
                let lock = if access == Access::Run { Some(Arc::new(sqlite::lock(&path)?)) } else { None };
                (Address::Sqlite(path), lock)
            }
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                (Address::Postgres(Box::new(PostgresAddress::new(url, &settings.schema)?)), None)
            }
            None => {
                return Err(VmdbError::Refused(
                    "vmdb.url must start with sqlite:// or postgres://".to_owned(),
                ));
            }
        };
        address.check(access)?;
        Inner::start(Arc::new(address), access, lock).map(|inner| Self(Arc::new(inner)))
    }

    /// How many commits of events run side by side. An EMS keeps to one lane, so that its order holds.
    pub fn lanes(&self) -> usize {
        self.0.lanes.len()
    }

    /// Commits events, before anything else. Dropping the future does not take the work back.
    pub fn commit<T: Send + 'static>(
        &self,
        lane: usize,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> impl Future<Output = Result<T, VmdbError>> + Send + 'static {
        self.0.lanes[lane % self.0.lanes.len()].put(Urgency::Events, work)
    }

    /// Saves a refresh, or on SQLite a slice of it (at most some 50 ms of work): there after commits of events, before the
    /// rest.
    pub fn save<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> impl Future<Output = Result<T, VmdbError>> + Send + 'static {
        self.0.saves.put(Urgency::Refresh, work)
    }

    /// Any other write.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> impl Future<Output = Result<T, VmdbError>> + Send + 'static {
        self.0.general.put(Urgency::Rest, work)
    }

    /// Reads, beside all writes.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> impl Future<Output = Result<T, VmdbError>> + Send + 'static {
        self.0.reads.put(Urgency::Rest, work)
    }

    /// Brings the tables up to date; returns the names of the migrations that were run.
    ///
    /// # Errors
    /// See [`VmdbError`]; with [`Access::Read`] always [`VmdbError::Refused`].
    pub async fn migrate(&self) -> Result<Vec<String>, VmdbError> {
        if self.0.access == Access::Read {
            return Err(VmdbError::Refused("it was opened for reading".to_owned()));
        }
        self.write(migrations::run).await
    }

    /// Waits until everything that was given is done and the connections and the lock are gone.
    pub async fn close(self) {
        self.0.close_queues();
        let threads = std::mem::take(&mut *self.0.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let _ = joined.await;
    }
}

impl Address {
    fn open(&self, access: Access) -> Result<Connection, VmdbError> {
        match self {
            Self::Sqlite(path) => sqlite::open(path, access),
            Self::Postgres(address) => address.open(access),
        }
    }

    /// Connects once, so that what is wrong is known now.
    fn check(&self, access: Access) -> Result<(), VmdbError> {
        let mut connection = self.open(access)?;
        match self {
            Self::Sqlite(path) => {
                let place = path.display().to_string();
                connection.rows("SELECT count(*) FROM sqlite_master", &[]).map_err(|e| e.at(&place)).map(drop)
            }
            Self::Postgres(address) => address.prepare(&mut connection, access),
        }
    }
}

impl Inner {
    fn start(address: Arc<Address>, access: Access, lock: Option<Arc<File>>) -> Result<Self, VmdbError> {
        let queue = || Arc::new(TaskQueue::default());
        let (general, reads) = (queue(), queue());
        let (lanes, writers, saves) = match &*address {
            Address::Sqlite(_) => (vec![general.clone()], 1, general.clone()),
            Address::Postgres(_) => {
                ((0..POSTGRES_LANES).map(|_| queue()).collect(), GENERAL_WRITERS, queue())
            }
        };
        let (checkpoints, threads) = (Arc::default(), Mutex::default());
        let inner = Self { lanes, general, saves, reads, checkpoints, threads, access };
        if matches!(&*address, Address::Postgres(_)) {
            for lane in &inner.lanes {
                inner.spawn("vmdb-events", lane, &address, (access, lock.clone()))?;
            }
            for _ in 0..SAVERS {
                inner.spawn("vmdb-saves", &inner.saves, &address, (access, lock.clone()))?;
            }
        }
        for _ in 0..writers {
            inner.spawn("vmdb-writes", &inner.general, &address, (access, lock.clone()))?;
        }
        for _ in 0..READERS {
            inner.spawn("vmdb-reads", &inner.reads, &address, (Access::Read, lock.clone()))?;
        }
        if access != Access::Read {
            inner.spawn_checkpoints(&address, access)?;
        }
        Ok(inner)
    }

    /// PostgreSQL does this by itself.
    fn spawn_checkpoints(&self, address: &Arc<Address>, access: Access) -> Result<(), VmdbError> {
        let (closing, address) = (self.checkpoints.clone(), address.clone());
        let Address::Sqlite(path) = &*address else { return Ok(()) };
        let path = path.clone();
        self.keep("vmdb-checkpoints", move || checkpoints::make(&path, &closing, &|| address.open(access)))
    }

    /// The thread holds the lock as long as it lives.
    fn spawn(
        &self,
        name: &str,
        queue: &Arc<TaskQueue>,
        address: &Arc<Address>,
        (access, lock): (Access, Option<Arc<File>>),
    ) -> Result<(), VmdbError> {
        let (queue, address) = (queue.clone(), address.clone());
        self.keep(name, move || {
            serve(&queue, &|| address.open(access));
            drop(lock);
        })
    }

    fn keep(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), VmdbError> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|error| VmdbError::Away(format!("no thread for the VMDB: {error}")))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    fn close_queues(&self) {
        let others = [&self.general, &self.saves, &self.reads];
        self.lanes.iter().chain(others).for_each(|queue| queue.close());
        self.checkpoints.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close_queues();
    }
}
