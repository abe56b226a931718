//! Services that tests need: each is started for one run, told to the tests by an environment
//! variable, and gone afterwards.
//!
//! One module a service, with a `start() -> Result<Service>`; [`start_all`] lists them.

mod apt;
pub(crate) mod postgres;
mod sandbox;

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cargo::{command, exit_code};
use sandbox::Sandbox;

/// A service that is up; it stops when this is dropped, and also when xtask is killed.
#[derive(Debug)]
pub(crate) struct Service {
    /// The variable by which tests find it.
    pub(crate) variable: &'static str,
    /// The variable's value, such as a URL.
    pub(crate) value: String,
    sandbox: Option<Sandbox>,
}

impl Service {
    /// The one that the caller's environment already names, which is not ours to stop.
    fn given(variable: &'static str) -> Option<Self> {
        let value = env::var(variable).ok().filter(|value| !value.is_empty())?;
        eprintln!("xtask: {variable} is set, so nothing is started for it");
        Some(Self {
            variable,
            value,
            sandbox: None,
        })
    }

    fn ours(variable: &'static str, value: String, sandbox: Sandbox) -> Self {
        Self {
            variable,
            value,
            sandbox: Some(sandbox),
        }
    }

    /// Whether it still runs, as far as we can know.
    fn is_up(&mut self) -> bool {
        self.sandbox.as_mut().is_none_or(|sandbox| !sandbox.has_ended())
    }
}

/// Everything that the workspace's tests need.
pub(crate) fn start_all() -> Result<Vec<Service>> {
    [postgres::start].iter().map(|start| start()).collect()
}

/// Runs a command while a service is up; without a command, prints where it is and waits for a signal.
pub(crate) fn hold(start: fn() -> Result<Service>, words: &[String]) -> Result<ExitCode> {
    let mut service = start()?;
    let Some((program, arguments)) = words.split_first() else {
        println!("{}={}", service.variable, service.value);
        eprintln!("xtask: it stays until Ctrl-C");
        while service.is_up() {
            thread::sleep(Duration::from_millis(500));
        }
        bail!("the service ended by itself");
    };
    let status = command(program)
        .args(arguments)
        .env(service.variable, &service.value)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    Ok(exit_code(status))
}
