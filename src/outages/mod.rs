//! Keeps when nobody caught: looks at the states of event catchers every few seconds, and writes when an outage begins or
//! ends. Once a minute it writes that the process lives, so that the next process knows since when it did not.
//!
//! It decides nothing about event catchers, and while they run it writes nothing but the heartbeat.

mod watch;

use crate::actor::rounds::{Round, Rounds};
use crate::clock;
use crate::event_handler::Handling;
use crate::observe::{ActorKind, ActorState, Observe};
use crate::provider::EmsId;
use crate::vmdb::heartbeats::{self, Heartbeat};
use crate::vmdb::outages::{self, Outage};
use crate::vmdb::{Connection, Vmdb, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use watch::{Pending, STARTING, Seen, Watch};

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(5);
/// While somebody is down, so that the end is known well.
const LOOK_WHILE_DOWN: Duration = Duration::from_secs(1);
/// From one heartbeat to the next.
const BEAT: TimeDelta = TimeDelta::seconds(60);
/// Errors of providers may be long.
const LONGEST_REASON: usize = 500;

/// The EMSs that this process should catch from, as the Supervisor knows them; shared with it.
#[derive(Clone)]
pub struct Caught(Arc<Inner>);

struct Inner {
    process: String,
    began: DateTime<Utc>,
    /// Name, and whether it is enabled. `None` once the process stops.
    ems: Mutex<Option<BTreeMap<EmsId, (String, bool)>>>,
}

impl Default for Caught {
    fn default() -> Self {
        let process = uuid::Uuid::new_v4().to_string();
        Self(Arc::new(Inner { process, began: clock::now(), ems: Mutex::new(Some(BTreeMap::new())) }))
    }
}

impl Caught {
    /// Learns all of them: name, and whether it is enabled.
    pub fn set(&self, ems: impl Iterator<Item = (EmsId, (String, bool))>) {
        if let Some(known) = self.0.ems.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *known = ems.collect();
        }
    }

    fn get(&self) -> Option<BTreeMap<EmsId, (String, bool)>> {
        self.0.ems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The process stops in order: from now on nobody catches, unless another process does. Whatever else happens, no event
    /// is lost by it, so that what fails here is only told.
    pub async fn stopped(&self, vmdb: &Vmdb) {
        let ems = self.0.ems.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(ems) = ems.filter(|ems| !ems.is_empty()) else { return };
        let (process, now) = (self.0.process.clone(), clock::now());
        let write = vmdb.write(move |connection| {
            connection.transaction(|connection| {
                let others = heartbeats::caught_by_others(connection, &process, now)?;
                for ems_id in ems.into_keys().filter(|ems_id| !others.contains(ems_id)) {
                    let reason = "stopped".to_owned();
                    outages::keep(connection, &Outage { ems_id, started_on: now, ended_on: None, reason })?;
                }
                heartbeats::end(connection, &process)
            })
        });
        match tokio::time::timeout(LOOK, write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::debug!("keeping when the event catchers stopped: {error}"),
            Err(_) => log::debug!("keeping when the event catchers stopped took too long"),
        }
    }
}

/// What the recorder works with.
pub struct OutageRecorder {
    handling: Handling,
    caught: Caught,
    watch: Watch,
    pending: Pending,
    /// What was written last; `None` before the first.
    beat: Option<Heartbeat>,
    /// Whether people know that it cannot write.
    complained: bool,
}

impl OutageRecorder {
    /// For the EMSs that this process should catch from.
    pub fn new(handling: Handling, caught: Caught) -> Self {
        let (watch, pending) = (Watch::default(), Pending::default());
        Self { handling, caught, watch, pending, beat: None, complained: false }
    }

    /// Writes what is new, if anything is, and learns what the VMDB has open when the process says that it lives.
    async fn write(&mut self, heartbeat: Heartbeat) -> Result<(), VmdbError> {
        let outages = self.pending.outages();
        let last = self.beat.as_ref();
        // However the clock was set meanwhile.
        let is_due = |last: &Heartbeat| (heartbeat.beat_on - last.beat_on).abs() >= BEAT;
        let beats = last.is_none_or(|last| is_due(last) || heartbeat.ems_ids != last.ems_ids);
        if outages.is_empty() && !beats {
            return Ok(());
        }
        let (now, is_first) = (heartbeat.clone(), last.is_none());
        let write = move |connection: &mut Connection| {
            connection.transaction(|connection| {
                outages.iter().try_for_each(|outage| outages::keep(connection, outage))?;
                if !beats {
                    return Ok(Vec::new());
                }
                if is_first {
                    let left = heartbeats::take_over(connection, &now)?;
                    left.iter().try_for_each(|outage| outages::keep(connection, outage))?;
                }
                heartbeats::beat(connection, &now)?;
                outages::open(connection)
            })
        };
        let mut open = self.handling.vmdb.write(write).await?;
        self.pending.clear();
        if beats {
            open.retain(|outage| heartbeat.ems_ids.contains(&outage.ems_id));
            self.watch.learn(open);
            self.beat = Some(heartbeat);
        }
        Ok(())
    }
}

impl Rounds for OutageRecorder {
    async fn round(&mut self) -> Result<Round, String> {
        let Some(ems) = self.caught.get() else { return Ok(Round { done: 0, look_again: LOOK }) };
        let (now, seen) = (clock::now(), look(&self.handling.observe, &ems));
        if self.beat.is_some() {
            self.pending.add(self.watch.look(now, &seen));
        }
        let heartbeat = Heartbeat {
            process: self.caught.0.process.clone(),
            ems_ids: ems.into_keys().collect(),
            started_on: self.caught.0.began,
            beat_on: now,
        };
        match self.write(heartbeat).await {
            Ok(()) => self.complained = false,
            // What is to be written is kept, and looks go on.
            Err(error) => {
                let level = if self.complained { log::Level::Debug } else { log::Level::Warn };
                log::log!(level, "outages of event catchers are written later: {error}");
                self.complained = true;
            }
        }
        let look_again = if self.watch.is_anyone_down() { LOOK_WHILE_DOWN } else { LOOK };
        Ok(Round { done: 0, look_again })
    }
}

/// What the figures say of each EMS.
fn look(observe: &Observe, ems: &BTreeMap<EmsId, (String, bool)>) -> Seen {
    let handler = observe.actor(ActorKind::EventHandler, None);
    let reason = |name: &str| {
        let catcher = observe.actor(ActorKind::EventCatcher, Some(name));
        let error = catcher.error().map(|error| format!(": {error}")).unwrap_or_default();
        match catcher.state() {
            // What it has caught cannot be stored, and it catches no more before that is.
            ActorState::Running if handler.state() == ActorState::WaitingForVmdb => {
                (catcher.in_flight.load(Relaxed) > 0).then(|| ActorState::WaitingForVmdb.label().to_owned())
            }
            ActorState::Running => None,
            ActorState::Starting => Some(STARTING.to_owned()),
            state => Some(format!("{}{error}", state.label())),
        }
    };
    let seen = |(ems_id, (name, enabled)): (&EmsId, &(String, bool))| {
        let reason = if *enabled { reason(name) } else { Some("paused".to_owned()) };
        (*ems_id, reason.map(|reason| reason.chars().take(LONGEST_REASON).collect()))
    };
    ems.iter().map(seen).collect()
}
