//! A working Awesome Cloud: the whole API of the example provider over a small world that lives.
//!
//! Used in-process by tests and as `catchall simulate awesome-cloud`. Besides the API it has, below `/v1/_simulator/`, what a
//! judge and a mischief-maker need: `stats`, `ledger` (ids of all events that became visible), `inventory` (the truth),
//! `faults` (what is to go wrong) and `rate`. `docs/simulator.md` tells them all.

mod cloud;
mod draws;
mod event_log;
mod events_api;
mod faults;
mod inventory_api;
mod malformed;
mod menu;
mod mishap;
mod server;
mod things;
mod world;

pub use cloud::{Cloud, Stats};
pub use event_log::{Gone, Ledger};
pub use faults::Faults;
pub use menu::{FaultKind, FaultMenu, UnknownFault};
pub use mishap::Mishap;
pub use things::rfc3339;

use actix_web::dev::ServerHandle;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// What kind of cloud.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Where to listen; port 0 picks one.
    pub listen: SocketAddr,
    /// Things that happen by themselves each second.
    pub rate: f64,
    /// How many VMs there are, more or less.
    pub vms: usize,
    /// The same seed makes the same things happen in the same order.
    pub seed: u64,
    /// Stands in every event's id; `None` makes one that never was, so that ids never repeat across restarts.
    pub epoch: Option<String>,
    /// The password that is asked for; `None` takes any.
    pub token: Option<String>,
    /// What goes wrong from the start.
    pub faults: Faults,
}

impl Default for SimulatorOptions {
    /// A quiet cloud of 20 VMs on a free port of 127.0.0.1.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            rate: 0.0,
            vms: 20,
            seed: 1,
            epoch: None,
            token: None,
            faults: Faults::default(),
        }
    }
}

/// A running simulator. Dropping it stops it.
pub struct Simulator {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Shared,
    server: ServerHandle,
    serving: Option<JoinHandle<std::io::Result<()>>>,
    ticking: JoinHandle<()>,
}

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared {
    cloud: Arc<Mutex<Cloud>>,
    token: Option<Arc<str>>,
}

impl Shared {
    /// The cloud; nobody holds it across an await.
    pub(crate) fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was made visible so far; spelled out while nobody waits.
    pub(crate) fn tally(&self) -> event_log::Tally {
        let cloud = self.cloud();
        cloud.log.tally(cloud.now())
    }
}

/// Starts a simulator on the current tokio runtime.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(options: SimulatorOptions) -> std::io::Result<Simulator> {
    let epoch = options.epoch.unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string()[..12].to_owned());
    let mut cloud = Cloud::new(options.seed, options.vms, epoch);
    cloud.set_faults(options.faults);
    cloud.rate = options.rate;
    let shared = Shared { cloud: Arc::new(Mutex::new(cloud)), token: options.token.map(Into::into) };
    let (server, addr) = server::bind(shared.clone(), options.listen)?;
    let handle = server.handle();
    let ticking = tokio::spawn(tick(shared.clone()));
    Ok(Simulator { addr, shared, server: handle, serving: Some(tokio::spawn(server)), ticking })
}

/// Lets things happen at the cloud's rate, in small steps.
async fn tick(shared: Shared) {
    let mut last = tokio::time::Instant::now();
    let mut due = 0.0_f64;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let mut cloud = shared.cloud();
        due += last.elapsed().as_secs_f64() * cloud.rate.max(0.0);
        last = tokio::time::Instant::now();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of events")]
        cloud.happen(due as usize);
        due = due.fract();
    }
}

impl Simulator {
    /// The endpoint's `url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Looks at or changes the cloud, between two requests.
    pub fn with<R>(&self, look: impl FnOnce(&mut Cloud) -> R) -> R {
        look(&mut self.shared.cloud())
    }

    /// Lets `count` things happen now.
    pub fn happen(&self, count: usize) {
        self.with(|cloud| cloud.happen(count));
    }

    /// All events made visible so far.
    pub fn ledger(&self) -> Ledger {
        self.shared.tally().ledger()
    }

    /// From now on these things go wrong, and no others.
    pub fn set_faults(&self, faults: Faults) {
        self.with(|cloud| cloud.set_faults(faults));
    }

    /// Nothing goes wrong any more. A clock that was drawn stays where it is.
    pub fn heal(&self) {
        self.set_faults(Faults::default());
    }

    /// From now on so many things happen by themselves each second.
    pub fn set_rate(&self, rate: f64) {
        self.with(|cloud| cloud.rate = rate);
    }

    /// What was asked so far.
    pub fn stats(&self) -> Stats {
        self.with(|cloud| cloud.stats())
    }

    /// Waits until it ends, which it does only when it cannot go on.
    ///
    /// # Errors
    /// What ended it.
    pub async fn wait(&mut self) -> std::io::Result<()> {
        match self.serving.take() {
            Some(serving) => serving.await.map_err(std::io::Error::other)?,
            None => Ok(()),
        }
    }

    /// Stops it, connections and all.
    pub async fn stop(mut self) {
        self.server.stop(false).await;
        // It ends because it was stopped; how is no longer of interest.
        let _ = self.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.ticking.abort();
        // The message is sent at once; the future would only wait for the end.
        drop(self.server.stop(false));
    }
}
