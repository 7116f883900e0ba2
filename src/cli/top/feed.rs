//! Looks at Catchall each second, on a thread of its own, so that keys are answered whatever the look waits for.

use super::Message;
use super::look::{Latest, Look};
use crate::cli::pipeline::{self, EmsState, NotAsked, Pipeline};
use crate::cli::standing;
use crate::clock;
use crate::settings::Settings;
use crate::vmdb::timeline::{self, TimelineQuery};
use crate::vmdb::{Access, Connection, Vmdb, VmdbError, overview};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};
use tokio::sync::watch::Receiver;

const LOOK: Duration = Duration::from_secs(1);
/// The VMDB is asked more seldom than a process: it counts rows.
const LOOK_AT_VMDB: Duration = Duration::from_secs(3);
/// Events that are shown of one EMS.
const EVENTS: usize = 100;

/// Looks until nobody listens. `open` is the id of the EMS that more is wanted of.
pub fn run(settings: &Settings, open: Receiver<Option<i64>>, tell: &Sender<Message>) {
    actix_rt::System::new().block_on(Feed { settings, vmdb: None, known: None, open }.run(tell));
}

struct Feed<'a> {
    settings: &'a Settings,
    vmdb: Option<Vmdb>,
    /// What the VMDB said last of all EMSs, and when.
    known: Option<(Instant, Vec<EmsState>)>,
    open: Receiver<Option<i64>>,
}

impl Feed<'_> {
    async fn run(mut self, tell: &Sender<Message>) {
        loop {
            let look = self.look().await;
            if tell.send(Message::Look(Box::new(look))).is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                changed = self.open.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn look(&mut self) -> Look {
        let open = *self.open.borrow_and_update();
        let process = pipeline::ask(&self.settings.http).await;
        let mut vmdb_error = None;
        let mut all_ems = self.all_ems(&process).await.unwrap_or_else(|error| {
            vmdb_error = Some(error.to_string());
            self.known.iter().flat_map(|(_, known)| known.clone()).collect()
        });
        all_ems.sort_by_key(standing::badness);
        let latest = match open {
            Some(ems_id) => self.read(move |connection| latest(connection, ems_id)).await.map(Some),
            None => Ok(None),
        };
        let latest = latest.unwrap_or_else(|error| {
            vmdb_error = Some(error.to_string());
            None
        });
        Look { at: clock::now(), process, all_ems, vmdb_error, latest }
    }

    async fn all_ems(&mut self, process: &Result<Pipeline, NotAsked>) -> Result<Vec<EmsState>, VmdbError> {
        if let Ok(pipeline) = process {
            return Ok(pipeline.ems.clone());
        }
        if let Some((_, known)) = self.known.as_ref().filter(|(at, _)| at.elapsed() < LOOK_AT_VMDB) {
            return Ok(known.clone());
        }
        let overview = self.read(|connection| overview::read(connection, clock::now())).await?;
        let all: Vec<EmsState> = overview.all_ems.iter().map(standing::by_vmdb).collect();
        self.known = Some((Instant::now(), all.clone()));
        Ok(all)
    }

    async fn read<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> Result<T, VmdbError> {
        let vmdb = match &self.vmdb {
            Some(vmdb) => vmdb.clone(),
            None => self.vmdb.insert(Vmdb::open(&self.settings.vmdb, Access::Read).await?).clone(),
        };
        vmdb.read(work).await
    }
}

fn latest(connection: &mut Connection, ems_id: i64) -> Result<Latest, VmdbError> {
    let query = TimelineQuery { ems_id: Some(ems_id), limit: EVENTS, ..TimelineQuery::default() };
    Ok(Latest { ems_id, events: timeline::events(connection, &query)? })
}
