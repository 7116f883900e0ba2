//! The command line: which command, with which settings, and with which exit status.
//!
//! Exit status: 0 done, 1 the work failed, 2 wrong use, 78 settings are wrong. What people should know goes to stderr.

pub mod arguments;
pub mod check;
pub mod completions;
pub mod connect;
pub mod dead;
pub mod ems;
pub mod ems_names;
pub mod event_filter;
mod event_line;
pub mod event_show;
mod event_types;
pub mod events;
pub mod healthcheck;
pub mod logging;
pub mod own_process;
pub mod parse;
pub mod pipeline;
pub mod prove;
pub mod queue;
pub mod refresh;
pub mod replay;
mod retry;
pub mod rule_arguments;
mod rule_event;
pub mod rules;
mod signals;
pub mod simulate;
pub mod standing;
pub mod status;
pub mod steer;
mod table;
pub mod tail;
mod tail_lines;
pub mod terminal;
mod times;
pub mod top;
mod troubles;
pub mod worker_arguments;

pub use retry::{Retried, retry};

use crate::fail_points;
use crate::provider::Provider;
use crate::providers::PROVIDERS;
use crate::settings::{self, LoadOptions, Settings, SettingsErrors};
use crate::supervisor::run::{self, Load};
use crate::supervisor::street::Role;
use crate::switchboard::{self, Switchboard};
use arguments::{Arguments, CheckArguments, Command, ParseArguments, SimulateCommand};
use clap::Parser;
use std::process::ExitCode;

/// Settings are wrong (`EX_CONFIG`).
const WRONG_SETTINGS: u8 = 78;

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Status 78.
    #[error("{0}")]
    Settings(String),
    /// Status 1.
    #[error("{0}")]
    Failed(String),
    /// Status 2.
    #[error("{0}")]
    Usage(String),
}

impl CliError {
    fn status(&self) -> u8 {
        match self {
            Self::Settings(_) => WRONG_SETTINGS,
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
        }
    }
}

/// Anything that is shown as it is and ends with status 1.
pub fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::Failed(error.to_string())
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start(&arguments.log_level);
    // Another caller in the process may have installed it; one is enough.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Err(error) = fail_points::arm_from_environment() {
        eprintln!("catchall: {error}");
        return ExitCode::from(CliError::Usage(error).status());
    }
    match command(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("catchall: {error}");
            ExitCode::from(error.status())
        }
    }
}

fn load_options(arguments: &Arguments) -> LoadOptions {
    LoadOptions {
        files: arguments.settings.clone(),
        environment: std::env::vars().collect(),
        working_directory: std::env::current_dir().unwrap_or_default(),
        last_rules_alone: false,
    }
}

fn load_settings(options: &LoadOptions) -> Result<Settings, CliError> {
    settings::load(options).map_err(|errors: SettingsErrors| CliError::Settings(errors.to_string()))
}

/// Reads the built-in automate domain and those of the settings; says what is odd about them.
fn load_switchboard(settings: &Settings) -> Result<Switchboard, CliError> {
    let builtin = switchboard::builtin_domain(PROVIDERS);
    let is_known = |event_type: &str| settings.event_groups.group_and_level(event_type).group != "other";
    let (switchboard, warnings) = Switchboard::load_knowing(builtin, &settings.automate_domains, &is_known)
        .map_err(|error| CliError::Settings(error.to_string()))?;
    for warning in warnings {
        log::warn!("{warning}");
    }
    Ok(switchboard)
}

fn run_street(
    arguments: &Arguments,
    role: impl FnOnce(&Settings) -> Result<Role, CliError>,
) -> Result<(), CliError> {
    let options = load_options(arguments);
    let settings = load_settings(&options)?;
    for notice in &settings.notices {
        log::info!("{notice}");
    }
    let switchboard = load_switchboard(&settings)?;
    let role = role(&settings)?;
    let load: Load = Box::new(move || {
        let settings = load_settings(&options).map_err(|error| error.to_string())?;
        let switchboard = load_switchboard(&settings).map_err(|error| error.to_string())?;
        Ok((settings, switchboard))
    });
    run::run(role, settings, switchboard, load).map_err(failed)
}

fn find_provider(name: &str) -> Result<&'static dyn Provider, CliError> {
    crate::providers::find(name).ok_or_else(|| {
        let known: Vec<_> = PROVIDERS.iter().map(|provider| provider.ems_type()).collect();
        CliError::Usage(format!("there is no provider {name}; known are {}", known.join(", ")))
    })
}

fn command(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        Command::Run => run_street(arguments, |_| Ok(Role::Run)),
        Command::SimulateQueueWorker => run_street(arguments, |_| Ok(Role::QueueWorker)),
        Command::RunSingleWorker(worker) => run_street(arguments, |settings| worker.role(settings)),
        Command::Check(check) => check_settings(arguments, check),
        Command::Parse(parse) => parse_lines(arguments, parse),
        Command::Simulate(SimulateCommand::AwesomeCloud(simulate)) => simulate::awesome_cloud(simulate),
        Command::Prove(prove) => prove::run(prove, arguments.json),
        Command::Migrate => steer::migrate(&load_settings(&load_options(arguments))?),
        Command::Status => status::run(&load_settings(&load_options(arguments))?, arguments.json),
        Command::Top => top::run(&load_settings(&load_options(arguments))?),
        Command::Tail(tail) => tail::run(&load_settings(&load_options(arguments))?, tail, arguments.json),
        Command::Completions(completions) => completions::run(completions),
        Command::Healthcheck => healthcheck::run(&load_settings(&load_options(arguments))?),
        Command::Events(events) => {
            let settings = load_settings(&load_options(arguments))?;
            steer::events(&settings, load_switchboard, events, arguments.json)
        }
        Command::Rules(command) => {
            rules::run(&load_settings(&load_options(arguments))?, command, arguments.json)
        }
        Command::Replay(replay) => replay::run(load_options(arguments), replay, arguments.json),
        Command::Refresh(refresh) => refresh::run(&load_settings(&load_options(arguments))?, refresh),
        Command::Queue(queue) => queue::run(&load_settings(&load_options(arguments))?, queue, arguments.json),
        Command::Ems(ems) => steer::ems(&load_settings(&load_options(arguments))?, ems, arguments.json),
    }
}

fn check_settings(arguments: &Arguments, check: &CheckArguments) -> Result<(), CliError> {
    let loaded = settings::load_for(&load_options(arguments), PROVIDERS)
        .map_err(|errors| CliError::Settings(check::report(&errors)))?;
    if check.print {
        terminal::print(&check::print(&loaded.merged))?;
    }
    load_switchboard(&loaded.settings)?;
    for notice in &loaded.settings.notices {
        eprintln!("{notice}");
    }
    if check.connect {
        let (lines, all) = actix_rt::System::new().block_on(connect::connect(&loaded.settings));
        terminal::print(&lines)?;
        if !all {
            return Err(failed("not every EMS could be reached"));
        }
    }
    let count = loaded.settings.ext_management_systems.len();
    eprintln!("the settings are good: {count} EMS{}", if count == 1 { "" } else { "s" });
    Ok(())
}

/// Settings are read for the blacklist; `parse` works without any, too.
fn parse_lines(arguments: &Arguments, parse: &ParseArguments) -> Result<(), CliError> {
    let settings = load_settings(&load_options(arguments))?;
    let provider = find_provider(&parse.provider)?;
    let blacklist = settings.blacklist(provider, parse.ems.as_deref()).map_err(CliError::Usage)?;
    let switchboard = load_switchboard(&settings)?;
    let (input, output) = (std::io::stdin().lock(), std::io::BufWriter::new(std::io::stdout().lock()));
    match parse::run(provider, &blacklist, &switchboard, input, output) {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed("not every line could be parsed; see the \"error\" of its line")),
        Err(error) => Err(failed(error)),
    }
}
