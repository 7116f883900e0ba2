//! The process around the street: opens the VMDB, starts the Supervisor and the HTTP server, and follows the signals.

use super::street::{Role, Street};
use super::{Reload, RestartCatchers, Shutdown, Supervisor, notify};
use crate::actor::Arbiters;
use crate::automate::{Automation, SharedAutomation};
use crate::backoff::Backoff;
use crate::clock;
use crate::event_handler::{Bells, EmsNames, Handling};
use crate::http::{self, HttpContext};
use crate::observe::Observe;
use crate::outages::Caught;
use crate::provider::ByteBudget;
use crate::refresh::limits::RefreshLimits;
use crate::refresh::turns::Turns;
use crate::settings::{Settings, plan};
use crate::switchboard::Switchboard;
use crate::vmdb::{self, Access, Vmdb, VmdbError};
use actix::{Actor, Addr};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Reads settings and switchboard; called again at SIGHUP. `Err` is what people are told.
pub type Load = Box<dyn Fn() -> Result<(Settings, Switchboard), String>>;

/// Why a process of the street ended with status 1.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The VMDB cannot be used by this process.
    #[error(transparent)]
    Vmdb(#[from] VmdbError),
    /// The address cannot be listened on, or signals cannot be caught.
    #[error("{0}")]
    Io(String),
    /// The EMS that was asked for is not in the settings.
    #[error("{0}")]
    NoSuchEms(String),
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user1: Signal,
}

impl Signals {
    fn new() -> Result<Self, RunError> {
        let on = |kind| signal(kind).map_err(|error| RunError::Io(format!("catching signals: {error}")));
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hangup: on(SignalKind::hangup())?,
            user1: on(SignalKind::user_defined1())?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {},
            _ = self.interrupt.recv() => {},
        }
    }
}

/// Runs until it is told to stop. `settings` and `switchboard` are what `load` gave first.
///
/// # Errors
/// See [`RunError`]; a VMDB that is away is waited for.
pub fn run(role: Role, settings: Settings, switchboard: Switchboard, load: Load) -> Result<(), RunError> {
    actix_rt::System::new().block_on(async move {
        let mut signals = Signals::new()?;
        let observe = Observe::default();
        let budget = ByteBudget::default();
        observe.set_byte_budget(budget.clone());
        let context = HttpContext::new(observe.clone(), settings.http.token.clone());
        if let Some(files) = &settings.http.tls {
            context.read_certificate(files).map_err(|error| RunError::Io(format!("http.tls: {error}")))?;
        }
        let server = match settings.http.listen.filter(|_| role == Role::Run) {
            Some(listen) => {
                let server =
                    http::serve(listen, context.clone()).map_err(|error| RunError::Io(error.to_string()))?;
                log::info!("listening on {}", server.url());
                Some(server)
            }
            None => None,
        };
        let opened = tokio::select! {
            opened = open(&role, &settings) => opened?,
            () = signals.stop() => return Ok(()),
        };
        context.set_vmdb(opened.0.clone());
        let vmdb = opened.0.clone();
        let supervisor =
            start(role, settings.clone(), switchboard, opened, Shared { observe, budget, context })?;
        notify::watch(supervisor.clone());
        follow_signals(&mut signals, &supervisor, settings, load, &vmdb).await;
        if let Some(server) = server {
            server.stop().await;
        }
        Ok(())
    })
}

/// What the street and the HTTP server share.
struct Shared {
    observe: Observe,
    budget: ByteBudget,
    context: HttpContext,
}

type Opened = (Vmdb, Vec<vmdb::ems::EmsRow>);

/// Opens and prepares the VMDB; waits while it is away.
async fn open(role: &Role, settings: &Settings) -> Result<Opened, RunError> {
    let mut backoff = Backoff::of_children();
    loop {
        match try_open(role, settings).await {
            Ok(opened) => return Ok(opened),
            Err(error @ (VmdbError::Away(_) | VmdbError::Busy(_))) => {
                log::warn!("waiting for the VMDB: {error}");
                notify::status(&format!("waiting for the VMDB: {error}"));
                tokio::time::sleep(backoff.next_wait()).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn try_open(role: &Role, settings: &Settings) -> Result<Opened, VmdbError> {
    let access = if *role == Role::Run { Access::Run } else { Access::Worker };
    let vmdb = Vmdb::open(&settings.vmdb, access).await?;
    for migration in notify::while_it_takes("migrating the VMDB", vmdb.migrate()).await? {
        log::info!("VMDB: applied {migration}");
    }
    let entries = settings.ext_management_systems.clone();
    let handles = !matches!(role, Role::SingleWorker(_));
    let rows = vmdb
        .write(move |connection| {
            if handles {
                vmdb::miq_queue::release_dead(connection)?;
            }
            vmdb::ems::enter(connection, &entries)
        })
        .await?;
    Ok((vmdb, rows))
}

fn start(
    role: Role,
    settings: Settings,
    switchboard: Switchboard,
    (vmdb, rows): Opened,
    shared: Shared,
) -> Result<Addr<Supervisor>, RunError> {
    if let Role::SingleWorker(chosen) = &role
        && !rows.iter().any(|row| chosen.is(row.id, &row.name) && row.enabled)
    {
        let known =
            rows.iter().map(|row| format!("{} ({})", row.name, row.id)).collect::<Vec<_>>().join(", ");
        return Err(RunError::NoSuchEms(format!(
            "{chosen} is no enabled EMS of the settings, which have: {known}"
        )));
    }
    let arbiters = Arbiters::start();
    let handles = arbiters.handles();
    // The threads end with the process; their owner must not be dropped before.
    std::mem::forget(arbiters);
    let street = Street {
        role,
        handling: Handling {
            vmdb,
            bells: Bells::default(),
            names: EmsNames::default(),
            observe: shared.observe,
        },
        automation: SharedAutomation::new(Automation::new(&settings, switchboard)),
        arbiters: handles,
        budget: shared.budget,
        limits: RefreshLimits::new(settings.most_full_refreshes),
        turns: Turns::default(),
        context: shared.context,
        owner: i64::from(std::process::id()),
        caught: Caught::default(),
        began: clock::now(),
    };
    Ok(Supervisor::new(street, settings, &rows).start())
}

async fn follow_signals(
    signals: &mut Signals,
    supervisor: &Addr<Supervisor>,
    mut settings: Settings,
    load: Load,
    vmdb: &Vmdb,
) {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hangup.recv() => {
                notify::reloading();
                match read_again(supervisor, &settings, &load, vmdb).await {
                    Some(new) => {
                        settings = new;
                        notify::ready("the new settings are in force");
                    }
                    None => notify::ready("the new settings are wrong; the old ones stay in force"),
                }
            }
            _ = signals.user1.recv() => {
                log::info!("SIGUSR1: restarting every event catcher");
                let _ = supervisor.send(RestartCatchers).await;
            }
        }
    }
    log::info!("stopping in order");
    notify::stopping();
    tokio::select! {
        _ = supervisor.send(Shutdown) => {},
        () = signals.stop() => log::warn!("stopping at once; nothing stored is lost"),
    }
}

/// The new settings, once they are in force.
async fn read_again(
    supervisor: &Addr<Supervisor>,
    settings: &Settings,
    load: &Load,
    vmdb: &Vmdb,
) -> Option<Settings> {
    match load() {
        Ok((new, switchboard)) => {
            log::info!("settings read again: {}", plan(settings, &new));
            if !reload(supervisor, vmdb, &new, switchboard).await {
                return None;
            }
            log::info!("the new settings are in force");
            Some(new)
        }
        Err(error) => {
            log::error!("the new settings are wrong; the old ones stay in force:\n{error}");
            None
        }
    }
}

async fn reload(
    supervisor: &Addr<Supervisor>,
    vmdb: &Vmdb,
    new: &Settings,
    switchboard: Switchboard,
) -> bool {
    let entries = new.ext_management_systems.clone();
    let ems = match vmdb.write(move |connection| vmdb::ems::enter(connection, &entries)).await {
        Ok(ems) => ems,
        Err(error) => {
            log::error!(
                "the new settings cannot be entered in the VMDB; the old ones stay in force: {error}"
            );
            return false;
        }
    };
    supervisor.send(Reload { settings: new.clone(), switchboard, ems }).await.is_ok()
}
