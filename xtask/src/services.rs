//! Services that tests need: each is started for one run, told to the tests by environment
//! variables, and gone afterwards.
//!
//! One module a service, with a `start() -> Result<Service>`; [`start_all`] lists them.

mod apt;
pub(crate) mod nats;
pub(crate) mod npm;
pub(crate) mod postgres;
mod python;
pub(crate) mod s3;
mod sandbox;
pub(crate) mod smtp;
mod tools;

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
    /// The variables by which tests find it, with their values, such as a URL.
    pub(crate) variables: Vec<(&'static str, String)>,
    sandbox: Option<Sandbox>,
}

impl Service {
    /// The one that the caller's environment already names, which is not ours to stop. Its first variable decides.
    fn given(variables: &[&'static str]) -> Option<Self> {
        let value = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let first = variables.first()?;
        value(first)?;
        eprintln!("xtask: {first} is set, so nothing is started for it");
        let variables = variables.iter().filter_map(|name| Some((*name, value(name)?)));
        Some(Self::in_place(variables.collect()))
    }

    fn ours(variables: Vec<(&'static str, String)>, sandbox: Sandbox) -> Self {
        Self {
            variables,
            sandbox: Some(sandbox),
        }
    }

    /// One that does not run: it lies there to be used.
    fn in_place(variables: Vec<(&'static str, String)>) -> Self {
        Self {
            variables,
            sandbox: None,
        }
    }

    /// Whether it still runs, as far as we can know.
    fn is_up(&mut self) -> bool {
        self.sandbox.as_mut().is_none_or(|sandbox| !sandbox.has_ended())
    }
}

/// Everything that the workspace's tests need.
pub(crate) fn start_all() -> Result<Vec<Service>> {
    [postgres::start, s3::start, smtp::start, nats::start, npm::start]
        .iter()
        .map(|start| start())
        .collect()
}

/// Runs a command while a service is up; without one, prints where the service is and waits for a signal.
pub(crate) fn hold(start: fn() -> Result<Service>, words: &[String]) -> Result<ExitCode> {
    let mut service = start()?;
    let Some((program, arguments)) = words.split_first() else {
        for (name, value) in &service.variables {
            println!("{name}={value}");
        }
        eprintln!("xtask: it stays until Ctrl-C");
        while service.is_up() {
            thread::sleep(Duration::from_millis(500));
        }
        bail!("the service ended by itself");
    };
    let status = command(program)
        .args(arguments)
        .envs(service.variables.iter().map(|(name, value)| (name, value)))
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    Ok(exit_code(status))
}
