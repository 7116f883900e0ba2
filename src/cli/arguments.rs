//! What can be written on the command line.

use super::completions::CompletionsArguments;
use super::event_filter::EventFilterArguments;
use super::prove::ProveArguments;
use super::rule_arguments::{ReplayArguments, RulesCommand};
use super::tail::TailArguments;
use super::worker_arguments::WorkerArguments;
use crate::simulator::FaultMenu;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Catches the events of every cloud manager, stores each exactly once, and refreshes just the inventory that changed.
#[derive(Parser, Debug)]
#[command(name = "catchall", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// A settings file, or a folder whose *.yml are read in order; may be given several times, later wins
    #[arg(long, global = true, value_name = "PATH")]
    pub settings: Vec<PathBuf>,
    /// error, warn, info, debug or trace, or what RUST_LOG takes
    #[arg(long, global = true, env = "RUST_LOG", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
    /// JSON instead of text: of status, events, tail, queue, ems list, rules, replay and prove
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// The main job: migrate the VMDB, catch from every enabled EMS, handle, refresh, serve
    Run,
    /// One event catcher alone: parsed events go into miq_queue
    RunSingleWorker(WorkerArguments),
    /// The other half alone: deliver what waits in miq_queue
    SimulateQueueWorker,
    /// Validate the settings
    Check(CheckArguments),
    /// Native events as JSON Lines on stdin, one JSON line each on stdout; no VMDB, no network
    Parse(ParseArguments),
    /// A working provider to try things on
    #[command(subcommand)]
    Simulate(SimulateCommand),
    /// Kill Catchall in the worst of circumstances, and say whether anything was lost, doubled, stale or left undone
    Prove(ProveArguments),
    /// Bring the VMDB's schema up to date, and say what was done
    Migrate,
    /// How each EMS is, the worst first, and what to do
    Status,
    /// The same live, on a terminal
    Top,
    /// Events as they are committed, one line each, until Ctrl-C
    Tail(TailArguments),
    /// Ask the Catchall that runs with these settings whether it is ready; for containers
    Healthcheck,
    /// The latest events, the story of one, or the dead letters
    Events(EventsArguments),
    /// Look at the rules, and try them on events
    #[command(subcommand)]
    Rules(RulesCommand),
    /// What other rules would have done for the events that are stored, as a diff
    Replay(ReplayArguments),
    /// Look at and steer EMSs
    #[command(subcommand)]
    Ems(EmsCommand),
    /// Ask for a refresh of an EMS, whole or of some targets
    Refresh(RefreshArguments),
    /// Look at and steer the work that waits in miq_queue
    #[command(subcommand)]
    Queue(QueueCommand),
    /// What a shell needs to complete commands and options, on stdout
    Completions(CompletionsArguments),
}

/// `check`
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Reach every EMS, and say exactly what fails
    #[arg(long)]
    pub connect: bool,
    /// The merged settings with the origin of each value, secrets masked
    #[arg(long)]
    pub print: bool,
}

/// `parse`
#[derive(Args, Debug)]
pub struct ParseArguments {
    /// The provider, such as awesome_cloud
    #[arg(long, value_name = "TYPE")]
    pub provider: String,
    /// With the settings of this EMS
    #[arg(long, value_name = "NAME")]
    pub ems: Option<String>,
}

/// `simulate`
#[derive(Subcommand, Debug)]
pub enum SimulateCommand {
    /// The example provider of the provider guide
    AwesomeCloud(SimulateArguments),
}

/// `simulate awesome-cloud`
#[derive(Args, Debug, Clone)]
pub struct SimulateArguments {
    /// Address to listen on; port 0 picks one
    #[arg(long, default_value = "127.0.0.1:8585", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Events per second
    #[arg(long, default_value_t = 2.0, value_name = "PER_SECOND")]
    pub rate: f64,
    /// Virtual machines at the start
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    pub vms: usize,
    /// The same seed tells the same story
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What goes wrong: all, none, or names such as late,drip,half-open (see docs/simulator.md)
    #[arg(long, default_value = "none", value_name = "KINDS")]
    pub faults: FaultMenu,
    /// The same seed draws the same faults in the same order
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    pub fault_seed: u64,
    /// Fixes the event ids, which otherwise never repeat across restarts
    #[arg(long, value_name = "TEXT")]
    pub epoch: Option<String>,
}

/// `events`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EventsArguments {
    /// One event instead of the latest
    #[command(subcommand)]
    pub command: Option<EventsCommand>,
    /// Dead letters instead of events: --ems, --text, --since and --until choose among them, too
    #[arg(long, conflicts_with_all = ["event_type", "level", "group", "resource"])]
    pub dead: bool,
    /// Parse the dead letters again, all or those of --ems
    #[arg(long, requires = "dead", conflicts_with_all = ["text", "since", "until"])]
    pub retry: bool,
    /// Which events
    #[command(flatten)]
    pub filter: EventFilterArguments,
    /// At most so many events, the latest
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    pub limit: usize,
}

/// `events show`
#[derive(Subcommand, Debug, Clone)]
pub enum EventsCommand {
    /// The story of an event: what it named, what was done for it, and how long each step took
    Show {
        /// Its row's id, or its event_uid
        id: String,
    },
}

/// `refresh`
#[derive(Args, Debug)]
pub struct RefreshArguments {
    /// Its name
    #[arg(value_name = "EMS")]
    pub ems: String,
    /// Only this, such as vms:vm-1; may be given several times
    #[arg(long, value_name = "ASSOCIATION:REF")]
    pub target: Vec<String>,
    /// Wait until it is done, and say how it ended
    #[arg(long)]
    pub wait: bool,
}

/// `queue`
#[derive(Subcommand, Debug)]
pub enum QueueCommand {
    /// The work that waits, is being done, or was given up
    List(QueueListArguments),
    /// All about one row
    Show {
        /// Its id
        id: i64,
    },
    /// Make work due at once that was given up, or that waits for its time
    Retry(QueueRetryArguments),
    /// Take work out; it will not be done
    Drop {
        /// The row's id
        id: i64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// `queue list`
#[derive(Args, Debug)]
pub struct QueueListArguments {
    /// Only in this state
    #[arg(long, value_name = "STATE", value_parser = ["ready", "dequeue", "error"])]
    pub state: Option<String>,
    /// Only of this EMS
    #[arg(long, value_name = "NAME")]
    pub ems: Option<String>,
    /// At most so many rows, the oldest
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    pub limit: usize,
}

/// `queue retry`
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["id", "all_failed"])))]
pub struct QueueRetryArguments {
    /// The row's id
    pub id: Option<i64>,
    /// Every row in state error
    #[arg(long)]
    pub all_failed: bool,
    /// With --all-failed: only of this EMS
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    pub ems: Option<String>,
}

/// `ems`
#[derive(Subcommand, Debug, Clone)]
pub enum EmsCommand {
    /// All EMSs of the VMDB
    List,
    /// Stop catching from an EMS until it is resumed; events that its provider keeps meanwhile are not lost
    Pause {
        /// Its name
        name: String,
    },
    /// Catch again, from where it was paused
    Resume {
        /// Its name
        name: String,
    },
    /// Replace its event catcher by a fresh one
    Restart {
        /// Its name
        name: String,
    },
}
