//! The command line.

use crate::admin::{self, CreateUser};
use crate::config::{Config, ConfigError, Settings};
use crate::errors::chain;
use crate::signals::Signals;
use crate::{Application, telemetry};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use std::time::Duration;

/// How long threads may take to end when all is done.
const LAST_WORK: Duration = Duration::from_secs(1);

/// A chat server. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "tertulia", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop by SIGTERM or SIGINT
    Serve {
        #[command(flatten)]
        settings: Settings,
    },
    /// Print the settings in effect, without passwords, in the form of a configuration file
    Config {
        #[command(flatten)]
        settings: Settings,
    },
    /// Work on the database directly
    #[command(subcommand)]
    Admin(AdminCommand),
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make an account and print its id
    CreateUser(CreateUser),
}

/// Why the program ends otherwise than it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What it was told makes no sense; exit code 2, like a flag that it doesn't know.
    Usage(anyhow::Error),
    /// It could not do what it was told; exit code 1.
    Failed(anyhow::Error),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Does what the command line says; gives the exit code: 0, 1 for failure, 2 for wrong usage or settings.
pub fn main() -> ExitCode {
    let (error, code) = match run(Cli::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => (error, 2),
        Err(Failure::Failed(error)) => (error, 1),
    };
    eprintln!("tertulia: {}", chain(error.as_ref()));
    ExitCode::from(code)
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Serve { settings: cli.settings }) {
        Command::Serve { settings } => {
            let config = Config::load(settings)?;
            telemetry::log(&config.log, config.log_format)?;
            Ok(block_on(serve(&config))?)
        }
        Command::Config { settings } => {
            println!("{}", Config::load(settings)?);
            Ok(())
        }
        Command::Admin(AdminCommand::CreateUser(command)) => {
            let (account, settings) = command.into_parts()?;
            let config = Config::load(settings)?;
            telemetry::log(&config.log, config.log_format)?;
            let id = block_on(admin::create_user(&config, account))?;
            println!("{id}");
            Ok(())
        }
    }
}

/// Runs what is not a request: those have the HTTP server's own threads.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let outcome = runtime.block_on(work);
    // A thread may wait for a database that doesn't answer: nobody waits for the thread.
    runtime.shutdown_timeout(LAST_WORK);
    outcome
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let signals = Signals::listen().context("cannot listen for signals")?;
    let metrics = telemetry::install_metrics().context("cannot collect metrics")?;
    let work = async {
        let application = tokio::select! {
            built = Application::build(config, metrics) => built?,
            () = signals.first() => return Ok(()),
        };
        application.run(signals.first()).await
    };
    tokio::select! {
        outcome = work => outcome,
        () = signals.second() => anyhow::bail!("told to stop a second time: requests under way were cut off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
