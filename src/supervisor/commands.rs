//! What the Supervisor is told to do: restart, take over new settings, stop.

use super::Supervisor;
use crate::actor::rounds::StopRounds;
use crate::automate::Automation;
use crate::observe::{ActorKind, ActorState};
use crate::settings::Settings;
use crate::switchboard::Switchboard;
use crate::vmdb;
use actix::{AsyncContext, Handler, Message, ResponseFuture};

/// SIGUSR1: every event catcher is replaced by a fresh one.
#[derive(Message)]
#[rtype(result = "()")]
pub struct RestartCatchers;

impl Handler<RestartCatchers> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: RestartCatchers, ctx: &mut Self::Context) {
        self.restart(|_| true, ctx);
    }
}

/// SIGHUP, after the new settings were found good and entered in the VMDB: restart only what changed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reload {
    /// The new settings.
    pub settings: Settings,
    /// The new switchboard.
    pub switchboard: Switchboard,
    /// The rows of the settings' EMSs.
    pub ems: Vec<vmdb::ems::EmsRow>,
}

impl Handler<Reload> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, reload: Reload, ctx: &mut Self::Context) -> Self::Result {
        self.street.automation.set(Automation::new(&reload.settings, reload.switchboard));
        self.street.limits.set(reload.settings.most_full_refreshes);
        let new = &reload.settings.ext_management_systems;
        let same = |name: &str, old: &Settings| {
            let find = |settings: &Settings| {
                settings.ext_management_systems.iter().find(|ems| ems.name == name).cloned()
            };
            find(old) == find(&reload.settings) && old.keep_events == reload.settings.keep_events
        };
        let refused = |name: &str| {
            self.street.handling.observe.actor(ActorKind::EventCatcher, Some(name)).state()
                == ActorState::Refused
        };
        let affected: Vec<String> = self
            .children
            .keys()
            .filter(|name| !same(name, &self.settings) || refused(name))
            .cloned()
            .collect();
        let gone: Vec<String> =
            self.children.keys().filter(|name| !new.iter().any(|ems| ems.name == **name)).cloned().collect();
        let stop = self.stop_children(&affected);
        for name in &gone {
            self.children.remove(name);
        }
        self.delivery = None; // dropping the guard ends the one before; the next one knows the EMSs as they are now
        self.settings = reload.settings;
        self.learn(&reload.ems);
        let address = ctx.address();
        Box::pin(async move {
            stop.await;
            let _ = address.send(StartMissing { gone }).await;
        })
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct StartMissing {
    /// EMSs that left the settings and have stopped: their series end, unless they have come back meanwhile.
    gone: Vec<String>,
}

impl Handler<StartMissing> for Supervisor {
    type Result = ();

    fn handle(&mut self, StartMissing { gone }: StartMissing, _: &mut Self::Context) {
        for name in gone.iter().filter(|name| !self.children.contains_key(*name)) {
            self.street.handling.observe.forget(name);
        }
        self.start_missing();
    }
}

/// Stops everything in order; answers when it is done or its time is up. Nothing is lost either way.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Shutdown;

impl Handler<Shutdown> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Shutdown, _: &mut Self::Context) -> Self::Result {
        self.stopping = true;
        self.delivery = None;
        let names: Vec<String> = self.children.keys().cloned().collect();
        let workers = std::mem::take(&mut self.workers);
        let children = self.stop_children(&names);
        let (caught, vmdb) = (self.street.caught.clone(), self.street.handling.vmdb.clone());
        Box::pin(async move {
            futures_util::future::join(children, caught.stopped(&vmdb)).await;
            for worker in workers.into_values() {
                let _ = worker.stop.send(StopRounds).await;
            }
        })
    }
}
