//! The Supervisor: one event catcher per enabled EMS, one refresh worker where there is a collector, one event handler.
//!
//! It keeps them alive, each replaced by a fresh one when it ends or panics, with jittered back-off and without the others
//! noticing; it brings them in line with the settings and the VMDB; it stops them in order. `street` shows how they are
//! made; `run` is the process around it.

mod commands;
mod look;
mod notify;
pub mod run;
pub mod street;

pub use commands::{Reload, RestartCatchers, Shutdown};

use crate::actor::{ChildId, Children, Exit};
use crate::backoff::Backoff;
use crate::event_catcher::flood_control::FloodControl;
use crate::event_catcher::{EventCatcher, StopCatching};
use crate::http::SettingsPart;
use crate::observe::{ActorKind, ActorState};
use crate::provider::EmsId;
use crate::refresh::{RefreshWorker, StopRefreshing};
use crate::settings::{EmsSettings, Settings};
use crate::vmdb;
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, fut::wrap_future};
use look::{Look, Seen};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use street::{Handlers, Street, Worker, WorkerKind};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::DropGuard;

/// How often the VMDB is asked what commands beside this process want: which EMSs are paused, what is to be restarted or
/// refreshed.
const LOOK_FOR_PAUSED: Duration = Duration::from_secs(2);

/// The actor; see the module.
pub struct Supervisor {
    street: Street,
    settings: Settings,
    handlers: Option<Handlers>,
    delivery: Option<DropGuard>,
    children: HashMap<String, EmsChildren>,
    workers: BTreeMap<ActorKind, Worker>,
    notices: Children<ChildId, ()>,
    down: Option<UnboundedReceiver<Down>>,
    handler_backoff: Backoff,
    /// How many children there have been.
    spawned: u64,
    stopping: bool,
}

type Down = (ChildId, Exit<()>);

/// A child, and the number by which its notice names it.
struct Running<A: Actor> {
    number: u64,
    address: Addr<A>,
}

/// What one EMS has running.
struct EmsChildren {
    id: EmsId,
    settings: EmsSettings,
    catcher: Option<Running<EventCatcher>>,
    refresh: Option<Running<RefreshWorker>>,
    backoff: Backoff,
}

impl Supervisor {
    /// Makes it; `ems` are the rows that the settings' EMSs have in the VMDB.
    pub fn new(street: Street, settings: Settings, ems: &[vmdb::ems::EmsRow]) -> Self {
        let (notices, down) = Children::new();
        let mut supervisor = Self {
            street,
            settings,
            handlers: None,
            delivery: None,
            children: HashMap::new(),
            workers: BTreeMap::new(),
            notices,
            down: Some(down),
            handler_backoff: Backoff::of_children(),
            spawned: 0,
            stopping: false,
        };
        supervisor.learn(ems);
        supervisor
    }

    /// Takes over which EMSs there are and which of them are enabled.
    fn learn(&mut self, rows: &[vmdb::ems::EmsRow]) {
        let rows: HashMap<&str, &vmdb::ems::EmsRow> = rows.iter().map(|row| (&*row.name, row)).collect();
        for settings in &self.settings.ext_management_systems {
            let Some(row) = rows.get(settings.name.as_str()) else { continue };
            let mut settings = settings.clone();
            settings.enabled = row.enabled;
            self.street.handling.names.set(row.id, &row.name);
            match self.children.get_mut(&row.name) {
                Some(known) => known.settings = settings,
                None => {
                    let children = EmsChildren {
                        id: row.id,
                        settings,
                        catcher: None,
                        refresh: None,
                        backoff: Backoff::of_children(),
                    };
                    self.children.insert(row.name.clone(), children);
                }
            }
        }
        self.show_settings();
    }

    fn show_settings(&self) {
        let caught = self.children.iter().filter(|(name, ems)| self.street.catches(ems.id, name));
        self.street.caught.set(caught.map(|(name, ems)| (ems.id, (name.clone(), ems.settings.enabled))));
        self.street.context.set_rules(self.settings.rules.clone());
        if let Some(files) = &self.settings.http.tls
            && let Err(error) = self.street.context.read_certificate(files)
        {
            log::error!("http.tls: {error}; the certificate that was read before stays in force");
        }
        let enabled = self.children.iter().filter(|(_, ems)| ems.settings.enabled);
        self.street.context.set_settings(SettingsPart {
            event_groups: self.settings.event_groups.clone(),
            event_catchers: enabled.map(|(name, _)| name.clone()).collect(),
        });
    }

    /// Starts what should run and does not.
    fn start_missing(&mut self) {
        if self.delivery.is_none() {
            self.start_delivery();
        }
        let names: Vec<String> = self.children.keys().cloned().collect();
        for name in names {
            self.start_children(&name);
        }
        for worker in self.street.workers() {
            self.start_worker(*worker);
        }
    }

    fn start_worker(&mut self, worker: WorkerKind) {
        let kind = worker.actor();
        if self.stopping || self.workers.contains_key(&kind) {
            return;
        }
        self.spawned += 1;
        let notice = self.notices.notice(ChildId::of(kind, "", self.spawned));
        self.workers.insert(kind, self.street.spawn_worker(worker, notice));
    }

    /// The refresh worker first, so that the first commit finds its bell; then the catcher.
    fn start_children(&mut self, name: &str) {
        let (Some(handlers), Some(ems)) = (&self.handlers, self.children.get_mut(name)) else { return };
        if self.stopping || !ems.settings.enabled {
            return;
        }
        if ems.refresh.is_none() && self.street.refreshes(&ems.settings) {
            self.spawned += 1;
            let notice = self.notices.notice(ChildId::of(ActorKind::RefreshWorker, name, self.spawned));
            let address = self.street.spawn_refresh_worker(ems.id, &ems.settings, notice);
            self.street.handling.bells.set(ems.id, address.clone().recipient());
            ems.refresh = Some(Running { number: self.spawned, address });
        }
        if ems.catcher.is_none() && self.street.catches(ems.id, name) {
            self.spawned += 1;
            let notice = self.notices.notice(ChildId::of(ActorKind::EventCatcher, name, self.spawned));
            let address = self.street.spawn_catcher(ems.id, &ems.settings, handlers, &self.settings, notice);
            ems.catcher = Some(Running { number: self.spawned, address });
        }
    }

    fn start_handler(&mut self) {
        self.spawned += 1;
        let notice = self.notices.notice(ChildId::of(ActorKind::EventHandler, "", self.spawned));
        self.handlers = Some(self.street.spawn_handler(notice));
    }

    /// In a process that takes from `miq_queue`: (re)starts the taking, with the EMSs as they are now.
    fn start_delivery(&mut self) {
        if self.stopping || !self.street.delivers() {
            return;
        }
        if let Some(handlers) = &self.handlers {
            let all = || self.children.values();
            let ems = all().map(|ems| (ems.id, (ems.settings.provider, ems.settings.refresh.clone())));
            let flood = all().filter_map(|ems| {
                Some((ems.id, FloodControl::of(&ems.settings.catcher, &ems.settings.name)?))
            });
            let delivery = self.street.spawn_delivery(handlers, ems.collect(), flood.collect());
            self.delivery = Some(delivery);
        }
    }

    /// A child is gone. One that was asked to go reports too, but is known no longer.
    fn child_down(&mut self, (child, exit): Down, ctx: &mut Context<Self>) {
        if self.stopping || matches!(exit, Exit::Ended(())) {
            return;
        }
        let ChildId { kind, ems: name, number } = child;
        if kind == ActorKind::EventHandler {
            log::error!("the event handler panicked; it and all event catchers are replaced");
            self.handlers = None;
            self.delivery = None;
            let names: Vec<String> = self.children.keys().cloned().collect();
            let stop = self.stop_children(&names);
            let wait = self.handler_backoff.next_wait();
            ctx.spawn(wrap_future::<_, Self>(stop).map(move |(), _, ctx| Self::start_after(wait, ctx)));
            return;
        }
        if self.workers.remove(&kind).is_some() {
            log::error!("the {} panicked; it is replaced", kind.label().replace('_', " "));
            let figures = self.street.handling.observe.actor(kind, None);
            figures.set_failed_state(ActorState::BackingOff, "it panicked; see the log for where");
            Self::start_after(self.handler_backoff.next_wait(), ctx);
            return;
        }
        let Some(ems) = self.children.get_mut(&name) else { return };
        let current = match kind {
            ActorKind::RefreshWorker => ems.refresh.as_ref().map(|running| running.number),
            _ => ems.catcher.as_ref().map(|running| running.number),
        };
        if current != Some(number) {
            return;
        }
        log::error!("{name}: the {} panicked; it is replaced", kind.label().replace('_', " "));
        let figures = self.street.handling.observe.actor(kind, Some(&name));
        figures.set_failed_state(ActorState::BackingOff, "it panicked; see the log for where");
        if kind == ActorKind::RefreshWorker {
            ems.refresh = None;
            self.street.handling.bells.remove(ems.id);
        } else {
            ems.catcher = None;
        }
        Self::start_after(ems.backoff.next_wait(), ctx);
    }

    fn start_after(wait: Duration, ctx: &mut Context<Self>) {
        ctx.run_later(wait, |supervisor, _| {
            if supervisor.handlers.is_none() {
                supervisor.start_handler();
            }
            supervisor.start_missing();
        });
    }

    /// Takes the children of these EMSs out and gives what stops them in order, within the time that they have.
    fn stop_children(&mut self, names: &[String]) -> impl Future<Output = ()> + use<> {
        let deadline = self.shutdown_timeout();
        let mut stopped = Vec::new();
        for name in names {
            if let Some(ems) = self.children.get_mut(name) {
                self.street.handling.bells.remove(ems.id);
                stopped.push((ems.catcher.take(), ems.refresh.take()));
            }
        }
        async move {
            let all = stopped.into_iter().map(|(catcher, refresh)| async move {
                if let Some(catcher) = catcher
                    && tokio::time::timeout(deadline, catcher.address.send(StopCatching)).await.is_err()
                {
                    log::warn!(
                        "an event catcher did not stop within {deadline:?}; what it did not commit is read again"
                    );
                }
                if let Some(refresh) = refresh {
                    let _ = refresh.address.send(StopRefreshing).await;
                }
            });
            futures_util::future::join_all(all).await;
        }
    }

    fn look(&self) -> Look {
        let caught = self.children.values().filter(|ems| ems.catcher.is_some()).map(|ems| ems.id);
        Look::new(&self.street, caught.collect())
    }

    /// How long an orderly stop may take: the longest that any EMS allows.
    fn shutdown_timeout(&self) -> Duration {
        let timeouts =
            self.children.values().map(|ems| ems.settings.catcher.ems_event_thread_shutdown_timeout);
        timeouts.max().unwrap_or(Duration::from_secs(10))
    }

    /// Replaces the children of these EMSs by fresh ones.
    fn restart(&mut self, which: impl Fn(&EmsChildren) -> bool, ctx: &mut Context<Self>) {
        let chosen = self.children.iter().filter(|(_, ems)| which(ems));
        let names: Vec<String> = chosen.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return;
        }
        let stop = self.stop_children(&names);
        ctx.spawn(wrap_future::<_, Self>(stop).map(|(), supervisor, _| supervisor.start_missing()));
    }

    /// Brings the children in line with who is enabled now. It is asked all the time, so where nothing changed it costs
    /// next to nothing, however many EMSs there are.
    fn follow(&mut self, enabled: &HashSet<EmsId>, ctx: &mut Context<Self>) {
        let (mut paused, mut resumed) = (Vec::new(), false);
        for (name, ems) in &mut self.children {
            let now = enabled.contains(&ems.id);
            match (ems.settings.enabled, now) {
                (true, false) => {
                    log::info!("{name}: paused");
                    paused.push(name.clone());
                }
                (false, true) => {
                    log::info!("{name}: resumed");
                    resumed = true;
                }
                _ => {}
            }
            ems.settings.enabled = now;
        }
        if paused.is_empty() && !resumed {
            return;
        }
        self.show_settings();
        let stop = self.stop_children(&paused);
        ctx.spawn(wrap_future::<_, Self>(stop).map(|(), supervisor, _| supervisor.start_missing()));
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(mut down) = self.down.take() {
            let address = ctx.address();
            actix_rt::spawn(async move {
                while let Some(down) = down.recv().await {
                    if address.send(ChildDown(down)).await.is_err() {
                        break;
                    }
                }
            });
        }
        let figures = self.street.handling.observe.actor(ActorKind::Supervisor, None);
        figures.started();
        figures.set_state(ActorState::Running);
        self.start_handler();
        self.start_missing();
        ctx.run_interval(LOOK_FOR_PAUSED, |supervisor, ctx| {
            let asked = supervisor.look().ask();
            ctx.spawn(wrap_future::<_, Self>(asked).map(|asked, supervisor, ctx| match asked {
                Ok(Seen { enabled, restarts }) => {
                    supervisor.follow(&enabled, ctx);
                    supervisor.restart(|ems| restarts.contains(&ems.id), ctx);
                }
                Err(error) => log::debug!("looking for paused EMSs: {error}"),
            }));
        });
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct ChildDown(Down);

impl Handler<ChildDown> for Supervisor {
    type Result = ();

    fn handle(&mut self, ChildDown(down): ChildDown, ctx: &mut Self::Context) {
        self.child_down(down, ctx);
    }
}
