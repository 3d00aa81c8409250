//! The command line: one module a command.
//!
//! A command prints what was asked for on standard output and everything else on standard error.
//! It ends with 0; with 2 when what it was given is wrong, an argument or a setting, so that the same call cannot go well
//! another time; with 1 when it failed.

mod api;
mod backtest;
mod backup;
mod completions;
mod config;
mod demo;
mod existing;
mod health;
mod keys;
mod listen;
mod man;
mod migrate;
mod misuse;
mod output;
mod receiver;
mod serve;
mod teams;
mod trigger;
mod users;
mod verify;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::app::StartError;
use crate::config::{ConfigError, Flags, Loaded};

const EXIT_FAILED: u8 = 1;
const EXIT_MISUSED: u8 = 2;

/// Scores the users of your application for fraud and abuse, and tells it by signed webhooks.
#[derive(Parser)]
#[command(name = "dregs", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  dregs demo                                    See it at work: scores fall, webhooks arrive
  dregs serve                                   Start the server on ./data and 127.0.0.1:8080
  dregs listen --forward http://127.0.0.1:3000/webhooks
                                                Bring webhooks to the application you work on
  dregs trigger identity.scored                 Send it an example";

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Watch the server at work on a simulated population
    Demo(demo::Demo),
    /// Receive, verify and print webhooks; forward them to your application
    Listen(listen::Listen),
    /// Send an example of an event to the channels that are subscribed to it
    Trigger(trigger::Trigger),
    /// Say step by step whether a webhook is genuine, and why not
    Verify(verify::Verify),
    /// List, create, revoke and enable API keys; replace signing secrets when the master key is lost
    Keys(keys::Keys),
    /// List who signs in; give somebody a new password; say who owns the installation
    Users(users::Users),
    /// List, make, rename and delete teams; add and remove their members
    Teams(teams::Teams),
    /// Say whose scores would change under other weights and mappings
    Backtest(backtest::Backtest),
    /// Copy the database while the server runs
    Backup(backup::Backup),
    /// Put a copy of the database back
    Restore(backup::Restore),
    /// Bring the database up to date
    Migrate(migrate::Migrate),
    /// Say whether a server takes writes
    Health(health::Health),
    /// Print every setting in force and where it comes from
    Config(config::ShowConfig),
    /// Print what a shell needs to complete commands
    Completions(completions::Completions),
    /// Write the manual pages
    Man(man::Man),
}

/// Why a command did not do what was asked: one line for the person who asked, which says what to
/// do next where that is known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// What was given is wrong, an argument or a setting.
    #[error("{0}")]
    Misused(String),
    #[error("{0}")]
    Failed(String),
    /// Everything has been said already.
    #[error("")]
    Silent,
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Misused(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(problem) => Self::Misused(problem),
            StartError::Failed(problem) => Self::Failed(problem),
            StartError::Store(error) => Self::Failed(error.to_string()),
        }
    }
}

/// Does what the arguments of this process say.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(meant(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => {
            match without_flag(&error) {
                Some(told) => output::note(format_args!("dregs: {told}")),
                None => misuse::tell(&error),
            }
            return u8::try_from(error.exit_code()).unwrap_or(EXIT_MISUSED).into();
        }
    };
    let done = match cli.command {
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Listen(command) => command.run(),
        Command::Trigger(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Users(command) => command.run(),
        Command::Teams(command) => command.run(),
        Command::Backtest(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Migrate(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    let code = match &done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Misused(_)) => EXIT_MISUSED,
        Err(Failure::Failed(_) | Failure::Silent) => EXIT_FAILED,
    };
    if let Err(failure @ (Failure::Misused(_) | Failure::Failed(_))) = done {
        output::note(format!("dregs: {}", output::plain(&failure.to_string())));
    }
    code.into()
}

/// The arguments as they are meant: whoever asks `help` with a flag asks for help, which the parser takes for the name of
/// a command.
fn meant(arguments: Vec<OsString>) -> Vec<OsString> {
    let Some(at) = place_of_help(&arguments) else { return arguments };
    let (before, after) = arguments.split_at(at + 1);
    let is_flag = |argument: &OsString| argument == "--help" || argument == "-h";
    let mut named: Vec<_> = after.iter().filter(|argument| !is_flag(argument)).cloned().collect();
    if named.is_empty() && !after.is_empty() {
        named.push("help".into());
    }
    [before, &named[..]].concat()
}

/// Where the command `help` stands: after none but commands that have others below them.
fn place_of_help(arguments: &[OsString]) -> Option<usize> {
    let mut command = Cli::command();
    for (at, argument) in arguments.iter().enumerate().skip(1) {
        if !command.has_subcommands() {
            return None;
        }
        if argument == "help" {
            return Some(at);
        }
        command = command.find_subcommand(argument)?.clone();
    }
    None
}

/// What comes of a path that was given and cannot be used: it is the wrong one, unless only its disk is full.
fn unusable(error: &io::Error, told: String) -> Failure {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Failure::Failed(told),
        _ => Failure::Misused(told),
    }
}

/// Where to set what was taken for a flag, if it is a setting.
fn without_flag(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(flag) => crate::config::without_flag(flag),
        _ => None,
    }
}

/// The configuration of a command, which says on standard error what of it has no effect.
fn load(flags: &Flags) -> Result<Loaded, Failure> {
    let loaded = crate::config::load(flags)?;
    loaded.warnings.iter().for_each(|warning| output::note(format_args!("dregs: {warning}")));
    Ok(loaded)
}

/// The runtime of a command: what it does besides serving is little.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    crate::runtime::of_thread().map_err(|error| Failure::Failed(format!("the process cannot start: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_asked_for_in_every_way() {
        let cases = [
            ("dregs help --help", "dregs help help"),
            ("dregs help -h", "dregs help help"),
            ("dregs help serve --help", "dregs help serve"),
            ("dregs keys help --help", "dregs keys help help"),
            ("dregs help", "dregs help"),
            ("dregs serve --help", "dregs serve --help"),
            ("dregs keys create help --help", "dregs keys create help --help"),
            ("dregs unknown help --help", "dregs unknown help --help"),
        ];
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (said, expected) in cases {
            assert_eq!(meant(words(said)), words(expected), "{said}");
        }
    }

    #[test]
    fn the_commands_are_put_together_soundly() {
        Cli::command().debug_assert();
    }

    /// Every command, with those below it.
    fn with_below(command: &clap::Command) -> Vec<&clap::Command> {
        std::iter::once(command).chain(command.get_subcommands().flat_map(with_below)).collect()
    }

    #[test]
    fn the_help_of_every_command_is_laid_out_alike_and_describes_every_argument() {
        let root = Cli::command();
        for command in with_below(&root) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} is not described");
            // A second paragraph would put every argument on lines of its own.
            assert!(command.get_long_about().is_none(), "{name} has a long description: use after_help");
            for argument in command.get_arguments() {
                let id = argument.get_id();
                assert!(argument.get_help().is_some(), "{id} of {name} is not described");
                assert!(argument.get_long_help().is_none(), "{id} of {name} has a long description");
            }
        }
    }
}
