//! How the street is put together: which actors there are in which kind of process, and what each is made from.

use crate::actor::rounds::{Rounds, RoundsActor, StopRounds};
use crate::actor::{ArbiterHandles, ChildId, ExitNotice};
use crate::automate::SharedAutomation;
use crate::automate::worker::AutomateWorker;
use crate::event_catcher::flood_control::FloodControl;
use crate::event_catcher::messages::{LoadCursor, PutEvents};
use crate::event_catcher::parser::ParserSettings;
use crate::event_catcher::{Catching, EventCatcher};
use crate::event_handler::deliver::{DeliveredEms, Delivery};
use crate::event_handler::destination::{self, CommitBatches};
use crate::event_handler::{AreYouAlive, EventHandler, Handling};
use crate::http::HttpContext;
use crate::observe::ActorKind;
use crate::outages::{Caught, OutageRecorder};
use crate::provider::{ByteBudget, Ems, EmsId};
use crate::purger::Purger;
use crate::refresh::limits::RefreshLimits;
use crate::refresh::turns::Turns;
use crate::refresh::{RefreshWorker, Refreshing};
use crate::settings::{EmsSettings, Settings};
use crate::webhooks::sender::WebhookSender;
use actix::{Addr, Recipient};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a process does of the street.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// All of it: `catchall run`.
    Run,
    /// Catches from one EMS into `miq_queue`: `run-single-worker`.
    SingleWorker(Chosen),
    /// Takes from `miq_queue` what the others put there: `simulate-queue-worker`.
    QueueWorker,
}

/// How a person names one EMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// By its name in the settings.
    Name(String),
    /// By its row's id.
    Id(i64),
}

impl std::fmt::Display for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => write!(f, "the EMS with id {id}"),
        }
    }
}

impl Chosen {
    /// Whether it is this one.
    pub fn is(&self, id: EmsId, name: &str) -> bool {
        match self {
            Self::Name(chosen) => chosen == name,
            Self::Id(chosen) => *chosen == id.0,
        }
    }
}

/// What all actors of the process share.
#[derive(Clone)]
pub struct Street {
    /// What this process does.
    pub role: Role,
    /// VMDB, bells, names, figures.
    pub handling: Handling,
    /// What follows from events; SIGHUP replaces it.
    pub automation: SharedAutomation,
    /// Threads.
    pub arbiters: ArbiterHandles,
    /// Bytes of all pages in memory.
    pub budget: ByteBudget,
    /// Places to refresh in.
    pub limits: RefreshLimits,
    /// One refresh of an EMS at a time.
    pub turns: Turns,
    /// What the HTTP server shows.
    pub context: HttpContext,
    /// Who this process is, for claims.
    pub owner: i64,
    /// From whom this process should catch; the Supervisor keeps it.
    pub caught: Caught,
    /// Since when it is: what was claimed before is nobody's.
    pub began: DateTime<Utc>,
}

/// The workers that a process has once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerKind {
    /// Handlers, chains and rules.
    Automate,
    /// What leaves the house.
    Webhooks,
    /// What is older than is kept.
    Purging,
    /// When nobody caught.
    Outages,
}

impl WorkerKind {
    /// Under which it is known to its parent, and to figures and bells.
    pub const fn actor(self) -> ActorKind {
        match self {
            Self::Automate => ActorKind::AutomateWorker,
            Self::Webhooks => ActorKind::WebhookSender,
            Self::Purging => ActorKind::Purger,
            Self::Outages => ActorKind::OutageRecorder,
        }
    }
}

/// A worker that the process has once.
pub struct Worker {
    /// Ends it.
    pub stop: Recipient<StopRounds>,
}

/// Who takes what event catchers bring.
#[derive(Clone)]
pub struct Handlers {
    /// Commits.
    pub put_events: Recipient<PutEvents>,
    /// Knows cursors.
    pub load_cursor: Recipient<LoadCursor>,
    /// Answers as long as it does not hang.
    pub alive: Recipient<AreYouAlive>,
}

impl Street {
    /// Whether this process catches from the EMS.
    pub fn catches(&self, id: EmsId, name: &str) -> bool {
        match &self.role {
            Role::Run => true,
            Role::SingleWorker(chosen) => chosen.is(id, name),
            Role::QueueWorker => false,
        }
    }

    /// Whether this process takes events from `miq_queue`.
    pub fn delivers(&self) -> bool {
        match self.role {
            Role::Run | Role::QueueWorker => true,
            Role::SingleWorker(_) => false,
        }
    }

    /// Whether this process does what waits in `miq_queue`, and gives back what a dead one had claimed.
    pub fn handles(&self) -> bool {
        !matches!(self.role, Role::SingleWorker(_))
    }

    /// Whether this process refreshes the EMS.
    pub fn refreshes(&self, ems: &EmsSettings) -> bool {
        let here = match self.role {
            Role::Run | Role::QueueWorker => true,
            Role::SingleWorker(_) => false,
        };
        here && ems.refresh.enabled && ems.provider.has_collector()
    }

    /// The end of the catching half: the VMDB itself, or its queue when the handling half is another process.
    pub fn spawn_handler(&self, notice: ExitNotice<ChildId, ()>) -> Handlers {
        let commit: CommitBatches = match self.role {
            Role::Run | Role::QueueWorker => destination::EVENT_STREAMS,
            Role::SingleWorker(_) => destination::into_miq_queue,
        };
        let handler = EventHandler::spawn(&self.arbiters.handler, self.handling.clone(), commit, notice);
        Handlers {
            put_events: handler.clone().recipient(),
            load_cursor: handler.clone().recipient(),
            alive: handler.recipient(),
        }
    }

    /// Takes from `miq_queue` until the guard is dropped.
    pub fn spawn_delivery(
        &self,
        handlers: &Handlers,
        ems: HashMap<EmsId, DeliveredEms>,
        flood: HashMap<EmsId, FloodControl>,
    ) -> DropGuard {
        let delivery = Delivery {
            handling: self.handling.clone(),
            handler: handlers.put_events.clone(),
            automation: self.automation.clone(),
            owner: self.owner,
            pause: match self.role {
                Role::QueueWorker => Duration::from_millis(200),
                Role::Run | Role::SingleWorker(_) => Duration::from_secs(5),
            },
            ems,
            flood: Mutex::new(flood),
        };
        let stop = CancellationToken::new();
        self.arbiters.handler.spawn(delivery.run(stop.clone()));
        stop.drop_guard()
    }

    /// One EMS's catcher, which spawns its stream and parser.
    pub fn spawn_catcher(
        &self,
        id: EmsId,
        ems: &EmsSettings,
        handlers: &Handlers,
        settings: &Settings,
        notice: ExitNotice<ChildId, ()>,
    ) -> Addr<EventCatcher> {
        let mut own = self.ems(id, ems);
        if matches!(self.role, Role::SingleWorker(_)) {
            own.catcher.flooding_monitor_enabled = false; // the handling half has it
        }
        let catching = Catching {
            ems: own,
            provider: ems.provider,
            parser: ParserSettings {
                filter: ems.blacklisted_event_names.clone(),
                refresh: ems.refresh.clone(),
                keep_events: settings.keep_events,
                ems_name: ems.name.clone(),
                automation: self.automation.clone(),
            },
            handler: handlers.put_events.clone(),
            cursors: handlers.load_cursor.clone(),
            observe: self.handling.observe.clone(),
            arbiters: self.arbiters.clone(),
        };
        EventCatcher::spawn(catching, notice)
    }

    /// The workers that this process has once.
    pub fn workers(&self) -> &'static [WorkerKind] {
        match self.role {
            Role::Run => {
                &[WorkerKind::Automate, WorkerKind::Webhooks, WorkerKind::Purging, WorkerKind::Outages]
            }
            Role::QueueWorker => &[WorkerKind::Automate, WorkerKind::Webhooks, WorkerKind::Purging],
            Role::SingleWorker(_) => &[WorkerKind::Outages],
        }
    }

    /// One of [`Street::workers`].
    pub fn spawn_worker(&self, worker: WorkerKind, notice: ExitNotice<ChildId, ()>) -> Worker {
        let (handling, kind) = (self.handling.clone(), worker.actor());
        match worker {
            WorkerKind::Automate => {
                let worker =
                    AutomateWorker { handling, automation: self.automation.clone(), owner: self.owner };
                self.spawn_rounds(kind, worker, notice)
            }
            WorkerKind::Webhooks => {
                let sender = WebhookSender::new(handling, self.automation.clone(), self.owner);
                self.spawn_rounds(kind, sender, notice)
            }
            WorkerKind::Purging => {
                self.spawn_rounds(kind, Purger::new(handling, self.automation.clone()), notice)
            }
            WorkerKind::Outages => {
                self.spawn_rounds(kind, OutageRecorder::new(handling, self.caught.clone()), notice)
            }
        }
    }

    fn spawn_rounds(&self, kind: ActorKind, rounds: impl Rounds, notice: ExitNotice<ChildId, ()>) -> Worker {
        let figures = self.handling.observe.actor(kind, None);
        let address = RoundsActor::spawn(&self.arbiters.refresh, rounds, figures, notice);
        self.handling.bells.set_worker(kind, address.clone().recipient());
        Worker { stop: address.recipient() }
    }

    /// One EMS's refresh worker.
    pub fn spawn_refresh_worker(
        &self,
        id: EmsId,
        ems: &EmsSettings,
        notice: ExitNotice<ChildId, ()>,
    ) -> Addr<RefreshWorker> {
        let refreshing = Refreshing {
            ems: self.ems(id, ems),
            provider: ems.provider,
            settings: ems.refresh.clone(),
            vmdb: self.handling.vmdb.clone(),
            limits: self.limits.clone(),
            turns: self.turns.clone(),
            owner: self.owner,
            observe: self.handling.observe.clone(),
        };
        RefreshWorker::spawn(&self.arbiters.refresh, refreshing, notice)
    }

    fn ems(&self, id: EmsId, settings: &EmsSettings) -> Ems {
        ems_of(id, settings, &self.budget)
    }
}

/// An EMS as its provider sees it.
pub fn ems_of(id: EmsId, settings: &EmsSettings, budget: &ByteBudget) -> Ems {
    Ems {
        id,
        name: settings.name.clone(),
        provider_region: settings.provider_region.clone(),
        endpoints: settings.endpoints.clone(),
        authentications: settings.authentications.clone(),
        catcher: settings.catcher.clone(),
        budget: budget.clone(),
    }
}
