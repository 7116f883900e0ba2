//! What actix leaves to its users: where actors live, and how a parent learns that a child is gone.
//!
//! actix's own Supervisor does not restart after a panic, and keeps the same, possibly broken value when it restarts
//! (actix#158, actix#204). Here a parent holds a [`Children`] channel; every child carries an [`ExitNotice`] which reports
//! how it ended, also while a panic unwinds; the parent then makes a fresh child.

pub mod rounds;

use crate::observe::ActorKind;
use actix_rt::{Arbiter, ArbiterHandle};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The threads on which actors live. Parsers run off the streams' threads, so that a heavy page delays no other stream.
#[derive(Debug)]
pub struct Arbiters {
    /// Event catchers and their streams: waiting, mostly.
    pub streams: Arbiter,
    /// Parsers: computing, mostly.
    pub parsers: Arbiter,
    /// The event handler.
    pub handler: Arbiter,
    /// Refresh workers.
    pub refresh: Arbiter,
}

impl Arbiters {
    /// Starts the four threads. Needs a running `actix_rt::System`.
    pub fn start() -> Self {
        Self {
            streams: Arbiter::new(),
            parsers: Arbiter::new(),
            handler: Arbiter::new(),
            refresh: Arbiter::new(),
        }
    }

    /// Their handles, for those who start actors.
    pub fn handles(&self) -> ArbiterHandles {
        ArbiterHandles {
            streams: self.streams.handle(),
            parsers: self.parsers.handle(),
            handler: self.handler.handle(),
            refresh: self.refresh.handle(),
        }
    }
}

/// See [`Arbiters`].
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "documented at `Arbiters`")]
pub struct ArbiterHandles {
    pub streams: ArbiterHandle,
    pub parsers: ArbiterHandle,
    pub handler: ArbiterHandle,
    pub refresh: ArbiterHandle,
}

/// Which child of the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildId {
    /// What it is.
    pub kind: ActorKind,
    /// Its EMS's name; empty for the one that all share.
    pub ems: String,
    /// Tells it from those before it: the last words of a predecessor are not about its successor.
    pub number: u64,
}

impl ChildId {
    /// The child of this kind, EMS and number.
    pub fn of(kind: ActorKind, ems: &str, number: u64) -> Self {
        Self { kind, ems: ems.to_owned(), number }
    }
}

/// How a child ended.
#[derive(Debug)]
pub enum Exit<R> {
    /// On its own, for this reason.
    Ended(R),
    /// By a panic.
    Panicked,
}

/// The parent's side: notices of its children, each with what the parent uses to tell them apart.
pub struct Children<K, R> {
    sender: UnboundedSender<(K, Exit<R>)>,
}

impl<K, R> Children<K, R> {
    /// The channel, and the receiver from which the parent feeds itself.
    pub fn new() -> (Self, UnboundedReceiver<(K, Exit<R>)>) {
        let (sender, receiver) = unbounded_channel();
        (Self { sender }, receiver)
    }

    /// A notice for one child.
    pub fn notice(&self, child: K) -> ExitNotice<K, R> {
        ExitNotice { child: Some(child), sender: self.sender.clone() }
    }
}

/// The child's side. Reports at most once; dropped unreported, it reports a panic, since an orderly end is reported.
pub struct ExitNotice<K, R> {
    child: Option<K>,
    sender: UnboundedSender<(K, Exit<R>)>,
}

impl<K, R> ExitNotice<K, R> {
    /// Tells the parent. A parent that is gone needs no notice.
    pub fn report(&mut self, exit: Exit<R>) {
        if let Some(child) = self.child.take() {
            let _ = self.sender.send((child, exit));
        }
    }
}

impl<K, R> Drop for ExitNotice<K, R> {
    fn drop(&mut self) {
        // Must not panic: a second panic while one unwinds would end the whole process.
        self.report(Exit::Panicked);
    }
}
