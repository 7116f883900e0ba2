//! One run: a cloud with faults, the lives of Catchall one after the other, then healing, a last life that nobody ends, and
//! the judge.
//!
//! What is to happen stands in the schedule; what was found stands in the report.

use super::cloud::Cloud;
use super::error::ProveError;
use super::facts::{self, Facts};
use super::judge::{self, Verdict};
use super::postgres::Postgres;
use super::process::Process;
use super::report::RunReport;
use super::schedule::{CountsFrom, End, Life, Manner, Outage, Schedule};
use crate::fail_points::KILL_AT;
use crate::settings::VmdbSettings;
use crate::vmdb::{Access, Vmdb, evidence};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// How long a SIGTERM may take.
const STOPS_WITHIN: Duration = Duration::from_secs(25);
/// How long it is waited for a first successful read: the cloud may be a bad one.
const RUNS_WITHIN: Duration = Duration::from_secs(8);
/// Longer than any back-off and sweep of Catchall: what did not change for so long is settled.
const STANDS_STILL: Duration = Duration::from_secs(40);
/// How often it is looked whether all has settled.
const LOOK: Duration = Duration::from_millis(300);
/// The environment variable that holds `vmdb.url`, which may have a password, so that no file has it.
const URL: &str = "CATCHALL_PROVE_VMDB_URL";

/// Where and with what a run is made.
pub struct Ground<'a> {
    /// The binary.
    pub program: &'a Path,
    /// Its own, empty.
    pub folder: &'a Path,
    /// The VMDB of this run alone.
    pub vmdb: VmdbSettings,
    /// The server, if it is ours.
    pub postgres: Option<&'a mut Postgres>,
    /// How long all may take to settle after the last life began.
    pub settles_within: Duration,
    /// Hears what happens.
    pub tell: &'a dyn Fn(&str),
}

/// Makes one run.
///
/// # Errors
/// See [`ProveError`]: something that the proof itself needs does not work.
pub async fn run(ground: &mut Ground<'_>, schedule: &Schedule) -> Result<RunReport, ProveError> {
    let started = Instant::now();
    let mut report = RunReport::of(schedule);
    std::fs::write(ground.folder.join("schedule.txt"), schedule.to_string())
        .map_err(|error| ProveError::unable(&ground.folder.display().to_string(), error))?;
    let cloud = Cloud::start(ground.program, ground.folder, schedule).await?;
    write_settings(ground, &cloud, schedule)?;
    let mut losses = 0;
    for (number, life) in schedule.lives.iter().enumerate() {
        (ground.tell)(&format!("life {} of {}: {life}", number + 1, schedule.lives.len()));
        live(ground, number + 1, life, &mut report).await?;
        if losses < schedule.history_losses && may_lose_history(ground, &cloud).await? {
            losses += 1;
            cloud.lose_history(schedule, losses).await?;
        }
    }
    report.faults_met = cloud.faults_met().await?;
    cloud.heal().await?;
    last_life(ground, &cloud, &mut report).await?;
    report.look_for_panics(&ground.folder.join("catchall.log"));
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Before its first cursor Catchall has promised nothing; and a proof that excuses more than half of the events shows little.
async fn may_lose_history(ground: &Ground<'_>, cloud: &Cloud) -> Result<bool, ProveError> {
    let mut vmdb = None;
    let Some((_, facts, verdict)) = look(ground, cloud, &mut vmdb).await? else { return Ok(false) };
    let Some(vmdb) = vmdb else { return Ok(false) };
    let missing = verdict.lost.len() + verdict.excused;
    let all = facts.events.len() + facts.malformed.len();
    Ok(missing * 2 < all && vmdb.read(evidence::has_cursor).await.unwrap_or(false))
}

fn write_settings(ground: &Ground<'_>, cloud: &Cloud, schedule: &Schedule) -> Result<(), ProveError> {
    let flooding = schedule.flooding.map_or_else(String::new, |most| {
        format!(", flooding_monitor_enabled: true, flooding_events_per_minute: {most}")
    });
    let text = format!(
        "vmdb: {{url: \"${{{URL}}}\", schema: {}}}\n\
         http: {{listen: \"off\"}}\n\
         ext_management_systems:\n\
         \x20 - name: proof\n\
         \x20   type: awesome_cloud\n\
         \x20   endpoints: {{default: {{url: \"{}\"}}}}\n\
         \x20   authentications: {{default: {{userid: proof, password: proof}}}}\n\
         workers:\n\
         \x20 worker_base:\n\
         \x20   event_catcher:\n\
         \x20     defaults: {{ems_event_page_size: {}{flooding}}}\n\
         \x20     event_catcher_awesome_cloud: {{poll: 0.05}}\n",
        ground.vmdb.schema,
        cloud.url(),
        schedule.page_size
    );
    let path = ground.folder.join("prove.yml");
    std::fs::write(&path, text).map_err(|error| ProveError::unable(&path.display().to_string(), error))
}

/// Starts Catchall with nothing of the caller's settings.
fn start(ground: &Ground<'_>, number: usize, kill_at: Option<String>) -> Result<Process, ProveError> {
    let mut command = Command::new(ground.program);
    command.current_dir(ground.folder).args(["--log-level", "info", "--settings", "prove.yml", "run"]);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name == "RUST_LOG" || name == KILL_AT || name.starts_with("CATCHALL__") {
            command.env_remove(name);
        }
    }
    command.env(URL, ground.vmdb.url.expose());
    if let Some(kill_at) = kill_at {
        command.env(KILL_AT, kill_at);
    }
    let log = ground.folder.join("catchall.log");
    let unable = |error| ProveError::unable(&log.display().to_string(), error);
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(unable)?;
    std::io::Write::write_all(&mut file, mark(number).as_bytes()).map_err(unable)?;
    Process::start(&mut command, &log)
}

async fn live(
    ground: &mut Ground<'_>,
    number: usize,
    life: &Life,
    report: &mut RunReport,
) -> Result<(), ProveError> {
    let kill_at = match life.end {
        End::AtPoint { point, nth, .. } => Some(format!("{point}:{nth}")),
        _ => None,
    };
    let mut catchall = start(ground, number, kill_at)?;
    if life.counts_from == CountsFrom::Running {
        runs(&mut catchall, &ground.folder.join("catchall.log"), number).await;
    }
    let outage = async {
        match (life.outage, ground.postgres.as_deref_mut()) {
            (Some(outage), Some(server)) => take_away(server, outage).await.map(|()| Some(outage.manner)),
            _ => Ok(None),
        }
    };
    let ended_early = async { catchall.wait(life.end.at_most()).await };
    let (early, outage) = tokio::join!(ended_early, outage);
    match outage? {
        Some(Manner::Crash) => report.crashes += 1,
        Some(Manner::Restart) => report.restarts += 1,
        None => {}
    }
    end(&mut catchall, number, life.end, early, report).await;
    Ok(())
}

/// Ends a life that has not ended yet, and notes how it ended.
async fn end(
    catchall: &mut Process,
    number: usize,
    planned: End,
    early: Option<ExitStatus>,
    report: &mut RunReport,
) {
    match (early, planned) {
        (Some(status), End::AtPoint { point, .. }) if status.signal() == Some(Signal::KILL.as_raw()) => {
            *report.kills_at_points.entry(point.to_owned()).or_default() += 1;
        }
        (Some(status), _) => report.broken.push(format!("life {number} ended by itself: {status}")),
        (None, End::Terminated { .. }) => match stop(catchall).await {
            Some(status) if status.success() => report.terminated += 1,
            // It had not begun to listen for signals, so it was killed.
            Some(status) if status.signal() == Some(Signal::TERM.as_raw()) => report.kills_by_time += 1,
            Some(status) => report.broken.push(format!("life {number}: SIGTERM ended it with {status}")),
            None => report.broken.push(format!("life {number}: did not stop within {STOPS_WITHIN:?}")),
        },
        (None, _) => {
            catchall.kill();
            report.kills_by_time += 1;
        }
    }
}

/// Waits until life `number` says that it runs, has ended, or had its time.
async fn runs(catchall: &mut Process, log: &Path, number: usize) {
    let deadline = Instant::now() + RUNS_WITHIN;
    while Instant::now() < deadline && catchall.wait(Duration::from_millis(20)).await.is_none() {
        let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
        let life = text.rsplit_once(&mark(number)).map_or("", |(_, life)| life);
        if life.contains("the event catcher is running") {
            return;
        }
    }
}

/// Begins the lines of a life in the log.
fn mark(number: usize) -> String {
    format!("---- life {number}\n")
}

async fn stop(catchall: &mut Process) -> Option<ExitStatus> {
    catchall.signal(Signal::TERM);
    let status = catchall.wait(STOPS_WITHIN).await;
    catchall.kill();
    status
}

async fn take_away(server: &mut Postgres, outage: Outage) -> Result<(), ProveError> {
    tokio::time::sleep(Duration::from_millis(outage.after)).await;
    server.end(outage.manner).await?;
    tokio::time::sleep(Duration::from_millis(outage.down)).await;
    server.begin().await
}

/// Lets all settle, stops it in order, and judges what is left.
async fn last_life(ground: &Ground<'_>, cloud: &Cloud, report: &mut RunReport) -> Result<(), ProveError> {
    let mut catchall = start(ground, report.lives + 1, None)?;
    let deadline = Instant::now() + ground.settles_within;
    let mut vmdb = None;
    let mut seen = (String::new(), Instant::now());
    while Instant::now() < deadline && catchall.ended().is_none() && seen.1.elapsed() < STANDS_STILL {
        tokio::time::sleep(LOOK).await;
        let now = match look(ground, cloud, &mut vmdb).await? {
            Some((0, _, verdict)) if verdict.is_proven() => break,
            Some((hidden, _, verdict)) => missing(hidden, &verdict),
            None => "settling: the VMDB is not there yet".to_owned(),
        };
        (ground.tell)(&now);
        if seen.0 != now {
            seen = (now, Instant::now());
        }
    }
    match stop(&mut catchall).await {
        Some(status) if status.success() => {}
        Some(status) => report.broken.push(format!("the last life ended with {status}")),
        None => report.broken.push(format!("the last life did not stop within {STOPS_WITHIN:?}")),
    }
    match look(ground, cloud, &mut vmdb).await? {
        Some((hidden, facts, verdict)) => {
            report.judged(&facts, verdict);
            if hidden > 0 {
                report.broken.push(format!("{hidden} events of the cloud never became visible"));
            }
        }
        None => report.broken.push("the VMDB could not be read at the end".to_owned()),
    }
    Ok(())
}

fn missing(hidden: usize, verdict: &Verdict) -> String {
    let parts = verdict.parts().map(|(name, found)| format!("{} {name}", found.len()));
    format!("settling: {hidden} hidden, {}", parts.join(", "))
}

/// Events still hidden, facts, and what they come to; `None` while the VMDB is not there.
async fn look(
    ground: &Ground<'_>,
    cloud: &Cloud,
    open: &mut Option<Vmdb>,
) -> Result<Option<(usize, Facts, Verdict)>, ProveError> {
    if open.is_none() {
        *open = Vmdb::open(&ground.vmdb, Access::Read).await.ok();
    }
    let Some(vmdb) = open else { return Ok(None) };
    let ledger = cloud.ledger().await?;
    let hidden = ledger.hidden;
    let truth = cloud.truth().await?;
    // Tables may still be made, and a server be starting: it is looked again, and in the end that is told.
    let Ok(facts) = facts::read(vmdb, ledger, truth).await else {
        *open = None;
        return Ok(None);
    };
    let verdict = judge::judge(&facts);
    Ok(Some((hidden, facts, verdict)))
}
