//! Closures that wait for one of the VMDB's threads, most urgent first, and the threads.
//!
//! Nothing here is lost but answers: a closure that was queued is run, even if nobody waits for it any more.

use super::VmdbError;
use super::dialect::Connection;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What goes before what on a thread that does everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Commits of events: providers wait for their acknowledgement.
    Events = 0,
    /// Slices of a refresh.
    Refresh = 1,
    /// Everything else.
    Rest = 2,
}

/// Gets the connection, or why there is none; gives it back if it can be used again.
type Task = Box<dyn FnOnce(Result<Connection, VmdbError>) -> Option<Connection> + Send>;

/// Tasks in order.
#[derive(Default)]
pub(super) struct TaskQueue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    tasks: [VecDeque<Task>; 3],
    closed: bool,
}

impl TaskQueue {
    /// Queues `work`; its answer arrives in the future.
    pub(super) fn put<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> impl Future<Output = Result<T, VmdbError>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        let task: Task = Box::new(move |connection| {
            let (result, connection) = match connection {
                Ok(connection) => run(connection, work),
                Err(error) => (Err(error), None),
            };
            // Whoever asked may have gone.
            let _ = answer.send(result);
            connection
        });
        self.lock().tasks[urgency as usize].push_back(task);
        self.arrived.notify_one();
        async move {
            match answered.await {
                Ok(result) => result,
                Err(_) => Err(VmdbError::Bug("a thread of the VMDB ended before its work".to_owned())),
            }
        }
    }

    /// No more tasks come; threads end when they have done those that wait.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// The next task; `None` when it is time to end.
    fn take(&self) -> Option<Task> {
        let mut waiting = self.lock();
        loop {
            if let Some(task) = waiting.tasks.iter_mut().find_map(VecDeque::pop_front) {
                return Some(task);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work`. A connection is given back only if the next task can rely on it.
fn run<T>(
    mut connection: Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, VmdbError>,
) -> (Result<T, VmdbError>, Option<Connection>) {
    match catch_unwind(AssertUnwindSafe(|| work(&mut connection))) {
        Ok(result) => {
            let usable = !matches!(result, Err(VmdbError::Away(_))) && !connection.is_broken();
            (result, usable.then_some(connection))
        }
        Err(panic) => (Err(VmdbError::Bug(format!("panic: {}", panic_text(panic.as_ref())))), None),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("?")
}

/// What a thread does: takes tasks until its queue is closed; opens a connection when it has none.
pub(super) fn serve(queue: &Arc<TaskQueue>, open: &dyn Fn() -> Result<Connection, VmdbError>) {
    let mut connection = None;
    while let Some(task) = queue.take() {
        let opened = connection.take().map_or_else(open, Ok);
        connection = task(opened);
    }
}
