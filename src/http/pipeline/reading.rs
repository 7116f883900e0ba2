//! How the EMSs stand in the VMDB, as it was last read: a page about trouble must not wait for the one who has it.

use crate::http::context::HttpContext;
use crate::http::probes::takes_commits;
use crate::http::reading::read;
use crate::observe::process;
use crate::vmdb::standing::{self, EmsStanding};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An answer is good for so long: however many look, the VMDB is asked once a second.
const FRESH: Duration = Duration::from_millis(900);
/// The VMDB is not waited for longer than this.
const LIMIT: Duration = Duration::from_millis(1500);

/// What was read last.
#[derive(Default)]
pub(in crate::http) struct LastRead {
    standing: Mutex<Option<(Instant, Arc<Vec<EmsStanding>>)>>,
    cpu: Mutex<Option<CpuSample>>,
}

#[derive(Clone, Copy)]
struct CpuSample {
    on: Instant,
    busy: f64,
    cores: Option<f64>,
}

/// How the EMSs stand, or stood when the VMDB last answered, and why it does not now.
pub(in crate::http) struct Standing {
    pub(in crate::http) all: Arc<Vec<EmsStanding>>,
    pub(in crate::http) error: Option<String>,
}

impl LastRead {
    pub(in crate::http) async fn standing(&self, context: &HttpContext) -> Standing {
        let last = self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = match &last {
            Some((on, all)) if on.elapsed() < FRESH => {
                return Standing { all: all.clone(), error: takes_commits(context).err() };
            }
            _ => match tokio::time::timeout(LIMIT, read(context, standing::read)).await {
                Ok(answer) => answer.map(Arc::new),
                Err(_) => Err(format!("no answer within {LIMIT:?}")),
            },
        };
        match all {
            Ok(all) => {
                *self.standing.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Instant::now(), all.clone()));
                Standing { all, error: takes_commits(context).err() }
            }
            Err(error) => Standing { all: last.map(|(_, all)| all).unwrap_or_default(), error: Some(error) },
        }
    }

    /// How many cores were busy with this process since the last time that somebody asked, a second ago or longer.
    pub(in crate::http) fn cores_used(&self) -> Option<f64> {
        let busy = process::cpu_seconds()?;
        let mut last = self.cpu.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some(sample) if sample.on.elapsed() < Duration::from_secs(1) => sample.cores,
            Some(sample) => {
                let cores = Some((busy - sample.busy).max(0.0) / sample.on.elapsed().as_secs_f64());
                *last = Some(CpuSample { on: Instant::now(), busy, cores });
                cores
            }
            None => {
                let age = crate::clock::now().timestamp_micros() as f64 / 1e6 - process::start_time()?;
                let cores = (age > 0.0).then(|| busy / age);
                *last = Some(CpuSample { on: Instant::now(), busy, cores });
                cores
            }
        }
    }
}
