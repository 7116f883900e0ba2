//! `/healthz` and `/readyz`: whether the process lives, and whether it does its work.
//!
//! Both answer at once, whatever the VMDB does: it is asked under a time limit, and by one probe at a time, so that probes
//! never pile up before a VMDB that is away.

use super::context::HttpContext;
use crate::observe::{ActorFigures, ActorKind, ActorState};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A probe's answer is due within 2 s; the rest is for everything around the question.
const LIMIT: Duration = Duration::from_millis(1500);

/// Whether the VMDB answers, within the limit; else what is wrong, without credentials.
async fn vmdb_answers(context: &HttpContext) -> Result<(), String> {
    let vmdb = context.vmdb().ok_or("it is not open yet")?;
    let ask = async move {
        vmdb.read(|connection| connection.rows("SELECT 1", &[]).map(drop))
            .await
            .map_err(|error| error.to_string())
    };
    in_turn(context.probe_turn(), ask).await
}

/// A VMDB that answers questions may still take no commits: its disk is full, or somebody holds it locked. Then nothing is
/// acknowledged, and that is no readiness.
pub(super) fn takes_commits(context: &HttpContext) -> Result<(), String> {
    let actors = context.observe().actors();
    let handler = actors.iter().find_map(|(kind, _, figures)| {
        let waits = figures.state() == ActorState::WaitingForVmdb;
        (*kind == ActorKind::EventHandler && waits).then_some(figures)
    });
    handler.map_or(Ok(()), |figures| {
        Err(format!("it takes no commits: {}", figures.error().unwrap_or_default()))
    })
}

/// A question that outlives its probe keeps its turn: the next probe waits for it instead of asking once more.
async fn in_turn(
    turn: Arc<Semaphore>,
    ask: impl Future<Output = Result<(), String>> + Send + 'static,
) -> Result<(), String> {
    let asked = async move {
        let turn = turn.acquire_owned().await;
        let question = tokio::spawn(async move {
            let answer = ask.await;
            drop(turn);
            answer
        });
        question.await.unwrap_or_else(|error| Err(error.to_string()))
    };
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {LIMIT:?}")),
    }
}

/// The body of `/readyz`.
#[derive(Debug, Serialize)]
pub(super) struct Readiness {
    /// Whether all is well; the status says the same.
    pub(super) ready: bool,
    vmdb: VmdbReadiness,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_catchers: Option<EventCatchers>,
}

#[derive(Debug, Serialize)]
struct VmdbReadiness {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct EventCatchers {
    enabled: usize,
    running: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_running: Vec<NotRunning>,
}

#[derive(Debug, Serialize)]
struct NotRunning {
    ems: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Readiness {
    /// Of the VMDB alone.
    pub(super) async fn of_vmdb(context: &HttpContext) -> Self {
        let error = vmdb_answers(context).await.and_then(|()| takes_commits(context)).err();
        let ready = error.is_none();
        Self { ready, vmdb: VmdbReadiness { ready, error }, event_catchers: None }
    }

    /// Of the VMDB and every event catcher that should be running.
    pub(super) async fn of_all(context: &HttpContext) -> Self {
        let mut readiness = Self::of_vmdb(context).await;
        let event_catchers = event_catchers(context);
        readiness.ready &= event_catchers.running == event_catchers.enabled;
        readiness.event_catchers = Some(event_catchers);
        readiness
    }

    /// Leaves the counts and takes away names and messages.
    pub(super) fn without_names(mut self) -> Self {
        self.vmdb.error = None;
        if let Some(event_catchers) = &mut self.event_catchers {
            event_catchers.not_running.clear();
        }
        self
    }
}

fn event_catchers(context: &HttpContext) -> EventCatchers {
    let settings = context.settings();
    let actors = context.observe().actors();
    let catchers: HashMap<&str, &ActorFigures> = actors
        .iter()
        .filter(|(kind, ..)| *kind == ActorKind::EventCatcher)
        .filter_map(|(_, ems, figures)| Some((ems.as_deref()?, &**figures)))
        .collect();
    let not_running: Vec<NotRunning> = settings
        .event_catchers
        .iter()
        .filter_map(|ems| {
            let figures = catchers.get(ems.as_str());
            let state = figures.map_or(ActorState::Stopped, |figures| figures.state());
            (state != ActorState::Running).then(|| NotRunning {
                ems: ems.clone(),
                state: state.label(),
                error: figures.and_then(|figures| figures.error()),
            })
        })
        .collect();
    let enabled = settings.event_catchers.len();
    EventCatchers { enabled, running: enabled - not_running.len(), not_running }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn probes_before_a_vmdb_that_hangs_answer_in_time_and_ask_it_only_once() {
        let turn = Arc::new(Semaphore::new(1));
        let started = tokio::time::Instant::now();
        let second_question = async { panic!("asked again while the first question is open") };
        let (first, second) =
            tokio::join!(in_turn(turn.clone(), pending()), in_turn(turn.clone(), second_question));
        assert_eq!(first.unwrap_err(), "no answer within 1.5s");
        assert_eq!(second.unwrap_err(), "no answer within 1.5s");
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_vmdb_that_comes_back_is_asked_again() {
        let turn = Arc::new(Semaphore::new(1));
        let slow = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Err("connection refused".to_owned())
        };
        assert!(in_turn(turn.clone(), slow).await.is_err());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(in_turn(turn, async { Ok(()) }).await, Ok(()));
    }
}
