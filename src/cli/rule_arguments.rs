//! What can be written behind `rules` and `replay`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `rules`
#[derive(Subcommand, Debug)]
pub enum RulesCommand {
    /// All rules, and how often each fired within the last day
    List,
    /// Which rules an event would fire, and why; nothing is done
    Test(RulesTestArguments),
}

/// `rules test`
#[derive(Args, Debug)]
pub struct RulesTestArguments {
    /// A stored event, by its id
    #[arg(long, value_name = "ID", required_unless_present = "event", conflicts_with = "event")]
    pub event_id: Option<i64>,
    /// A file with an event as JSON (columns of event_streams, or {"event": …, "vm": …, "host": …}); - is stdin
    #[arg(long, value_name = "FILE")]
    pub event: Option<PathBuf>,
    /// The file holds a native event of this provider, such as awesome_cloud
    #[arg(long, value_name = "TYPE", requires = "event")]
    pub provider: Option<String>,
    /// The EMS of an event from a file; the first of the settings when not given
    #[arg(long, value_name = "NAME", requires = "event")]
    pub ems: Option<String>,
    /// This rule alone
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
}

/// `replay`
#[derive(Args, Debug)]
pub struct ReplayArguments {
    /// Do nothing, only say what would be done; there is no other way yet
    #[arg(long, required = true)]
    pub dry_run: bool,
    /// Events that happened since: a time such as 2026-11-24T10:00:00Z, or so far back, such as 24.hours
    #[arg(long, value_name = "TIME")]
    pub since: String,
    /// A settings file with the changed rules, over the settings
    #[arg(long, value_name = "FILE")]
    pub with: PathBuf,
    /// The rules of that file stand for all rules
    #[arg(long)]
    pub only: bool,
    /// At most so many lines; the totals count all
    #[arg(long, default_value_t = 1_000, value_name = "COUNT")]
    pub limit: usize,
}
