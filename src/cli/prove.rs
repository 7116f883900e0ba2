//! `prove`: kills Catchall in the worst of circumstances, and says whether anything was lost. Its own folder, settings and
//! VMDB; a progress bar on a terminal, one line for each run elsewhere.

use super::CliError;
use crate::prove::report::{RunReport, Totals, runs};
use crate::prove::schedule::{Style, seed_of_run};
use crate::prove::{Database, ProveError, ProveOptions, Prover};
use crate::provider::Secret;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// `prove`
#[derive(Args, Debug)]
pub struct ProveArguments {
    /// How many runs, each with a seed of its own
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Draws what happens; without it one is drawn, and printed
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// sqlite; postgres, a server of the proof's own, which it crashes; or the URL of a database in which the proof makes
    /// a schema of its own
    #[arg(long, default_value = "sqlite", value_name = "sqlite|postgres|URL")]
    pub vmdb: String,
    /// Nothing but kills, as many as can be
    #[arg(long)]
    pub kill_loop: bool,
    /// Where the proof makes a folder of its own, instead of the system's folder for temporary files
    #[arg(long, value_name = "PATH")]
    pub folder: Option<PathBuf>,
}

fn unable(error: ProveError) -> CliError {
    match error {
        ProveError::Usage(message) => CliError::Usage(message),
        other => CliError::Failed(format!("the proof could not be made: {other}")),
    }
}

/// Makes the runs, and ends with status 0 only when all are proven.
///
/// # Errors
/// See [`CliError`].
pub fn run(arguments: &ProveArguments, json: bool) -> Result<(), CliError> {
    let options = options(arguments)?;
    let seed = arguments.seed.unwrap_or_else(|| rand::random::<u32>().into());
    actix_rt::System::new().block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(super::failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(super::failed)?;
        let mut prover = tokio::select! {
            prover = Prover::start(options) => prover.map_err(unable)?,
            _ = interrupt.recv() => return Err(interrupted()),
            _ = terminate.recv() => return Err(interrupted()),
        };
        tokio::select! {
            done = all_runs(&mut prover, arguments, seed, json) => done,
            _ = interrupt.recv() => give_up(prover).await,
            _ = terminate.recv() => give_up(prover).await,
        }
    })
}

fn interrupted() -> CliError {
    super::failed("interrupted; nothing is proven")
}

async fn give_up(mut prover: Prover) -> Result<(), CliError> {
    prover.forget().await.map_err(unable)?;
    Err(interrupted())
}

fn options(arguments: &ProveArguments) -> Result<ProveOptions, CliError> {
    let database = match arguments.vmdb.as_str() {
        "sqlite" => Database::Sqlite,
        "postgres" | "postgresql" => Database::OwnPostgres,
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Database::Postgres(Secret::new(url))
        }
        url if url.starts_with("sqlite:") => {
            return Err(CliError::Usage(
                "--vmdb sqlite:…: a file of SQLite has no schema that the proof could have for itself; --vmdb sqlite \
                 proves on SQLite in a file of its own"
                    .to_owned(),
            ));
        }
        _ => {
            return Err(CliError::Usage(
                "--vmdb is sqlite, postgres, or a URL that starts with postgres://".to_owned(),
            ));
        }
    };
    let program = std::env::current_exe().map_err(super::failed)?;
    let style = if arguments.kill_loop { Style::KillLoop } else { Style::Everything };
    let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    Ok(ProveOptions { program, folder, database, style })
}

async fn all_runs(
    prover: &mut Prover,
    arguments: &ProveArguments,
    seed: u64,
    json: bool,
) -> Result<(), CliError> {
    let bar = bar(arguments.runs);
    if !json {
        println!("seed {seed}: {} on {}", runs(arguments.runs), name_of(&arguments.vmdb));
    }
    let mut reports = Vec::new();
    for index in 0..arguments.runs {
        let tell = |what: &str| bar.set_message(format!("run {}: {what}", index + 1));
        let report = prover.run(seed_of_run(seed, index), &tell).await.map_err(unable)?;
        bar.suspend(|| print!("{}", told(&report, arguments, json)));
        bar.inc(1);
        reports.push(report);
    }
    bar.finish_and_clear();
    let totals = Totals::of(seed, &reports);
    match json {
        true => println!("{}", serde_json::json!({"total": totals})),
        false => print!("{}", totals.text()),
    }
    match totals.proven {
        true => Ok(()),
        false => {
            Err(super::failed(format!("not proven: {} of {} runs failed", totals.failed.len(), totals.runs)))
        }
    }
}

fn told(report: &RunReport, arguments: &ProveArguments, json: bool) -> String {
    match json {
        true => format!("{}\n", serde_json::json!({"run": report, "proven": report.is_proven()})),
        false => format!("{}\n{}", report.line(), report.findings(&replay(report.seed, arguments))),
    }
}

fn replay(seed: u64, arguments: &ProveArguments) -> String {
    let kill_loop = if arguments.kill_loop { " --kill-loop" } else { "" };
    format!("catchall prove --seed {seed} --runs 1 --vmdb {}{kill_loop}", name_of(&arguments.vmdb))
}

/// A URL may hold a password.
fn name_of(vmdb: &str) -> &str {
    if vmdb.contains("://") { "<the same URL>" } else { vmdb }
}

/// Nothing where standard error is no terminal.
fn bar(runs: u32) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(runs.into()), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {elapsed}  {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
