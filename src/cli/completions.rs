//! `catchall completions SHELL`: what a shell needs to complete commands and options.

use super::arguments::Arguments;
use super::{CliError, terminal};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// `completions`
#[derive(Args, Debug)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// When it cannot be written.
pub fn run(arguments: &CompletionsArguments) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "catchall", &mut script);
    terminal::print(&String::from_utf8_lossy(&script)).map(drop)
}
